"""Values leave the page with whatever shows them, and are in it for nothing else."""

from __future__ import annotations

import base64
from typing import Any

from playwright.sync_api import APIResponse, Page, Route, expect

from tests.console.conftest import Pages, everything, go, loaded, sign_in
from tests.console.test_share import share, show
from tests.gunicorn_server import Server

VALUE = "correct horse battery staple"
# Whatever is in the page at any time from now on.
WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => window.seen.push(document.documentElement.outerHTML))
    .observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
}"""
# What Ctrl-V would paste, to the byte: a text field has line feeds only.
PASTING = """() => {
  const field = document.createElement('textarea');
  field.addEventListener('paste', (event) => { window.pasted = event.clipboardData.getData('text/plain'); });
  document.body.append(field);
  field.focus();
}"""


def post(server: Server, admin: str, call: str, **body: Any) -> dict[str, Any]:
    """Return the answer to a call of the administrator, which succeeds."""
    answer = server.post(f"/vault/{call}", body, headers={"Authorization": f"Bearer {admin}"})
    assert 200 == answer.status_code, answer.text
    document: dict[str, Any] = answer.json()
    return document


def stored(server: Server, admin: str, path: str, *values: str) -> str:
    """Return a path with these versions."""
    for number, value in enumerate(values):
        secret = base64.b64encode(value.encode()).decode()
        post(server, admin, "secret/update" if number else "secret/create/", path=path, secret=secret)
    return path


def paste(page: Page) -> str:
    """Return what Ctrl-V pastes into another page of this browser."""
    page.bring_to_front()
    page.evaluate(PASTING)
    page.keyboard.press("Control+V")
    page.wait_for_function("'pasted' in window")
    return str(page.evaluate("window.pasted"))


def test_locking_one_tab_hides_what_another_shows(
    pages: Pages, guarded_server: Server, admin: str, folder: str
) -> None:
    """Both forget the session, and the log has one record of the one show."""
    path = stored(guarded_server, admin, f"{folder}/shown", VALUE)
    first = pages.open(guarded_server, f"/console#/secret/{path}")
    sign_in(first, admin)
    first.get_by_role("button", name="Show", exact=True).click()
    expect(first.get_by_text(VALUE)).to_be_visible()
    second = pages.open(guarded_server, "/console", first.context)
    sign_in(second, admin)
    second.get_by_role("button", name="Lock now").click()

    expect(first.get_by_text("Locked.")).to_be_visible()
    assert VALUE not in everything(first)
    assert path not in first.locator("body").inner_text()
    assert 0 == first.evaluate("sessionStorage.length")
    found = post(guarded_server, admin, "audit/search", path=path, operation="fetch")
    assert 1 == len(found["records"])


def test_a_dialog_with_values_goes_with_the_page_below_it(
    pages: Pages, guarded_server: Server, admin: str, folder: str
) -> None:
    """By the browser's own button, by leaving, and by locking; what was typed into a form stays."""
    path = stored(guarded_server, admin, f"{folder}/compared", "before", VALUE)
    page = pages.open(guarded_server, f"/console#/secrets/{folder}/")
    sign_in(page, admin)
    loaded(page)
    for leave in ("history.back()", "window.dispatchEvent(new PageTransitionEvent('pagehide'))"):
        go(page, f"#/secret/{path}")
        page.get_by_role("button", name="Compare v1").click()
        page.get_by_role("dialog").get_by_role("button", name="Compare").click()
        expect(page.get_by_role("dialog")).to_contain_text(VALUE)
        page.evaluate(leave)
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert VALUE not in everything(page)
        go(page, f"#/secrets/{folder}/")

    go(page, f"#/version/{path}")
    page.get_by_role("button", name="Begin with version 2").click()
    expect(page.get_by_label("The text")).to_have_value(VALUE)
    page.get_by_label("The text").fill("typed")
    page.get_by_role("button", name="Show the difference").click()
    expect(page.get_by_role("dialog")).to_contain_text(VALUE)
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_label("The text")).to_have_value("typed")


