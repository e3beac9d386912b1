"""Signing in, staying signed in, and locking: what is kept, where, and for how long."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.calls import UNKNOWN
from tests.console.conftest import Pages, everything, sign_in
from tests.gunicorn_server import Server

MINUTE = 60_000


def enter(pages: Pages, server: Server, token: str, address: str = "/console") -> Page:
    """Return the page of somebody who has signed in."""
    page = pages.open(server, address)
    sign_in(page, token)
    expect(page.get_by_role("navigation", name="Secret manager")).to_be_visible()
    return page


def test_signs_in_and_keeps_nothing_of_the_token(pages: Pages, guarded_server: Server, admin: str) -> None:
    """The field is empty after a wrong token and after a good one; F5 stays signed in."""
    page = pages.open(guarded_server, "/console")
    field = page.get_by_label("Token")
    sign_in(page, UNKNOWN)
    expect(page.get_by_role("alert")).to_contain_text("Not signed in")
    expect(field).to_have_value("")
    assert UNKNOWN not in everything(page)

    sign_in(page, admin)
    expect(page.get_by_role("heading", name="Secrets")).to_be_focused()
    assert "ada" in page.get_by_role("banner").inner_text()
    page.reload()
    expect(page.get_by_role("heading", name="Secrets")).to_be_visible()
    secret_part = admin.rpartition("_")[2]
    assert secret_part not in everything(page)
    assert [] == [url for url in pages.requests if secret_part in url]
    assert secret_part not in guarded_server.log.read_text()


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_a_token_that_has_ended_is_refused(
    pages: Pages, guarded_server: Server, token: Callable[..., str], admin: str, end: str
) -> None:
    """The page says so, has emptied the field, and asks for another."""
    ended = token("list:*", **({"expires_in": 1} if end == "expired" else {}))
    if end == "revoked":
        body = {"token_id": ended.split("_")[1]}
        guarded_server.post("/vault/token/revoke", body, headers={"Authorization": f"Bearer {admin}"})
    page = pages.open(guarded_server, "/console")
    whoami = page.request.post
    headers = {"Authorization": f"Bearer {ended}"}
    while whoami(f"{guarded_server.url}/vault/token/whoami", headers=headers).status != 401:
        page.wait_for_timeout(100)
    sign_in(page, ended)

    expect(page.get_by_role("alert")).to_contain_text("Not signed in")
    expect(page.get_by_label("Token")).to_be_focused()
    expect(page.get_by_label("Token")).to_have_value("")
    assert ended.rpartition("_")[2] not in everything(page)


@pytest.mark.parametrize("way", ["button", "idle"])
def test_locking_ends_the_session_in_all_tabs(
    pages: Pages, guarded_server: Server, admin: str, way: str
) -> None:
    """By the button or after 15 minutes without a key or a pointer; one minute before, it asks."""
    first = pages.open(guarded_server, "/console")
    first.clock.install()
    first.reload()
    sign_in(first, admin)
    expect(first.get_by_role("heading", name="Secrets")).to_be_visible()
    session = first.evaluate("JSON.parse(sessionStorage.session).session")
    second = pages.open(guarded_server, "/console", first.context)
    sign_in(second, admin)
    expect(second.get_by_role("heading", name="Secrets")).to_be_visible()

    with first.expect_response("**/vault/session/revoke"):
        if way == "button":
            first.get_by_role("button", name="Lock now").click()
        else:
            first.clock.run_for(14 * MINUTE + 2000)
            expect(first.get_by_role("dialog")).to_contain_text("Are you still there?")
            first.clock.run_for(MINUTE)
    for page in (first, second):
        expect(page.get_by_text("Locked. Sign in again")).to_be_visible()
        assert 0 == page.evaluate("sessionStorage.length")
    headers = {"Authorization": f"Bearer {session}"}
    assert 401 == guarded_server.post("/vault/token/whoami", None, headers=headers).status_code


def test_working_keeps_a_session_and_an_answer_to_the_question_does(
    pages: Pages, guarded_server: Server, admin: str
) -> None:
    """A key or a pointer counts; the session is renewed once in five minutes at most."""
    page = pages.open(guarded_server, "/console")
    page.clock.install()
    page.reload()
    sign_in(page, admin)
    expect(page.get_by_role("heading", name="Secrets")).to_be_visible()
    renewals = []
    page.on("request", lambda request: renewals.append(1) if request.url.endswith("/renew") else None)

    for _ in range(4):
        page.clock.run_for(4 * MINUTE)
        page.keyboard.press("Shift")
    page.clock.run_for(14 * MINUTE)
    page.get_by_role("button", name="Stay signed in").click()
    page.clock.run_for(2 * MINUTE)

    expect(page.get_by_role("heading", name="Secrets")).to_be_visible()
    assert 2 <= len(renewals) <= 5


def test_pages_say_what_a_token_may_not(
    pages: Pages, guarded_server: Server, token: Callable[..., str], admin: str
) -> None:
    """Whoever may only fetch opens a path they know; whoever may only list sees no value."""
    headers = {"Authorization": f"Bearer {admin}"}
    guarded_server.post("/vault/secret/create/", {"path": "deep/one", "secret": "aGVsbG8="}, headers=headers)
    fetching = enter(pages, guarded_server, token("fetch:deep/*"))
    expect(fetching.get_by_role("alert")).to_contain_text("lacks a scope for this: list")
    expect(fetching.get_by_role("link", name="New secret")).to_have_count(0)
    fetching.get_by_label("open a secret whose path you know").fill("deep/one")
    fetching.get_by_role("button", name="Open").click()
    expect(fetching).to_have_url(re.compile("#/secret/deep/one$"))

    listing = enter(pages, guarded_server, token("list:deep/*"), "/console#/secret/deep/one")
    expect(listing.get_by_text("lacks the scope fetch")).to_be_visible()
    expect(listing.get_by_role("button", name="Show")).to_have_count(0)
    expect(listing.get_by_role("button", name="Delete")).to_have_count(0)


def test_the_log_shows_what_came_through_the_console(
    pages: Pages, guarded_server: Server, admin: str
) -> None:
    """By the request id, which names the session."""
    page = enter(pages, guarded_server, admin)
    session_id = page.evaluate("JSON.parse(sessionStorage.session).session_id")
    expect(page.get_by_role("region", name="Secrets")).to_be_visible()

    found = guarded_server.post(
        "/vault/audit/search", {"operation": "list"}, headers={"Authorization": f"Bearer {admin}"}
    ).json()["records"]
    assert any(one["request_id"].startswith(f"console-{session_id}-") for one in found)
