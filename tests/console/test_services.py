"""The Swarm services that have a secret, and those that may be given it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Pages, sign_in
from tests.gunicorn_server import Server

Ask = Callable[..., Any]


@pytest.fixture
def ask(guarded_server: Server, admin: str) -> Ask:
    """Return a function that makes a call as the administrator, and returns the answer."""

    def ask(operation: str, token: str = admin, expected: int = 200, **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        answer = guarded_server.post(f"/vault/{operation}", body, headers=headers)
        assert expected == answer.status_code, answer.text
        return answer.json()

    return ask


@pytest.fixture
def deliver(ask: Ask, token: Callable[..., str]) -> Callable[..., None]:
    """Return a function that asks for a version as the Swarm's driver does."""
    driver = token("deliver:*", name="driver")

    def deliver(path: str, service: str, version: int, expected: int = 200) -> None:
        ask(
            "secret/deliver",
            driver,
            expected,
            path=path,
            version=version,
            service={"id": "s1", "name": service, "image": "app:1"},
            task={"id": "t1", "name": f"{service}.1.t1"},
            node={"id": "n1"},
            docker_secret=f"db.v{version}",
        )

    return deliver


def test_shows_who_has_which_version_and_who_may_have_it(
    guarded_server: Server, pages: Pages, admin: str, ask: Ask, deliver: Callable[..., None], folder: str
) -> None:
    """One service is behind; one has the current version, and had another; one was refused."""
    path = f"{folder}/db"
    ask("secret/create/", path=path, secret="b25l")
    ask("secret/update", path=path, secret="dHdv")
    grant = ask("grant/create", services=["billing_*", "shop_api"], paths=[f"{folder}/*"])
    ask("grant/create", services=["other_*"], paths=["elsewhere/*"])
    deliver(path, "billing_api", 1)
    deliver(path, "shop_api", 1)
    deliver(path, "shop_api", 2)
    deliver(path, "stranger", 2, expected=404)
    page = pages.open(guarded_server, f"/console#/secret/{path}")
    sign_in(page, admin)

    card = page.get_by_role("region", name="Services that have it")
    behind = card.get_by_role("listitem").filter(has_text="billing_api")
    expect(behind).to_contain_text("v1")
    expect(behind).to_contain_text("Older than version 2")
    ahead = card.get_by_role("listitem").filter(has_text="shop_api").first
    expect(ahead).to_contain_text("v2")
    expect(ahead).to_contain_text("Before: version 1")
    expect(ahead).not_to_contain_text("Older")
    expect(card.get_by_role("listitem").filter(has_text="stranger")).to_be_visible()
    expect(card.get_by_text(grant["grant_id"])).to_be_visible()
    expect(card.get_by_text("other_*")).to_have_count(0)

    card.get_by_role("link", name="Deliveries").click()
    expect(page.get_by_label("Operation")).to_have_value("deliver")
    expect(page.locator("summary.record")).to_have_count(4)


def test_says_that_no_service_has_it_and_what_is_not_for_everybody(
    guarded_server: Server, pages: Pages, token: Callable[..., str], admin: str, ask: Ask, folder: str
) -> None:
    """Grants and the log are for those with the scopes; nobody else asks for them."""
    path = f"{folder}/a+b"
    ask("secret/create/", path=path, secret="b25l")
    page = pages.open(guarded_server, f"/console#/secret/{path}")
    sign_in(page, token(f"list:{folder}/*"))

    card = page.get_by_role("region", name="Services that have it")
    expect(card.get_by_text("No Swarm service has got it")).to_be_visible()
    expect(card.get_by_text("Only an administrator sees")).to_be_visible()
    assert not [url for url in pages.requests if "grant/" in url or "audit/" in url]

    other = pages.open(guarded_server, f"/console#/secret/{path}")
    sign_in(other, admin)
    card = other.get_by_role("region", name="Services that have it")
    expect(card.get_by_text("No grant lets a service have it")).to_be_visible()
    card.get_by_role("link", name="Deliveries").click()
    expect(other.get_by_label("Path")).to_have_value(path)


def test_grants_that_cannot_be_read_hide_nothing_else(
    guarded_server: Server, pages: Pages, admin: str, ask: Ask, deliver: Callable[..., None], folder: str
) -> None:
    """The card degrades part by part, and asks again when told to."""
    path = f"{folder}/db"
    ask("secret/create/", path=path, secret="b25l")
    ask("grant/create", services=["billing_*"], paths=[f"{folder}/*"])
    deliver(path, "billing_api", 1)
    page = pages.open(guarded_server, "/console#/secrets")
    page.route("**/vault/grant/list", lambda route: route.abort())
    sign_in(page, admin)

    page.evaluate(f"location.hash = '#/secret/{path}'")

    card = page.get_by_role("region", name="Services that have it")
    expect(card.get_by_text("billing_api")).to_be_visible()
    expect(card.get_by_role("alert")).to_contain_text("could not be reached")
    page.unroute("**/vault/grant/list")
    card.get_by_role("button", name="Try again").click()
    expect(card.get_by_text("billing_*")).to_be_visible()