def test_what_is_copied_was_never_in_the_page(
    pages: Pages, guarded_server: Server, admin: str, folder: str
) -> None:
    """Ctrl-V pastes it to the byte; one button clears the clipboard at once, another keeps it."""
    value = "line\r\nnäïve 🔑 \t"
    path = stored(guarded_server, admin, f"{folder}/copied", value)
    page = pages.open(guarded_server, "/console")
    page.clock.install()
    page.goto(f"{guarded_server.url}/console#/secret/{path}")
    page.reload()
    elsewhere = pages.open(guarded_server, "/healthz", page.context)
    page.bring_to_front()
    sign_in(page, admin)
    loaded(page)
    page.evaluate(WATCH)

    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Keep")).to_be_visible()
    assert value == paste(elsewhere)
    assert [] == [html for html in page.evaluate("window.seen") if "näïve" in html]
    page.bring_to_front()
    page.get_by_role("button", name="Keep").click()
    page.clock.run_for(60_000)
    assert value == paste(elsewhere)

    page.bring_to_front()
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name="Clear now").click()
    expect(page.get_by_text("The clipboard was cleared.")).to_be_visible()
    assert "" == elsewhere.evaluate("navigator.clipboard.readText()")


def test_what_arrives_after_locking_is_not_copied(
    pages: Pages, guarded_server: Server, admin: str, folder: str
) -> None:
    """The clipboard keeps what it had, and the locked page says nothing of it."""
    path = stored(guarded_server, admin, f"{folder}/late", VALUE)
    page = pages.open(guarded_server, f"/console#/secret/{path}")
    sign_in(page, admin)
    loaded(page)
    elsewhere = pages.open(guarded_server, "/healthz", page.context)
    elsewhere.evaluate("navigator.clipboard.writeText('before')")
    page.bring_to_front()
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/vault/secret/fetch", lambda route: held.append((route, route.fetch())))
    with page.expect_request("**/vault/secret/fetch"):
        page.get_by_role("button", name="Copy", exact=True).click()
    while not held:
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Lock now").click()
    expect(page.get_by_text("Locked.")).to_be_visible()

    ((route, answer),) = held
    assert answer.ok
    with page.expect_response("**/vault/secret/fetch"):
        route.fulfill(response=answer)
    page.wait_for_timeout(500)

    expect(page.get_by_role("dialog")).to_have_count(0)
    assert "before" == paste(elsewhere)


def test_leaving_the_page_of_a_link_hides_what_it_shows(
    pages: Pages, guarded_server: Server, admin: str
) -> None:
    """Going back shows no value, and no link."""
    made = share(guarded_server, admin, VALUE.encode())
    page = pages.open(guarded_server, f"/share#{made['link']}")
    show(page)
    expect(page.get_by_text(VALUE)).to_be_visible()
    page.goto(f"{guarded_server.url}/healthz")
    page.go_back()

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "/share" == page.evaluate("location.pathname + location.hash")
    kept = everything(page)
    assert VALUE not in kept
    assert made["link"] not in kept


def test_a_dialog_gives_the_focus_back_at_once_and_never_takes_it_again(
    pages: Pages, guarded_server: Server, admin: str
) -> None:
    """Whoever types on after Escape types into what had the focus, or into what got it since."""
    page = pages.open(guarded_server, "/console")
    sign_in(page, admin)
    loaded(page)
    opener = page.get_by_role("button", name="Keys")
    opener.click()
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()

    opener.click()
    page.evaluate(
        """() => new Promise((done) => {
          const dialog = document.querySelector('dialog');
          dialog.addEventListener('close', () => setTimeout(done));
          dialog.close();
          document.getElementById('search').focus();
        })"""
    )
    expect(page.get_by_role("searchbox")).to_be_focused()
