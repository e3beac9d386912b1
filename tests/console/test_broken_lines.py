"""What people see, and what the server gets, while answers are lost or refused on their way."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Pages, everything, sign_in
from tests.console.relay import Relay, relaying
from tests.console.test_share import share, show, state
from tests.gunicorn_server import Server

# More than a browser repeats a request.
ALL = 10
VALUE = "correct horse battery staple"
PEEK, REVEAL, CREATE = "/vault/share/peek", "/vault/share/reveal", "/vault/secret/create/"


@pytest.fixture
def relay(guarded_server: Server) -> Iterator[Relay]:
    """A relay to the server that demands tokens, on connections that are kept."""
    with relaying(guarded_server) as relay:
        yield relay


def refusal(status: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return an answer that says no more than that."""
    return status, {"Content-Type": "application/problem+json", **headers}, b'{"detail": "not now"}'


def filled_form(pages: Pages, relay: Relay, admin: str, folder: str) -> Page:
    """Return the page of a new secret, with something typed into it."""
    page = pages.open(relay, f"/console#/new/{folder}/")
    sign_in(page, admin)
    page.get_by_label("Path").fill(f"{folder}/kept")
    page.get_by_label("The text").fill(VALUE)
    return page


@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_lost_answer_is_told_from_a_theft(
    pages: Pages, guarded_server: Server, admin: str, keep_alive: bool
) -> None:
    """The connection breaks after the server has opened the share: at most one value left it.

    On a kept connection, Chromium sends the request again by itself: the service knows that it is the same.
    """
    made = share(guarded_server, admin, VALUE.encode())
    with relaying(guarded_server, keep_alive=keep_alive) as relay:
        page = pages.open(relay, f"/share#{made['link']}")
        expect(page.get_by_role("button", name="Show the secret")).to_be_visible()
        relay.cut[REVEAL] = ALL
        show(page)
        expect(page.get_by_role("alert")).to_contain_text("could not be reached")
        assert made["link"] in page.url
        first = relay.count(REVEAL)
        assert "opened" == state(guarded_server, admin, made)

        relay.cut.clear()
        show(page)
        expect(page.get_by_role("heading", name="The answer was lost on its way")).to_be_visible()
        expect(page.get_by_text("tell the sender at once")).to_have_count(0)
        assert VALUE not in everything(page)
        statuses = [status for path, status in relay.statuses if path == REVEAL]
        assert [200] == [status for status in statuses if status != 404]
        # Nothing but the browser repeats it, and only where it thinks that the server did not get it.
        assert first == 1 or keep_alive
        assert first + 1 == relay.count(REVEAL)

        other = pages.open(relay, f"/share#{made['link']}")
        expect(other.get_by_role("heading", name="already opened")).to_be_visible()
        expect(other.get_by_text("tell the sender at once")).to_be_visible()


def test_a_repeated_request_is_answered_as_the_same_attempt(
    pages: Pages, relay: Relay, guarded_server: Server, admin: str
) -> None:
    """The first answer is lost, and the browser's own repetition arrives: the page does not cry theft."""
    made = share(guarded_server, admin, VALUE.encode())
    page = pages.open(relay, f"/share#{made['link']}")
    relay.cut[REVEAL] = 1
    show(page)

    expect(page.get_by_role("heading", name="The answer was lost on its way")).to_be_visible()
    assert 2 == relay.count(REVEAL)


@pytest.mark.parametrize(
    ("status", "headers", "text"),
    [
        (503, {}, "could not be reached"),
        (502, {}, "could not be reached"),
        (429, {"Retry-After": "30"}, "You can try again in 30 seconds"),
        (500, {}, "The service failed"),
    ],
)
def test_a_form_is_kept_and_sent_once(
    pages: Pages, relay: Relay, admin: str, folder: str, status: int, headers: dict[str, str], text: str
) -> None:
    """The page says what happened, and the server got one request; the next click is the second."""
    page = filled_form(pages, relay, admin, folder)
    page.clock.install()
    relay.answers[CREATE] = refusal(status, **headers)
    page.get_by_role("button", name="Save secret").click()

    expect(page.get_by_role("alert")).to_contain_text(text)
    page.clock.run_for(60_000)
    expect(page.get_by_label("The text")).to_have_value(VALUE)
    assert 1 == relay.count(CREATE)
    relay.answers.clear()
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_role("heading", name="kept")).to_be_visible()
    assert 2 == relay.count(CREATE)


