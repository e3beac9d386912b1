"""Every page in both colour schemes, at three widths: WCAG 2.2 A and AA, overflow, overlap, the keyboard."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.appearance import flaws
from tests.console.conftest import Pages
from tests.gunicorn_server import Server

FOLDER = "team-of-everybody/app"
LONG = f"{FOLDER}/" + "segment-" * 12 + "end"
# Each page, what is on it once it is loaded, and the buttons or keys that lead to further states of it.
STATES = {
    "secrets": (f"/console#/secrets/{FOLDER}/", "db-password", ()),
    "deleted": ("/console#/secrets/?deleted", "deleted-one", ()),
    "nothing": ("/console#/secrets/no/such/", "no secret here", ()),
    "secret": (f"/console#/secret/{FOLDER}/db-password", "Last reads", ()),
    "shown": (f"/console#/secret/{FOLDER}/json", "Last reads", ("Show",)),
    "asking": (f"/console#/secret/{FOLDER}/db-password", "Last reads", ("Delete",)),
    "comparing": (f"/console#/secret/{FOLDER}/db-password", "Last reads", ("Compare v1",)),
    "long": (f"/console#/secret/{LONG}", "Last reads", ()),
    "missing": ("/console#/secret/no/such", "Not found", ()),
    "new": (f"/console#/new/{FOLDER}/", "Save secret", ("Save secret",)),
    "version": (f"/console#/version/{FOLDER}/json", "Begin with", ("Begin with version 1",)),
    "keys": ("/console#/secrets", "Deleted", ("?",)),
    "shares": ("/console#/shares", "Grace", ()),
    "share": (f"/console#/share/{FOLDER}/db-password", "Make the link", ()),
    "tokens": ("/console#/tokens", "pipeline", ()),
    "token": ("/console#/token", "Make the token", ()),
    "audit": ("/console#/audit", "Verify the log", ()),
    "status": ("/console#/status", "Last drill", ()),
    "incomplete link": ("/share#sml_0", "incomplete", ()),
}


@pytest.fixture(scope="module")
def filled_server(open_server: Server) -> Server:
    """The open server with something on every page."""

    def post(operation: str, **body: Any) -> None:
        assert 200 == open_server.post(f"/vault/{operation}", body).status_code

    def value(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    labels = {"env": "prod", "<b>hostile</b>": "W" * 100}
    password = f"{FOLDER}/db-password"
    post("secret/create/", path=password, secret=value("first"), labels=labels, expires_in=86_400)
    post("secret/update", path=password, secret=value("second"))
    post(
        "secret/create/",
        path=f"{FOLDER}/json",
        secret=value('{"host": "db", "password": "' + "x" * 90 + '"}'),
    )
    post("secret/create/", path=f"{FOLDER}/tls/key", generate={"length": 8})
    post("secret/create/", path=LONG, secret=value("x" * 400))
    post("secret/create/", path="deleted-one", secret=value("x"))
    post("secret/delete", path="deleted-one")
    post("share/create", **{"for": "Grace " + "W" * 80, "secret": value("x")})
    post("token/create", name="pipeline", scopes=[f"fetch:{LONG}", "list:*"], expires_in=86_400)
    return open_server


@pytest.mark.parametrize("state", STATES)
def test_is_accessible_and_fits(pages: Pages, filled_server: Server, state: str) -> None:
    """Nothing that axe finds, nothing wider than the window, and no two cards over each other."""
    page = _opened(pages, filled_server, state, "light", 1280)

    assert [] == flaws(page)


def _opened(pages: Pages, server: Server, state: str, scheme: str, width: int) -> Page:
    path, text, buttons = STATES[state]
    page = pages.open(server, path, color_scheme=scheme, viewport={"width": width, "height": 800})
    expect(page.get_by_text(text).first).to_be_visible()
    for name in buttons:
        if len(name) == 1:
            page.keyboard.press(name)
        else:
            page.get_by_role("button", name=name).first.click()
    page.wait_for_load_state("networkidle")
    return page


def test_everything_is_reached_by_the_keyboard(pages: Pages, filled_server: Server) -> None:
    """From the link that skips to the content to the last button, in the order of reading, and visibly."""
    page = _opened(pages, filled_server, "secret", "light", 1280)
    # A page that is opened has the focus on its heading, past the navigation.
    page.get_by_role("link", name="Skip to the content").focus()
    controls = page.locator("a[href]:visible, button:visible:enabled").count() - 1
    reached = []
    for _ in range(controls):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "[document.activeElement.innerText.trim(), document.activeElement.getBoundingClientRect().top"
                " < innerHeight, getComputedStyle(document.activeElement).outlineStyle]"
            )
        )

    assert "Secrets" == reached[0][0]
    assert {"Show", "New version", "Delete"} <= {text for text, *_ in reached}
    assert controls == len(reached)
    assert {(True, "solid")} == {(seen, outline) for _, seen, outline in reached}


def test_the_focus_is_never_under_the_bar_at_the_bottom(pages: Pages, filled_server: Server) -> None:
    """On a phone, where it covers what is below it."""
    page = _opened(pages, filled_server, "secret", "light", 390)
    bar = page.get_by_role("navigation", name="Secret manager").bounding_box()
    assert bar is not None
    for _ in range(page.locator("main a[href]:visible, main button:visible:enabled").count()):
        page.keyboard.press("Tab")
        inside = page.evaluate("document.getElementById('main').contains(document.activeElement)")
        bottom = page.evaluate("document.activeElement.getBoundingClientRect().bottom")
        assert not inside or bottom <= bar["y"]
