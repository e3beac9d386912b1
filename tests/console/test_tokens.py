"""The pages Tokens, Audit log and Status: what is made, shown once, found and said."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.console.conftest import Pages, sign_in
from tests.gunicorn_server import Server


def test_makes_a_token_from_a_template_and_shows_it_once(
    pages: Pages, guarded_server: Server, admin: str
) -> None:
    """It works, and leaves with the page; the first administrator is told to make one for themselves."""
    page = pages.open(guarded_server, "/console")
    sign_in(page, admin)
    expect(page.get_by_text("put this one away")).to_be_visible()
    page.get_by_role("link", name="New token").click()
    page.get_by_label("For").select_option("pipeline")
    page.get_by_label("Folder").fill("team/app")
    page.get_by_label("Name").fill("deploy <b>pipeline</b>")
    page.get_by_role("button", name="Make the token").click()

    shown = page.get_by_text(re.compile(r"^smt_[0-9a-f]{16}_[0-9a-f]{72}$"))
    expect(shown).to_be_visible()
    made = shown.inner_text()
    who = guarded_server.post("/vault/token/whoami", None, headers={"Authorization": f"Bearer {made}"})
    assert ["create:team/app/*", "update:team/app/*", "list:team/app/*"] == who.json()["scopes"]
    page.get_by_role("link", name="Tokens").first.click()
    row = page.get_by_role("listitem").filter(has_text="deploy <b>pipeline</b>").first
    expect(row).to_contain_text("makes, changes, lists team/app/*")
    assert made not in page.content()


def test_a_session_that_is_not_new_shows_its_token_once_more(
    pages: Pages, guarded_server: Server, admin: str
) -> None:
    """Whoever steals a session must not turn it into a token."""
    page = pages.open(guarded_server, "/console")
    sign_in(page, admin)
    expect(page.get_by_role("heading", name="Secrets")).to_be_visible()
    refusals = []

    def refuse_first(route: Route) -> None:
        refusals.append(1)
        if len(refusals) > 1:
            return route.continue_()
        body = '{"type": "/problems/confirmation-required", "status": 403, "detail": "confirm"}'
        return route.fulfill(status=403, content_type="application/problem+json", body=body)

    page.route("**/vault/token/create", refuse_first)
    page.goto(guarded_server.url + "/console#/token")
    page.get_by_label("Name").fill("later")
    page.get_by_role("button", name="Make the token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Token").fill(admin)
    dialog.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("It is shown this once")).to_be_visible()


def test_revokes_a_token(pages: Pages, guarded_server: Server, admin: str, token: Callable[..., str]) -> None:
    """The question names it."""
    doomed = token("fetch:*", name="doomed")
    page = pages.open(guarded_server, "/console#/tokens")
    sign_in(page, admin)
    page.get_by_role("button", name="Revoke doomed").click()
    expect(page.get_by_role("dialog")).to_contain_text(doomed.split("_")[1])
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()

    expect(page.get_by_role("button", name="Revoke doomed")).to_have_count(0)
    headers = {"Authorization": f"Bearer {doomed}"}
    assert 401 == guarded_server.post("/vault/token/whoami", None, headers=headers).status_code


def test_searches_and_verifies_the_log(pages: Pages, guarded_server: Server, admin: str) -> None:
    """By its filters; each row opens, and the verdict is in words."""
    headers = {"Authorization": f"Bearer {admin}"}
    for path in ("log/one", "log/two"):
        body = {"path": path, "secret": "aGVsbG8="}
        guarded_server.post("/vault/secret/create/", body, headers=headers)
    page = pages.open(guarded_server, "/console#/audit/?path=log/one")
    sign_in(page, admin)
    results = page.get_by_role("region", name="Audit log")

    expect(results.get_by_role("listitem")).to_have_count(1)
    results.get_by_text("create").click()
    expect(results.get_by_role("link", name="log/one")).to_be_visible()
    page.get_by_label("Path").fill("")
    page.get_by_label("Operation").fill("create")
    page.get_by_role("button", name="Search").click()
    expect(results.get_by_role("listitem").filter(has_text="log/two")).to_be_visible()
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_text("The log is complete and unaltered")).to_be_visible(timeout=20_000)


def test_says_what_is_switched_off(pages: Pages, guarded_server: Server, admin: str) -> None:
    """The checks of this replica, missing protections, and no drill."""
    page = pages.open(guarded_server, "/console#/status")
    sign_in(page, admin)

    expect(page.get_by_role("region", name="This replica").get_by_text("in order")).to_have_count(3)
    expect(page.get_by_text("TLS is off")).to_be_visible()
    expect(page.get_by_text("nobody knows whether the backups can be restored")).to_be_visible()
    expect(page.get_by_role("region", name="Master keys").get_by_text("primary")).to_be_visible()


def test_people_are_named(pages: Pages, guarded_server: Server, admin: str) -> None:
    """By the names of their tokens, on the page of a secret and in the log; and what is too large is said."""
    headers = {"Authorization": f"Bearer {admin}"}
    body = {"path": "named/one", "secret": "aGVsbG8="}
    guarded_server.post("/vault/secret/create/", body, headers=headers)
    guarded_server.post("/vault/secret/fetch", {"path": "named/one"}, headers=headers)
    page = pages.open(guarded_server, "/console#/secret/named/one")
    sign_in(page, admin)

    expect(page.get_by_role("region", name="Details")).to_contain_text("by ada")
    expect(page.get_by_role("region", name="Last reads")).to_contain_text("ada")
    expect(page.get_by_role("region", name="Who can reach it")).to_contain_text("ada")
    page.get_by_role("region", name="Last reads").get_by_role("link", name="All").click()
    expect(page.get_by_role("region", name="Audit log").get_by_role("listitem").first).to_contain_text("ada")

    page.goto(f"{guarded_server.url}/console#/new/named/")
    page.get_by_label("Path").fill("named/large")
    page.get_by_label("The text").fill("x" * (512 * 1024 + 1))
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_text("1 byte too many")).to_be_visible()
    assert [] == [url for url in pages.requests if url.endswith("/vault/secret/create/")]