def test_a_write_whose_answer_is_lost_is_not_repeated_by_the_page(
    pages: Pages, relay: Relay, guarded_server: Server, admin: str, folder: str
) -> None:
    """It says that the change may have been made; a second click finds that it was."""
    page = filled_form(pages, relay, admin, folder)
    relay.cut[CREATE] = ALL
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_role("alert")).to_contain_text("A change may have been made all the same")
    expect(page.get_by_label("The text")).to_have_value(VALUE)

    assert [200] == [status for path, status in relay.statuses if path == CREATE and status != 409]
    body = {"path": f"{folder}/kept"}
    headers = {"Authorization": f"Bearer {admin}"}
    found = guarded_server.post("/vault/secret/fetch", body, headers=headers).json()
    assert VALUE == base64.b64decode(found["secret"]).decode()


def test_a_form_is_kept_offline(pages: Pages, relay: Relay, admin: str, folder: str) -> None:
    """Nothing is sent then, nor by itself once the line is back."""
    page = filled_form(pages, relay, admin, folder)
    expect(page.get_by_role("navigation", name="Secret manager")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    page.context.set_offline(False)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    assert 0 == relay.count(CREATE)
    expect(page.get_by_label("The text")).to_have_value(VALUE)
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_role("heading", name="kept")).to_be_visible()
    assert 1 == relay.count(CREATE)


def test_a_form_survives_the_end_of_the_session(
    pages: Pages, relay: Relay, guarded_server: Server, admin: str, folder: str
) -> None:
    """Signing in happens over the page; nothing is saved until somebody presses the button again."""
    page = filled_form(pages, relay, admin, folder)
    session = page.evaluate("JSON.parse(sessionStorage.session).session")
    guarded_server.post("/vault/session/revoke", {}, headers={"Authorization": f"Bearer {session}"})

    page.get_by_role("button", name="Save secret").click()
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Token").fill(admin)
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_label("The text")).to_have_value(VALUE)
    assert 1 == relay.count(CREATE)
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_role("heading", name="kept")).to_be_visible()
    assert 2 == relay.count(CREATE)


def test_a_list_that_was_refused_waits_and_is_asked_again_by_a_click(
    pages: Pages, relay: Relay, admin: str
) -> None:
    """The button can be pressed once the time is over; nothing is asked before."""
    page = pages.open(relay, "/console#/shares")
    page.clock.install()
    listing = "/vault/share/list"
    relay.answers[listing] = refusal(429, **{"Retry-After": "20"})
    sign_in(page, admin)
    again = page.get_by_role("region", name="Shares").get_by_role("button", name="Try again")
    expect(again).to_be_disabled()
    before = relay.count(listing)
    page.clock.run_for(21_000)
    expect(again).to_be_enabled()
    assert before == relay.count(listing)
    relay.answers.clear()
    again.click()
    expect(again).to_have_count(0)
    assert before + 1 == relay.count(listing)


def test_the_attempt_is_of_this_page_alone(
    pages: Pages, relay: Relay, guarded_server: Server, admin: str
) -> None:
    """128 random bits, of which the link says nothing: another recipient cannot claim them."""
    made = share(guarded_server, admin)
    attempts = []
    for _ in range(2):
        page = pages.open(relay, f"/share#{made['link']}")
        relay.answers[REVEAL] = refusal(503)
        with page.expect_request("**/vault/share/reveal") as sent:
            show(page)
        attempts.append(json.loads(sent.value.post_data or "")["attempt"])

    assert 2 == len(set(attempts))
    assert {32} == {len(attempt) for attempt in attempts}
