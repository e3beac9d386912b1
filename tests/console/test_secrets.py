"""The pages Secrets, Secret and New: what people see, what reaches the service, and what stays hidden."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Pages
from tests.gunicorn_server import Server

VALUE = "correct horse battery staple"


def secret_page(pages: Pages, server: Server, path: str) -> Page:
    """Return the page of a secret, loaded."""
    page = pages.open(server, f"/console#/secret/{path}")
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    return page


def reads(server: Server, path: str) -> int:
    """Return how many records of reads of this path there are."""
    found = server.post("/vault/audit/search", {"path": path, "operation": "fetch"})
    return len(found.json()["records"])


def value_card(page: Page) -> str:
    """Return the text of the card with the value, as people and as screen readers have it."""
    card = page.get_by_role("region", name="Value", exact=True)
    return f"{card.inner_text()} {card.aria_snapshot()}"


def test_browses_by_folder_and_goes_back(
    pages: Pages, open_server: Server, put: Callable[..., str], folder: str
) -> None:
    """Folders are links, each has its own address and title, and the browser's buttons work."""
    put(f"{folder}/app/db-password", labels={"env": "prod"})
    put(f"{folder}/top")
    page = pages.open(open_server, f"/console#/secrets/{folder}/")

    page.get_by_role("link", name="app/").click()
    expect(page.get_by_role("heading", name="app", exact=True)).to_be_focused()
    page.get_by_role("link", name="db-password").click()
    expect(page).to_have_title(re.compile("^db-password"))
    page.go_back()
    expect(page.get_by_role("row", name=re.compile("db-password.*env: prod.*v1"))).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name="top")).to_be_visible()
    page.go_forward()
    page.reload()
    expect(page.get_by_role("link", name="db-password")).to_be_visible()


def test_a_value_is_hidden_until_it_is_shown_and_again_after_30_seconds(
    pages: Pages, open_server: Server, put: Callable[..., str], folder: str
) -> None:
    """Before and after, it is neither in the page nor in what screen readers have; one show, one record."""
    path = put(f"{folder}/db-password", VALUE.encode())
    page = pages.open(open_server, "/console")
    page.clock.install()
    page.goto(f"{open_server.url}/console#/secret/{path}")
    card = page.get_by_role("region", name="Value", exact=True)

    expect(card.get_by_role("button", name="Show")).to_be_visible()
    assert VALUE not in page.content()
    assert "hidden" in value_card(page)
    card.get_by_role("button", name="Show").click()
    expect(card).to_contain_text(VALUE)
    assert 1 == reads(open_server, path)
    page.clock.run_for(29_000)
    assert VALUE in value_card(page)
    page.clock.run_for(2_000)
    expect(card.get_by_role("button", name="Show")).to_be_visible()
    assert VALUE not in page.content() + value_card(page)
    assert 1 == reads(open_server, path)


def test_leaving_the_page_hides_a_value(
    pages: Pages, open_server: Server, put: Callable[..., str], folder: str
) -> None:
    """So that the back/forward cache has none."""
    path = put(f"{folder}/db-password", VALUE.encode())
    page = secret_page(pages, open_server, path)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text(VALUE)).to_be_visible()

    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")

    assert VALUE not in page.content()


@pytest.mark.parametrize("value", [VALUE, "line\r\nline\n", " näïve 🔑 \t"])
def test_copies_to_the_byte_without_showing(
    pages: Pages, open_server: Server, put: Callable[..., str], folder: str, value: str
) -> None:
    """From the list; what the clipboard has is the value, and after 45 seconds nothing."""
    put(f"{folder}/db-password", value.encode())
    page = pages.open(open_server, "/console")
    # The console itself may not read the clipboard.
    elsewhere = pages.open(open_server, "/healthz", page.context)
    page.clock.install()
    page.goto(f"{open_server.url}/console#/secrets/{folder}/")
    page.bring_to_front()

    page.get_by_role("button", name="Copy db-password").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
    assert value == elsewhere.evaluate("navigator.clipboard.readText()")
    assert value not in page.content()
    page.clock.run_for(46_000)
    expect(page.get_by_text("The clipboard was cleared.")).to_be_visible()
    assert "" == elsewhere.evaluate("navigator.clipboard.readText()")


