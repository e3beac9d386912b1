"""The page to give a secret a new version: compare before saving, and change what is beside the value."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from playwright.sync_api import expect

from tests.console.appearance import flaws
from tests.console.conftest import Pages
from tests.gunicorn_server import Server


def test_what_was_typed_is_compared_before_it_is_saved(
    open_server: Server, pages: Pages, put: Callable[..., str], get: Callable[[str], bytes], folder: str
) -> None:
    """Reading the current version for it is one click, and one audited read; nothing is saved by looking."""
    path = put(f"{folder}/db", b"line one\nline two\n")
    page = pages.open(open_server, f"/console#/version/{path}")
    page.get_by_label("The text").fill("line one\nline three\n")

    page.get_by_role("button", name="Show the difference").click()

    dialog = page.get_by_role("dialog", name="What you changed")
    expect(dialog.locator("del")).to_have_text("line two")
    expect(dialog.locator("ins")).to_have_text("line three")
    found = open_server.post("/vault/audit/search", {"path": path, "operation": "fetch"}).json()
    assert 1 == len(found["records"])
    page.keyboard.press("Escape")
    expect(page.get_by_label("The text")).to_have_value("line one\nline three\n")
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_text("v2").first).to_be_visible()
    assert b"line one\nline three\n" == get(path)


def test_what_was_typed_is_replaced_only_by_who_says_so(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """To begin with the current value asks first, and reads nothing before."""
    path = put(f"{folder}/db", b"stored")
    page = pages.open(open_server, f"/console#/version/{path}")
    page.get_by_label("The text").fill("typed")

    page.get_by_role("button", name="Begin with version 1").click()
    dialog = page.get_by_role("dialog", name="Replace what you typed?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_label("The text")).to_have_value("typed")
    found = open_server.post("/vault/audit/search", {"path": path, "operation": "fetch"}).json()
    assert [] == found["records"]

    page.get_by_role("button", name="Begin with version 1").click()
    dialog.get_by_role("button", name="Begin with version 1").click()
    expect(page.get_by_label("The text")).to_have_value("stored")
    expect(dialog).to_have_count(0)


def test_labels_and_end_change_without_a_version(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """An empty text is not taken for a new value; "As it is" leaves the value alone."""
    path = put(f"{folder}/db", labels={"env": "prod"})
    page = pages.open(open_server, f"/console#/version/{path}")
    page.get_by_label("Ends").select_option("in 30 days")

    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_role("alert")).to_contain_text("The value is empty")
    page.get_by_label("As it is").check()
    page.get_by_role("button", name="Save version 2").click()

    expect(page.get_by_role("region", name="Details").get_by_text("in 30 days")).to_be_visible()
    described = open_server.post("/vault/secret/describe", {"path": path}).json()
    assert (1, {"env": "prod"}) == (described["version"], described["labels"])
    page.get_by_role("link", name="New version").click()
    page.get_by_label("As it is").check()
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is changed")
    page.get_by_label("Ends").select_option("never")
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_role("region", name="Details").get_by_text("never")).to_be_visible()


def test_an_older_version_becomes_a_new_one(
    open_server: Server, pages: Pages, put: Callable[..., str], get: Callable[[str], bytes], folder: str
) -> None:
    """Restoring keeps what is there: the old value is the next version."""
    path = put(f"{folder}/db", b"first")
    open_server.post("/vault/secret/update", {"path": path, "secret": "c2Vjb25k"})
    page = pages.open(open_server, f"/console#/secret/{path}")

    page.get_by_role("button", name="Restore v1").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()

    expect(page.get_by_role("region", name="Versions").get_by_text("v3")).to_be_visible()
    assert b"first" == get(path)


def test_what_no_search_finds_opens_by_its_path(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """The key "/" leads to the search from every page; a path that is typed there can be opened."""
    path = put(f"{folder}/db")
    page = pages.open(open_server, "/console#/tokens")
    expect(page.get_by_role("heading", name="Tokens", exact=True)).to_be_focused()

    page.keyboard.press("/")
    search = page.get_by_label("Find in paths and labels")
    expect(search).to_be_focused()
    search.fill(f"{folder}/nothing")
    page.get_by_role("link", name=f"Open {folder}/nothing as a path").click()

    expect(page.get_by_text("It does not exist, or your token may not see it.")).to_be_visible()
    page.go_back()
    page.get_by_label("Find in paths and labels").fill(path)
    expect(page.get_by_role("link", name=path)).to_be_visible()


def test_fields_are_compared_one_by_one(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """What changed, came and went, each side by side; what did not change is named without its value."""
    path = put(f"{folder}/smtp", b'{"host": "mail", "user": "app", "old": "x"}')
    body = {"path": path, "secret": b64encode(b'{"host": "mail", "user": "web", "new": "y"}').decode()}
    open_server.post("/vault/secret/update", body)
    page = pages.open(open_server, f"/console#/secret/{path}")
    expect(page.get_by_text("2 of 10 kept")).to_be_visible()
    page.get_by_role("button", name="Compare v1").click()
    page.get_by_role("dialog").get_by_role("button", name="Compare").click()

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem").filter(has_text="host")).to_contain_text("unchanged")
    expect(dialog.get_by_text("mail", exact=True)).to_be_hidden()
    expect(dialog.get_by_role("deletion")).to_have_text(["app", "x"])
    expect(dialog.get_by_role("insertion")).to_have_text(["web", "y"])
    boxes = [dialog.get_by_text(text, exact=True).bounding_box() for text in ("app", "web")]
    (old_x, old_y), (new_x, new_y) = [(box["x"], box["y"]) for box in boxes if box]
    assert old_x < new_x
    assert old_y == new_y
    dialog.get_by_text("As text").click()
    expect(dialog.get_by_role("deletion")).to_have_count(3)
    assert [] == flaws(page)
