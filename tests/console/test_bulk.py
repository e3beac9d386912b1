"""Several secrets at once: selecting them, deleting, labelling, and exporting their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.console.conftest import Pages, sign_in
from tests.gunicorn_server import Server


def _select_all(page: Page, count: int) -> None:
    page.get_by_label("Select all that are shown").check()
    expect(page.get_by_text(f"{count} selected")).to_be_visible()


def test_of_thirty_deletes_one_is_refused_and_told(
    guarded_server: Server, pages: Pages, token: Callable[..., str], admin: str, folder: str
) -> None:
    """One that is refused does not hide that the others were deleted, and can be tried again."""
    headers = {"Authorization": f"Bearer {admin}"}
    for number in range(29):
        body = {"path": f"{folder}/mine/{number:02}", "secret": "aGVsbG8="}
        assert 200 == guarded_server.post("/vault/secret/create/", body, headers=headers).status_code
    body = {"path": f"{folder}/theirs", "secret": "aGVsbG8="}
    assert 200 == guarded_server.post("/vault/secret/create/", body, headers=headers).status_code
    page = pages.open(guarded_server, f"/console#/secrets/{folder}/")
    sign_in(page, token(f"list:{folder}/*", f"delete:{folder}/mine/*"))
    page.get_by_label("Find in paths and labels").fill(folder)
    expect(page.get_by_role("link", name="mine/28")).to_be_visible()
    _select_all(page, 30)

    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete 30 secrets?")
    expect(dialog.get_by_text(f"{folder}/theirs")).to_be_visible()
    dialog.get_by_role("button", name="Delete 30").click()

    expect(dialog.get_by_text("29 deleted. 1 not:")).to_be_visible()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    expect(dialog.get_by_role("listitem")).to_contain_text(f"{folder}/theirs")
    expect(dialog.get_by_role("listitem")).to_contain_text("your token may not")
    dialog.get_by_role("button", name="Try this one again").click()
    expect(dialog.get_by_text("0 deleted. 1 not:")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("link", name="theirs")).to_be_visible()
    expect(page.get_by_role("link", name="mine")).to_have_count(0)
    expect(page.get_by_text("selected")).to_have_count(0)


def test_what_comes_after_a_lost_answer_is_not_tried(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """When the service is gone, the rest waits for whoever asked, who sees which ones those are."""
    for name in ("a", "b", "c"):
        put(f"{folder}/{name}")
    page = pages.open(open_server, f"/console#/secrets/{folder}/")
    _select_all(page, 3)
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete 3 secrets?")
    page.route("**/vault/secret/delete", lambda route: route.abort())

    dialog.get_by_role("button", name="Delete 3").click()

    expect(dialog.get_by_text("0 deleted. 3 not:")).to_be_visible()
    expect(dialog.get_by_text("Not tried.")).to_have_count(2)
    page.unroute("**/vault/secret/delete")
    dialog.get_by_role("button", name="Try these 3 again").click()
    expect(dialog.get_by_text("3 deleted.")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Deleted").click()
    _select_all(page, 3)
    page.get_by_role("button", name="Undelete", exact=True).click()
    page.get_by_role("button", name="Undelete 3").click()
    expect(page.get_by_text("3 undeleted.")).to_be_visible()


def test_a_label_joins_those_that_are_there(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str
) -> None:
    """All selected secrets get the label; other labels and the value stay, so there is no new version."""
    put(f"{folder}/a", labels={"owner": "ada", "env": "old"})
    put(f"{folder}/b")
    page = pages.open(open_server, f"/console#/secrets/{folder}/")
    page.get_by_label(f"Select {folder}/a").check()
    page.get_by_label(f"Select {folder}/b").check()

    page.get_by_role("button", name="Label", exact=True).click()
    dialog = page.get_by_role("dialog", name="Give 2 secrets a label")
    dialog.get_by_label("Name").fill("env")
    dialog.get_by_label("Value").fill("prod")
    dialog.get_by_role("button", name="Label 2").click()
    expect(dialog.get_by_text("2 labelled.")).to_be_visible()
    dialog.get_by_role("button", name="Close").click()

    expect(page.get_by_text("env: prod")).to_have_count(2)
    described = open_server.post("/vault/secret/describe", {"path": f"{folder}/a"}).json()
    assert ({"owner": "ada", "env": "prod"}, 1) == (described["labels"], described["version"])


def test_the_names_are_exported_without_a_read(
    open_server: Server, pages: Pages, put: Callable[..., str], folder: str, tmp_path: Path
) -> None:
    """The file has a path in each line; nothing is fetched for it."""
    for name in ("a", "b", "c"):
        put(f"{folder}/{name}")
    page = pages.open(open_server, f"/console#/secrets/{folder}/")
    page.get_by_label(f"Select {folder}/a").check()
    page.get_by_label(f"Select {folder}/c").check()

    with page.expect_download() as download:
        page.get_by_role("button", name="Export names").click()

    download.value.save_as(tmp_path / "names")
    assert f"{folder}/a\n{folder}/c\n" == (tmp_path / "names").read_text()
    assert not [url for url in pages.requests if "secret/fetch" in url]
    page.get_by_role("button", name="Select none").click()
    expect(page.get_by_role("button", name="Export names")).to_be_hidden()