def test_a_limited_read_is_asked_about(
    pages: Pages, open_server: Server, put: Callable[..., str], folder: str
) -> None:
    """Opening the page takes none, nor does a look at the question."""
    path = put(f"{folder}/once", VALUE.encode(), max_reads=1)
    page = secret_page(pages, open_server, path)
    card = page.get_by_role("region", name="Value", exact=True)

    card.get_by_role("button", name="Show").click()
    expect(page.get_by_role("dialog")).to_contain_text("1 of 1 read")
    page.keyboard.press("Escape")
    assert 0 == reads(open_server, path)
    card.get_by_role("button", name="Show").click()
    page.get_by_role("dialog").get_by_role("button", name="Show").click()
    expect(card).to_contain_text(VALUE)
    card.get_by_role("button", name="Hide").click()
    expect(page.get_by_text("No longer there")).to_be_visible()
    expect(page.get_by_text("it was already read at")).to_be_visible()


def test_stores_text_to_the_byte(
    pages: Pages, open_server: Server, get: Callable[[str], bytes], folder: str
) -> None:
    """No last newline is added, and lines end as the form says."""
    short = "first\nsecond ünï 🔑\n\nlast"
    for name, crlf, text in (
        ("unix", False, short),
        ("windows", True, short),
        ("long", False, "x" * 65_531 + "\n" + "🔑"),
    ):
        page = pages.open(open_server, f"/console#/new/{folder}/")
        page.get_by_label("Path").fill(f"{folder}/{name}")
        page.get_by_label("The text").fill(text)
        page.get_by_label("Lines end as in Windows").set_checked(crlf)
        page.get_by_role("button", name="Save secret").click()
        expect(page.get_by_role("heading", name=name)).to_be_visible()

        assert (text.replace("\n", "\r\n") if crlf else text).encode() == get(f"{folder}/{name}")


def test_stores_a_file_and_gives_it_back(
    pages: Pages, open_server: Server, get: Callable[[str], bytes], folder: str, tmp_path: Path
) -> None:
    """Every byte there is; it is never shown as text."""
    content = bytes(range(256))
    file = tmp_path / "<img src=x onerror=alert(1)>.bin"
    file.write_bytes(content)
    page = pages.open(open_server, f"/console#/new/{folder}/")
    page.get_by_label("Path").fill(f"{folder}/file")
    page.get_by_label("File", exact=True).check()
    page.get_by_label("The file").set_input_files(file)
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    assert content == get(f"{folder}/file")

    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("256 bytes that are not text")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save", exact=True).click()
    assert content == download.value.path().read_bytes()


def test_generates_a_value_that_nobody_sees(
    pages: Pages, open_server: Server, get: Callable[[str], bytes], folder: str
) -> None:
    """The service makes it up."""
    page = pages.open(open_server, f"/console#/new/{folder}/")
    page.get_by_label("Path").fill(f"{folder}/key")
    page.get_by_label("Generate").check()
    page.get_by_label("Characters").fill("48")
    page.get_by_label("Of", exact=True).select_option("hex")
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()

    value = get(f"{folder}/key").decode()
    assert re.fullmatch("[0-9a-f]{48}", value)
    assert value not in page.content()


def test_a_field_of_json_changes_alone(
    pages: Pages, open_server: Server, put: Callable[..., str], get: Callable[[str], bytes], folder: str
) -> None:
    """Its spaces, order and escapes stay; saved unchanged, there is no new version."""
    text = '{"host" : "db",\n  "password":"p\\u0040ss",  "user": "app"}'
    path = put(f"{folder}/smtp", text.encode())
    page = pages.open(open_server, f"/console#/version/{path}")
    page.get_by_role("button", name="Begin with version 1").click()

    expect(page.get_by_label("password", exact=True)).to_have_value("p@ss")
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_text("Nothing is changed")).to_be_visible()
    page.get_by_label("user", exact=True).fill('new "name"')
    page.get_by_role("button", name="Show the difference").click()
    expect(page.get_by_role("dialog").get_by_role("insertion")).to_contain_text("new")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()

    assert text.replace('"app"', json.dumps('new "name"')).encode() == get(path)


