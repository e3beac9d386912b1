"""The first administrator is led to a token of their own."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.console.conftest import Pages, sign_in
from tests.gunicorn_server import Server


def test_the_first_administrator_makes_a_token_for_themselves(
    guarded_server: Server, pages: Pages, admin: str
) -> None:
    """The banner leads to the form, the form to what comes next; with the own token the banner is gone."""
    page = pages.open(guarded_server, "/console#/secrets")
    sign_in(page, admin)
    page.get_by_role("link", name="New token for yourself").click()
    expect(page.get_by_label("For")).to_have_value("administrator")
    expect(page.get_by_label("Scopes")).to_have_value("admin")
    page.get_by_label("Name").fill("ada")
    page.get_by_role("button", name="Make the token").click()

    expect(page.get_by_role("heading", name="What comes next")).to_be_visible()
    own = page.locator(".value").first.inner_text()
    page.get_by_role("button", name="Lock now").last.click()
    sign_in(page, own)

    expect(page.get_by_text("first administrator's token")).to_have_count(0)
    assert own not in page.content()


def test_others_are_not_offered_what_they_cannot_make(
    guarded_server: Server, pages: Pages, token: Callable[..., str]
) -> None:
    """Who makes tokens without being an administrator has no such template, and no such steps."""
    page = pages.open(guarded_server, "/console#/token/administrator")
    sign_in(page, token("token", "fetch:team/*"))
    expect(page.get_by_label("For").get_by_role("option")).to_have_count(3)
    page.get_by_label("Folder").fill("team")
    page.get_by_label("Name").fill("billing")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("heading", name="The token of billing")).to_be_visible()
    expect(page.get_by_role("heading", name="What comes next")).to_have_count(0)
