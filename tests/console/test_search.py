"""Finding secrets: by words in paths and labels, across folders, and by their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route, expect

from tests.console.conftest import Pages
from tests.gunicorn_server import Server


def test_a_search_asks_the_service_once_and_goes_on_from_there(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """Words are looked for by the service, in paths and labels; what is found is shown by the hundred."""
    for number in range(101):
        put(f"{folder}/deep/{number:03}/password", labels={"env": "Production"})
    put(f"{folder}/deep/zebra")
    page = pages.open(open_server, f"/console#/secrets/{folder}/")
    expect(page.get_by_role("link", name="deep/")).to_be_visible()
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request.post_data_json))

    page.get_by_label("Find in paths and labels").fill("PASS production")

    expect(page.get_by_role("link", name="deep/099/password")).to_be_visible()
    expect(page.get_by_text(f"This is all up to {folder}/deep/099/password")).to_be_visible()
    assert [("PASS production", f"{folder}/")] == [(body["match"], body["prefix"]) for body in asked]
    page.get_by_role("button", name="Show 100 more").click()
    expect(page.get_by_role("link", name="deep/100/password")).to_be_visible()
    expect(page.get_by_role("button", name="Show 100 more")).to_be_hidden()
    expect(page.get_by_role("link", name="zebra")).to_have_count(0)


def test_what_ends_within_thirty_days_is_a_view(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """The filter finds what ends soon, in all folders below, and can be searched as well."""
    put(f"{folder}/a/soon", expires_in=29 * 86_400)
    put(f"{folder}/b/sooner", expires_in=86_400)
    put(f"{folder}/b/later", expires_in=31 * 86_400)
    put(f"{folder}/b/never")
    page = pages.open(open_server, f"/console#/secrets/{folder}/")

    page.get_by_role("link", name="Ends within 30 days").click()

    rows = page.get_by_role("row").filter(has=page.get_by_role("button", name="Copy"))
    expect(rows).to_have_count(2)
    page.get_by_label("Find in paths and labels").fill("/b/")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("b/sooner")


def test_a_search_that_finds_nothing_or_takes_too_long_says_so(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """Nothing found is not an error; a search without an end says what to do and is not repeated."""
    put(f"{folder}/one")
    page = pages.open(open_server, f"/console#/secrets/{folder}/")
    search = page.get_by_label("Find in paths and labels")
    search.fill("nowhere")
    expect(page.get_by_text("Nothing here fits.")).to_be_visible()
    calls: list[str] = []

    # No test has so many secrets that a search through them takes seconds.
    def refuse(route: Route) -> None:
        calls.append(route.request.url)
        route.fulfill(
            status=503,
            content_type="application/problem+json",
            body='{"detail": "the database did not answer in time"}',
        )

    page.route("**/vault/secret/list", refuse)
    search.fill("one")

    expect(page.get_by_text("open a folder and search there")).to_be_visible()
    assert 1 == len(calls)
    page.unroute("**/vault/secret/list")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="one")).to_be_visible()