def test_the_second_of_two_tabs_loses_nothing(
    pages: Pages, open_server: Server, put: Callable[..., str], get: Callable[[str], bytes], folder: str
) -> None:
    """It is told, sees both, and decides."""
    path = put(f"{folder}/shared")
    first, second = (pages.open(open_server, f"/console#/version/{path}") for _ in range(2))
    for page, text in ((first, "theirs"), (second, "mine")):
        page.get_by_label("The text").fill(text)
        page.get_by_role("button", name="Save version 2").click()
    expect(first.get_by_role("heading", name="Versions")).to_be_visible()

    expect(second.get_by_text("Somebody else saved first")).to_be_visible()
    expect(second.get_by_label("The text")).to_have_value("mine")
    assert b"theirs" == get(path)
    second.get_by_role("button", name="Compare with version 2").click()
    expect(second.get_by_role("dialog")).to_contain_text("theirs")
    expect(second.get_by_role("dialog")).to_contain_text("mine")
    second.get_by_role("button", name="Close").click()
    second.get_by_role("button", name="Save after version 2").click()
    expect(second.get_by_role("heading", name="Versions")).to_be_visible()
    assert b"mine" == get(path)


def test_deletes_undeletes_and_destroys_what_was_typed(
    pages: Pages, open_server: Server, put: Callable[..., str], folder: str
) -> None:
    """Each question names the path, and destroying takes typing it."""
    path = put(f"{folder}/old")
    page = secret_page(pages, open_server, path)

    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text(path)
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The secret is deleted.")).to_be_visible()
    page.get_by_role("button", name="Undelete").click()
    page.get_by_role("dialog").get_by_role("button", name="Undelete").click()
    expect(page.get_by_role("button", name="Show")).to_be_visible()

    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Destroy", exact=True).click()
    destroy = page.get_by_role("dialog").get_by_role("button", name="Destroy")
    expect(destroy).to_be_disabled()
    page.get_by_role("dialog").get_by_role("textbox").fill(path[:-1])
    expect(destroy).to_be_disabled()
    page.get_by_role("dialog").get_by_role("textbox").fill(path)
    destroy.click()
    expect(page).to_have_url(re.compile(f"#/secrets/{folder}/$"))
    assert 404 == open_server.post("/vault/secret/fetch", {"path": path}).status_code


def test_restores_and_compares_versions(
    pages: Pages, open_server: Server, put: Callable[..., str], get: Callable[[str], bytes], folder: str
) -> None:
    """Old on one side, new on the other; restoring makes a version and loses none."""
    path = put(f"{folder}/config", b"same\nold line\n")
    body = {"path": path, "secret": "c2FtZQpuZXcgbGluZQo="}
    open_server.post("/vault/secret/update", body)
    page = secret_page(pages, open_server, path)

    page.get_by_role("button", name="Compare v1").click()
    assert 0 == reads(open_server, path)
    page.get_by_role("dialog").get_by_role("button", name="Compare").click()
    expect(page.get_by_role("dialog").get_by_role("deletion")).to_have_text("old line")
    expect(page.get_by_role("dialog").get_by_role("insertion")).to_have_text("new line")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Restore v1").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(page.get_by_role("button", name="Compare v2")).to_be_visible()
    assert b"same\nold line\n" == get(path)


def test_hostile_labels_stay_text(
    pages: Pages, open_server: Server, put: Callable[..., str], folder: str
) -> None:
    """Nothing runs, nothing is loaded, and the page is as wide as the window."""
    markup, long = "<img src=x onerror=alert(1)>", "W" * 200
    put(f"{folder}/hostile", labels={markup: "\u202egnp.exe", long[:60]: long})
    page = pages.open(open_server, f"/console#/secrets/{folder}/", viewport={"width": 1280, "height": 800})

    expect(page.get_by_text(markup)).to_be_visible()
    assert 0 == page.locator("main img").count()
    assert 1280 == page.evaluate("document.documentElement.scrollWidth")


def test_finds_by_words_in_paths_and_labels(
    pages: Pages, open_server: Server, put: Callable[..., str], folder: str
) -> None:
    """Below the folder, in whatever case; `/` leads to the field."""
    put(f"{folder}/app/db-password", labels={"env": "Prod"})
    put(f"{folder}/app/other", labels={"env": "dev"})
    put(f"{folder}/db-of-dev", labels={"env": "dev"}, expires_in=86_400)
    page = pages.open(open_server, f"/console#/secrets/{folder}/")
    expect(page.get_by_role("link", name="app/")).to_be_visible()

    page.keyboard.press("?")
    page.get_by_label("Use / and ?").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Use / and ?").check()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("DB prod")
    expect(page.get_by_role("link", name="app/db-password")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Ends within 30 days").click()
    expect(page.get_by_role("link", name="db-of-dev")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
