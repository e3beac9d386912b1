"""What a browser still has on disk after somebody has used the console, or opened a link."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, expect

from tests.console.chromium import CHROMIUM
from tests.console.conftest import everything, sign_in
from tests.console.test_share import share, show
from tests.gunicorn_server import Server

VALUE = "correct-horse-battery-staple-of-the-profile"
HISTORY = "Default/History"
TYPED = "typed-into-a-form-and-never-saved"


@contextmanager
def profile_on_disk(chromium: Browser, folder: Path) -> Iterator[BrowserContext]:
    """Open a profile as people have it, which is kept in this folder; closing it writes what is left."""
    context = chromium.browser_type.launch_persistent_context(
        folder, executable_path=CHROMIUM, args=["--no-sandbox"]
    )
    try:
        yield context
    finally:
        context.close()


def found(folder: Path, text: str) -> list[str]:
    """Return the files that contain this text, in any of the forms that a browser writes."""
    forms = [text.encode(), text.encode("utf-16-le"), base64.b64encode(text.encode())]
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return [
        str(file.relative_to(folder)) for file in files if any(form in file.read_bytes() for form in forms)
    ]


def test_the_console_leaves_neither_token_nor_value_on_disk(
    chromium: Browser, guarded_server: Server, admin: str, tmp_path: Path
) -> None:
    """Nor what was typed and not saved; of the session only what locking has made worthless."""
    headers = {"Authorization": f"Bearer {admin}"}
    body = {"path": "profile/one", "secret": base64.b64encode(VALUE.encode()).decode()}
    guarded_server.post("/vault/secret/create/", body, headers=headers)
    with profile_on_disk(chromium, tmp_path) as context:
        page = context.pages[0]
        page.goto(f"{guarded_server.url}/console#/secret/profile/one")
        sign_in(page, admin)
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.get_by_text(VALUE)).to_be_visible()
        page.goto(f"{guarded_server.url}/console#/token")
        page.get_by_label("Name").fill("of the profile")
        page.get_by_role("button", name="Make the token").click()
        made = page.get_by_text("smt_").first.inner_text()
        page.goto(f"{guarded_server.url}/console#/version/profile/one")
        page.get_by_label("The text").fill(TYPED)
        session = page.evaluate("JSON.parse(sessionStorage.session).session")
        page.get_by_role("button", name="Lock now").click()
        expect(page.get_by_text("Locked.")).to_be_visible()
        assert session not in everything(page)

    # Addresses are kept, as everywhere: that it is found shows that the search finds what is there.
    assert HISTORY in found(tmp_path, "#/secret/profile/one")
    assert [] == found(tmp_path, admin.rpartition("_")[2])
    assert [] == found(tmp_path, made.rpartition("_")[2])
    assert [] == found(tmp_path, VALUE)
    assert [] == found(tmp_path, TYPED)
    # Chromium keeps the storage of a tab on disk, and does not write over what is removed from it.
    headers = {"Authorization": f"Bearer {session}"}
    assert 401 == guarded_server.post("/vault/token/whoami", None, headers=headers).status_code


def test_a_link_that_was_opened_leaves_no_value_on_disk(
    chromium: Browser, guarded_server: Server, admin: str, tmp_path: Path
) -> None:
    """Nor its passphrase; the history has the link, which shows nothing any more."""
    made = share(guarded_server, admin, VALUE.encode(), passphrase="open sesame")
    with profile_on_disk(chromium, tmp_path) as context:
        page = context.pages[0]
        page.goto(f"{guarded_server.url}/share#{made['link']}")
        page.get_by_label("Passphrase").fill("open sesame")
        show(page)
        expect(page.get_by_text(VALUE)).to_be_visible()

    assert HISTORY in found(tmp_path, made["link"])
    assert [] == found(tmp_path, VALUE)
    assert [] == found(tmp_path, "open sesame")
    answer = guarded_server.post("/vault/share/peek", {"link": made["link"]})
    assert "opened" == answer.json()["state"]
