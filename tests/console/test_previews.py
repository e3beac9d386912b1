"""Whatever loads a link before its recipient does: it uses nothing up."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from tests.console.chromium import CHROMIUM, NO_CHROMIUM
from tests.console.conftest import Pages
from tests.console.relay import relaying
from tests.console.test_share import share, state
from tests.gunicorn_server import Server

PEEK, REVEAL = "/vault/share/peek", "/vault/share/reveal"


# Asks for the link to be rendered at once, and goes there by itself when the test says so.
MAIL = """<script type="speculationrules">
{"prerender": [{"urls": ["LINK"], "eagerness": "immediate"}]}
</script>
<script>
addEventListener("pagehide", () => navigator.sendBeacon("/left"));
const look = async () => {
  if ((await fetch("/ready")).ok) location.href = "LINK"; else setTimeout(look, 50);
};
look();
</script>"""


def test_a_page_that_is_rendered_before_anybody_goes_there_uses_nothing_up(
    guarded_server: Server, admin: str, tmp_path: Path
) -> None:
    """Chromium loads it, runs its scripts, and then shows it: only a click on its button is one."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    made = share(guarded_server, admin)
    with relaying(guarded_server) as relay:
        mail = MAIL.replace("LINK", f"{relay.url}/share#{made['link']}")
        relay.answers["/mail"] = (200, {"Content-Type": "text/html"}, mail.encode())
        # By itself: a Chromium that is driven renders nothing in advance.
        command = [CHROMIUM, "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}", f"{relay.url}/mail"]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            relay.wait_for(PEEK)
            assert "waiting" == state(guarded_server, admin, made)
            relay.answers["/ready"] = (200, {}, b"")
            relay.wait_for("/left")
            assert 1 == relay.count("/share")
        finally:
            browser.terminate()
            browser.wait(30)
        assert 0 == relay.count(REVEAL)
    assert "waiting" == state(guarded_server, admin, made)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
def test_a_scanner_that_runs_no_scripts_has_nothing_to_send(
    guarded_server: Server, admin: str, method: str
) -> None:
    """The link is behind the fragment, and no address takes it anywhere else."""
    made = share(guarded_server, admin)
    for place in ("/share#", "/share?", "/share/", "/vault/share/reveal?link=", "/vault/share/reveal#"):
        requests.request(method, f"{guarded_server.url}{place}{made['link']}", timeout=10)

    assert "waiting" == state(guarded_server, admin, made)


def test_a_script_cannot_press_the_button(pages: Pages, guarded_server: Server, admin: str) -> None:
    """Neither by a click of its own, a key, a touch, nor by taking the page's events for itself."""
    made = share(guarded_server, admin)
    with relaying(guarded_server) as relay:
        page = pages.open(relay, f"/share#{made['link']}")
        button = page.get_by_role("button", name="Show the secret")
        expect(button).to_be_visible()
        button.evaluate(
            """(node) => {
              node.focus();
              node.click();
              for (const kind of ["pointerdown", "pointerup", "mousedown", "mouseup", "touchend", "click"])
                node.dispatchEvent(new MouseEvent(kind, {bubbles: true, view: window}));
              for (const kind of ["keydown", "keyup"])
                node.dispatchEvent(new KeyboardEvent(kind, {key: "Enter", bubbles: true}));
              for (const kind of ["focus", "pageshow", "visibilitychange", "hashchange", "popstate"])
                window.dispatchEvent(new Event(kind));
            }"""
        )
        # Whatever these start has been sent before the answer to another look.
        page.reload()
        expect(button).to_be_visible()
        assert 0 == relay.count(REVEAL)
    assert "waiting" == state(guarded_server, admin, made)
