"""How what is only there for a while looks: selected rows, dialogs, codes, and what services have."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.console.appearance import flaws
from tests.console.conftest import Pages, loaded
from tests.gunicorn_server import Server


def test_selected_rows_and_their_outcomes(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """The bar over the list, the question, and what was refused."""
    for name in ("a", "b", "long-" * 20 + "name"):
        put(f"{folder}/{name}", labels={"env": "prod"}, expires_in=86_400)
    page = pages.open(open_server, f"/console#/secrets/{folder}/")
    page.get_by_label("Select all that are shown").check()
    expect(page.get_by_text("3 selected")).to_be_visible()
    assert [] == flaws(page)

    page.get_by_role("button", name="Label", exact=True).click()
    assert [] == flaws(page)
    page.route("**/vault/secret/update", lambda route: route.abort())
    page.get_by_role("dialog").get_by_label("Name").fill("env")
    page.get_by_role("button", name="Label 3").click()
    expect(page.get_by_text("0 labelled. 3 not:")).to_be_visible()
    assert [] == flaws(page)


def test_a_secret_that_services_have(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """Services, refusals and grants in one card, with a warning above the value."""
    path = put(f"{folder}/db", expires_in=86_400)
    open_server.post("/vault/grant/create", {"services": ["w" * 60 + "*"], "paths": [f"{folder}/*"]})
    for service in ("w" * 60 + "_api", "stranger"):
        body = {
            "path": path,
            "version": 1,
            "service": {"id": "s1", "name": service, "image": "app:1"},
            "task": {"id": "t1", "name": f"{service}.1.t1"},
            "node": {"id": "n1"},
            "docker_secret": "db.v1",
        }
        open_server.post("/vault/secret/deliver", body)
    page = pages.open(open_server, f"/console#/secret/{path}")
    expect(page.get_by_text("May be given it")).to_be_visible()
    loaded(page)

    expect(page.get_by_text("not granted")).to_be_visible()
    assert [] == flaws(page)


def test_a_link_with_its_code(open_server: Server, pages: Pages) -> None:
    """The code fits the narrowest window, and has a name."""
    page = pages.open(open_server, "/console#/share")
    page.get_by_label("For whom").fill("Grace")
    page.get_by_label("The text").fill("x")
    page.get_by_label("Also as a QR code").check()
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()

    assert [] == flaws(page)
