"""The sender's side of a share: QR code, instructions, passphrase, and what became of the link."""

from __future__ import annotations

import re
from typing import Any

import segno
from playwright.sync_api import Page, expect

from tests.console.conftest import Pages
from tests.gunicorn_server import Server

QUIET = 4


def _made(page: Page, recipient: str, **options: str) -> str:
    page.get_by_label("For whom").fill(recipient)
    page.get_by_label("The text").fill("correct horse")
    for label, text in options.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_text("It is shown this once")).to_be_visible()
    return page.locator(".value").inner_text()


def test_the_qr_code_has_the_link(open_server: Server, pages: Pages) -> None:
    """What is drawn is, module by module, what a phone would need; the link goes to no service for it."""
    page = pages.open(open_server, "/console#/share")
    page.get_by_label("Also as a QR code").check()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url + (request.post_data or "")))

    url = _made(page, "Grace")

    drawn = page.get_by_role("img", name="QR code of the link").locator(".qr-dark").get_attribute("d")
    assert drawn is not None
    code = {(int(x) - QUIET, int(y) - QUIET) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn)}
    matrix = segno.make_qr(url, error="m").matrix
    assert code == {(x, y) for y, row in enumerate(matrix) for x, module in enumerate(row) if module}
    assert not [text for text in sent if "sml_" in text]
    page.get_by_role("link", name="See whether it was opened").click()
    expect(page.get_by_role("img", name="QR code of the link")).to_have_count(0)


def test_the_instructions_say_until_when_and_not_the_passphrase(open_server: Server, pages: Pages) -> None:
    """What is copied has the link, the end with its zone, and that a passphrase comes in another way."""
    page = pages.open(open_server, "/console#/share")
    url = _made(page, "Grace", **{"Passphrase (if you want one)": "open sesame"})
    expect(page.get_by_text("tell it in another way.")).to_be_visible()

    page.get_by_role("button", name="Copy with instructions").click()

    expect(page.get_by_text("Copied.")).to_be_visible()
    # The console itself may not read the clipboard.
    elsewhere = pages.open(open_server, "/healthz", page.context)
    elsewhere.bring_to_front()
    copied: Any = elsewhere.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(url + "\n")
    assert "shows a secret once" in copied
    assert re.search(r"until .*\d\d:\d\d:\d\d (UTC|GMT)", copied)
    assert "asks for a passphrase" in copied
    assert "open sesame" not in copied


def test_the_sender_sees_what_became_of_each_link(open_server: Server, pages: Pages) -> None:
    """Waiting, looked at, opened when and from where, taken back, and ended by wrong passphrases."""

    def make(recipient: str, **options: Any) -> dict[str, Any]:
        body = {"secret": "aGVsbG8=", "for": recipient, **options}
        made: dict[str, Any] = open_server.post("/vault/share/create", body).json()
        return made

    def reveal(link: str, **options: str) -> None:
        open_server.post("/vault/share/reveal", {"link": link, "attempt": 32 * "0", **options})

    make("Alan")
    open_server.post("/vault/share/peek", {"link": make("Barbara")["link"]})
    reveal(make("Donald")["link"])
    open_server.post("/vault/share/revoke", {"share_id": make("Edsger")["share_id"]})
    locked = make("Rivest", passphrase="open sesame")["link"]
    for number in range(5):
        reveal(locked, passphrase=f"wrong{number}")
    page = pages.open(open_server, "/console#/shares")

    for recipient, text in (
        ("Alan", "waiting"),
        ("Barbara", "looked at"),
        ("Donald", "Opened just now from 127.0.0.1"),
        ("Edsger", "taken back"),
        ("Rivest", "ended by wrong passphrases"),
    ):
        expect(page.get_by_role("listitem").filter(has_text=recipient)).to_contain_text(text)
    page.get_by_role("button", name="Take back Alan").click()
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(page.get_by_role("listitem").filter(has_text="Alan")).to_contain_text("taken back")
