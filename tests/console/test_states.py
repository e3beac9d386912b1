"""The states of a part of a page, and of the pages by themselves: what they say, and how they look."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.console.appearance import flaws
from tests.console.conftest import Pages, go, loaded, sign_in
from tests.console.test_share import share, show
from tests.gunicorn_server import Server

# What is on each page once it has loaded, to the first call that it makes for its content.
PAGES = {
    "secrets": "secret/list",
    "secret/app/db": "secret/describe",
    "version/app/db": "secret/describe",
    "shares": "share/list",
    "tokens": "token/list",
    "audit": "audit/search",
    "status": "status",
}
TITLES = {
    "forbidden": (403, "Your token may not do this"),
    "missing": (404, "Not found"),
    "limited": (429, "Too many calls"),
    "lost": (503, "The service could not be reached"),
    "cut": (0, "The service could not be reached"),
    "failed": (500, "The service failed"),
}


def signed_in(pages: Pages, server: Server, admin: str, address: str) -> Page:
    """Return the page at this address of somebody who has just signed in."""
    page = pages.open(server, address)
    sign_in(page, admin)
    return page


def answer(status: int) -> Callable[[Route], None]:
    """Return what answers a call with this status; 0 with nothing."""

    def answer(route: Route) -> None:
        if status == 0:
            return route.abort()
        headers = {"Content-Type": "application/problem+json", "Retry-After": "3000"}
        body = '{"detail": "why it is so", "request_id": "0f3a5b7c9d1e2f40"}'
        return route.fulfill(status=status, headers=headers, body=body)

    return answer


def test_a_part_that_loads_says_so(pages: Pages, guarded_server: Server, admin: str) -> None:
    """By lines that pulse, and a word for those who do not see them."""
    page = signed_in(pages, guarded_server, admin, "/console#/token")
    loaded(page)
    held: list[Route] = []
    for name, operation in PAGES.items():
        # Playwright takes no method of a list.
        page.route(f"**/vault/{operation}", lambda route: held.append(route))
        page.evaluate("(name) => { location.hash = `#/${name}`; }", name)
        expect(page.locator("[aria-busy=true]").filter(has_text="Loading").first).to_be_attached()
        assert [] == flaws(page), name
        for route in held:
            route.abort()
        held.clear()
        page.unroute(f"**/vault/{operation}")


@pytest.mark.parametrize("state", TITLES)
def test_a_part_says_what_went_wrong(pages: Pages, guarded_server: Server, admin: str, state: str) -> None:
    """In the same words everywhere, with what to do and the id of the request."""
    status, title = TITLES[state]
    page = signed_in(pages, guarded_server, admin, "/console#/token")
    loaded(page)
    for name, operation in PAGES.items():
        page.route(f"**/vault/{operation}", answer(status))
        go(page, f"#/{name}")
        problem = page.get_by_role("alert").filter(has_text=title).first
        expect(problem).to_be_visible()
        again = problem.get_by_role("button", name="Try again")
        assert again.is_disabled() == (state == "limited"), name
        if status:
            expect(problem).to_contain_text("0f3a5b7c9d1e2f40")
        page.unroute(f"**/vault/{operation}")
    assert [] == flaws(page)


def test_an_empty_part_says_why_and_what_next(
    pages: Pages, guarded_server: Server, token: Callable[..., str]
) -> None:
    """A list of secrets or shares offers to make the first."""
    scopes = ("list:none/*", "create:none/*", "share", "audit")
    page = signed_in(pages, guarded_server, token(*scopes), "/console#/secrets/none/")
    region = page.get_by_role("region", name="Secrets")
    expect(region.get_by_role("link", name="New secret")).to_be_visible()
    assert [] == flaws(page)
    page.get_by_role("link", name="Shares").first.click()
    expect(page.get_by_role("region", name="Shares").get_by_role("link", name="Share once")).to_be_visible()
    assert [] == flaws(page)
    page.goto(f"{guarded_server.url}/console#/audit/?path=none/at/all")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()


def test_signing_in_looks_right_in_all_states(pages: Pages, guarded_server: Server, admin: str) -> None:
    """Before, after a wrong token, over a page whose session has ended, and locked."""
    page = pages.open(guarded_server, "/console")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert [] == flaws(page)
    sign_in(page, f"{admin[:-1]}{'0' if admin[-1] != '0' else '1'}")
    expect(page.get_by_role("alert")).to_be_visible()
    assert [] == flaws(page)
    sign_in(page, admin)
    expect(page.get_by_role("heading", name="Secrets")).to_be_visible()
    page.route("**/vault/share/list", answer(401))
    page.get_by_role("link", name="Shares").first.click()
    expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
    assert [] == flaws(page)
    page.unroute("**/vault/share/list")
    page.reload()
    expect(page.get_by_role("heading", name="Shares")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="Lock now").click()
    expect(page.get_by_text("Locked.")).to_be_visible()
    assert [] == flaws(page)


def test_questions_and_what_is_shown_once_look_right(
    pages: Pages, guarded_server: Server, admin: str, folder: str
) -> None:
    """Dialogs to destroy, to use a read up, and to stay; a conflict; a toast; a new token and link."""
    headers = {"Authorization": f"Bearer {admin}"}

    def post(operation: str, **body: object) -> None:
        assert 200 == guarded_server.post(f"/vault/{operation}", body, headers=headers).status_code

    post("secret/create/", path=f"{folder}/deleted", secret="aGVsbG8=")
    post("secret/delete", path=f"{folder}/deleted")
    post("secret/create/", path=f"{folder}/few", secret="aGVsbG8=", max_reads=2)
    post("secret/create/", path=f"{folder}/shared", secret="aGVsbG8=")
    page = pages.open(guarded_server, "/console")
    page.clock.install()
    page.reload()
    sign_in(page, admin)
    loaded(page)

    go(page, f"#/secret/{folder}/deleted")
    page.get_by_role("button", name="Destroy", exact=True).click()
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_visible()
    assert [] == flaws(page)
    page.keyboard.press("Escape")
    go(page, f"#/secret/{folder}/few")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("uses up 1 of 2 reads")
    assert [] == flaws(page)
    page.keyboard.press("Escape")

    go(page, f"#/version/{folder}/shared")
    page.get_by_label("The text").fill("mine")
    post("secret/update", path=f"{folder}/shared", secret="")
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else saved first")
    assert [] == flaws(page)

    go(page, f"#/secret/{folder}/shared")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("The value is empty.")).to_be_visible()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Clear now")).to_be_visible()
    assert [] == flaws(page)
    page.get_by_role("button", name="Clear now").click()

    go(page, f"#/share/{folder}/shared")
    page.get_by_label("For whom").fill("Grace")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("button", name="Copy the link")).to_be_visible()
    assert [] == flaws(page)
    go(page, "#/token")
    page.get_by_label("Name").fill("made to be looked at")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("It is shown this once")).to_be_visible()
    page.get_by_text("How to use it in a shell").click()
    assert [] == flaws(page)

    page.clock.run_for(14 * 60_000 + 2000)
    expect(page.get_by_role("dialog")).to_contain_text("Are you still there?")
    assert [] == flaws(page)


def test_a_token_without_tls_is_not_asked_for(pages: Pages, guarded_server: Server) -> None:
    """Off loopback, where the browser itself says that the page is not secure."""
    page = pages.open(guarded_server, "/healthz")
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    page.goto(f"{guarded_server.url}/console")

    expect(page.get_by_text("Open it with https://")).to_be_visible()
    expect(page.get_by_label("Token")).to_have_count(0)
    assert [] == flaws(page)


def test_the_page_of_a_link_looks_right_in_all_states(
    pages: Pages, guarded_server: Server, admin: str
) -> None:
    """Waiting, with a passphrase, wrong, unreachable, shown, opened, lost, ended, limited."""
    made = share(guarded_server, admin, passphrase="open sesame")
    address = f"/share#{made['link']}"
    page = pages.open(guarded_server, address)
    button = page.get_by_role("button", name="Show the secret")
    expect(button).to_be_visible()
    assert [] == flaws(page)
    page.get_by_label("Passphrase").fill("another")
    show(page)
    expect(page.get_by_role("alert")).to_contain_text("can be tried")
    assert [] == flaws(page)
    for status, text in ((0, "could not be reached"), (503, "could not be reached"), (429, "Too many calls")):
        page.route("**/vault/share/reveal", answer(status))
        show(page)
        expect(page.get_by_role("alert")).to_contain_text(text)
        page.unroute("**/vault/share/reveal")
    assert [] == flaws(page)
    page.get_by_label("Passphrase").fill("open sesame")
    show(page)
    expect(page.get_by_text("battery staple")).to_be_visible()
    assert [] == flaws(page)
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_text("Hidden.")).to_be_visible()
    assert [] == flaws(page)

    opened = pages.open(guarded_server, address)
    expect(opened.get_by_role("heading", name="already opened")).to_be_visible()
    assert [] == flaws(opened)
    ended = pages.open(guarded_server, f"/share#sml_{'0' * 16}_{'0' * 72}")
    expect(ended.get_by_role("heading", name="This link has ended")).to_be_visible()
    assert [] == flaws(ended)


def test_the_keyboard_goes_in_the_order_of_reading(pages: Pages, guarded_server: Server, admin: str) -> None:
    """Whatever can be used is reached by Tab, visibly, in the order of the page, which no style changes."""
    body = {"path": "a/b/db", "secret": "aGVsbG8="}
    guarded_server.post("/vault/secret/create/", body, headers={"Authorization": f"Bearer {admin}"})
    page = signed_in(pages, guarded_server, admin, "/console")
    loaded(page)
    for address in ("secret/a/b/db", "new/", "version/a/b/db", "token", "share", "audit", "tokens"):
        go(page, f"#/{address}")
        page.get_by_role("link", name="Skip to the content").focus()
        usable, reached = page.evaluate(_USABLE), [0]
        # A field for a time is several stops.
        for _ in range(3 * usable):
            page.keyboard.press("Tab")
            place, seen = page.evaluate(_FOCUSED)
            assert seen, (address, place)
            reached += [place] if place != reached[-1] else []
            if place == usable - 1:
                break
        assert list(range(usable)) == reached, address
        assert [] == page.evaluate(_TURNED_ROUND), address


_CONTROLS = """
const kinds = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';
const controls = [...document.querySelectorAll(kinds)]
  .filter((node) => !node.disabled && node.checkVisibility());
// Of radio buttons with one name, Tab reaches the chosen one.
const usable = controls.filter((node) => node.type !== 'radio' || node.checked);
"""
_USABLE = f"() => {{ {_CONTROLS} return usable.length; }}"
_FOCUSED = f"""() => {{ {_CONTROLS}
  const node = document.activeElement;
  const box = node.getBoundingClientRect();
  // Within a field for a time, what has the focus is marked by the browser itself.
  return [usable.indexOf(node), box.width > 0 && box.top < innerHeight && box.bottom > 0
    && (getComputedStyle(node).outlineStyle !== 'none' || node.type === 'datetime-local')];
}}"""
_TURNED_ROUND = """() => [...document.querySelectorAll('body *')].filter((node) => {
  const { order, flexDirection } = getComputedStyle(node);
  return order !== '0' || flexDirection.endsWith('reverse') || node.tabIndex > 0;
}).map((node) => node.outerHTML.slice(0, 100))"""
