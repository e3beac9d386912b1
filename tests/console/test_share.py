"""``/share`` and the page Shares: one real click shows a secret once, and nothing else uses it up."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.console.conftest import Pages, sign_in
from tests.gunicorn_server import Server

VALUE = "correct horse\r\nbattery staple"


def share(server: Server, admin: str, value: bytes = VALUE.encode(), **options: Any) -> dict[str, Any]:
    """Share a value, and return the answer."""
    body = {"secret": base64.b64encode(value).decode(), "for": "Grace", **options}
    made = server.post("/vault/share/create", body, headers={"Authorization": f"Bearer {admin}"})
    assert 200 == made.status_code, made.text
    answer: dict[str, Any] = made.json()
    return answer


def state(server: Server, admin: str, made: dict[str, Any]) -> str:
    """Return what has become of a share, as its sender sees it."""
    found = server.post("/vault/share/list", {}, headers={"Authorization": f"Bearer {admin}"}).json()[
        "shares"
    ]
    (one,) = [each for each in found if each["share_id"] == made["share_id"]]
    return str(one["state"])


def show(page: Page) -> None:
    """Press the button."""
    page.get_by_role("button", name="Show the secret").click()


def test_from_the_secret_to_the_recipient_and_back(pages: Pages, guarded_server: Server, admin: str) -> None:
    """The recipient gets the value, once; the sender sees when and from where; the link is shown once."""
    headers = {"Authorization": f"Bearer {admin}"}
    body = {"path": "hand/over", "secret": base64.b64encode(VALUE.encode()).decode()}
    guarded_server.post("/vault/secret/create/", body, headers=headers)
    sender = pages.open(guarded_server, "/console#/secret/hand/over")
    sign_in(sender, admin)
    sender.get_by_role("link", name="Share once").click()
    sender.get_by_label("For whom").fill("Grace <i>Hopper</i>")
    sender.get_by_role("button", name="Make the link").click()
    link = sender.get_by_text(re.compile(r"/share#sml_")).inner_text()

    recipient = pages.open(guarded_server, link.removeprefix(guarded_server.url))
    expect(recipient.get_by_role("button", name="Show the secret")).to_be_visible()
    sender.get_by_role("link", name="See whether it was opened").click()
    row = sender.get_by_role("listitem").filter(has_text="Grace <i>Hopper</i>").first
    expect(row).to_contain_text(re.compile(r"Last looked at .* from 127\.0\.0\.1"))
    assert "#sml_" not in sender.content()
    show(recipient)
    expect(recipient.get_by_text("battery staple")).to_be_visible()
    assert "/share" == recipient.evaluate("location.pathname + location.hash")
    sender.reload()
    expect(row).to_contain_text(re.compile(r"Opened .* from 127\.0\.0\.1"))

    second = pages.open(guarded_server, link.removeprefix(guarded_server.url))
    expect(second.get_by_role("heading", name="already opened")).to_be_visible()
    expect(second.get_by_text("from 127.0.0.1")).to_be_visible()
    assert [] == [url for url in pages.requests if "sml_" in url.partition("#")[0]]
    assert "sml_" not in guarded_server.log.read_text()


def test_nothing_but_a_real_click_uses_it_up(pages: Pages, guarded_server: Server, admin: str) -> None:
    """Not previews, nor loading, reloading, a scripted click, or a page without scripts."""
    made = share(guarded_server, admin)
    address = f"/share#{made['link']}"
    assert 200 == requests.head(guarded_server.url + "/share", timeout=10).status_code
    still = pages.open(guarded_server, address, java_script_enabled=False)
    expect(still.get_by_text("The secret has not been used up.")).to_be_visible()
    page = pages.open(guarded_server, address)
    page.reload()
    button = page.get_by_role("button", name="Show the secret")
    expect(button).to_be_visible()

    button.evaluate(
        "(node) => { node.click(); node.dispatchEvent(new MouseEvent('click', {bubbles: true})); }"
    )
    page.evaluate("window.dispatchEvent(new Event('focus')); window.dispatchEvent(new Event('pageshow'))")
    page.wait_for_timeout(500)
    assert "waiting" == state(guarded_server, admin, made)
    expect(button).to_be_visible()
    show(page)
    expect(page.get_by_text("battery staple")).to_be_visible()
    assert "opened" == state(guarded_server, admin, made)


def test_copies_and_saves_what_was_shared_and_hides_it(
    pages: Pages, guarded_server: Server, admin: str
) -> None:
    """To the byte; after five minutes or when the page is left, nothing of it is there."""
    made = share(guarded_server, admin)
    page = pages.open(guarded_server, "/share")
    elsewhere = pages.open(guarded_server, "/healthz", page.context)
    page.bring_to_front()
    page.clock.install()
    page.goto(f"{guarded_server.url}/share#{made['link']}")
    page.reload()
    show(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert VALUE == elsewhere.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save").click()
    assert VALUE.encode() == download.value.path().read_bytes()
    assert "secret" == download.value.suggested_filename
    page.clock.run_for(301_000)
    expect(page.get_by_text("Hidden. The link does not work again")).to_be_visible()
    assert "battery" not in page.content()


def test_a_passphrase_comes_by_another_way(pages: Pages, guarded_server: Server, admin: str) -> None:
    """A wrong one is said and can be mended; the right one opens."""
    made = share(guarded_server, admin, passphrase="open sesame")
    page = pages.open(guarded_server, f"/share#{made['link']}")
    page.get_by_label("Passphrase").fill("wrong one")
    show(page)
    expect(page.get_by_role("alert")).to_contain_text("4 more can be tried")
    page.get_by_label("Passphrase").fill("open sesame")
    show(page)
    expect(page.get_by_text("battery staple")).to_be_visible()


@pytest.mark.parametrize("link", ["", "sml_0123", "smt_0f3a5b7c9d1e2f40_00"])
def test_an_incomplete_link_is_told_without_a_call(pages: Pages, guarded_server: Server, link: str) -> None:
    """By its form."""
    page = pages.open(guarded_server, f"/share#{link}")

    expect(page.get_by_role("heading", name="The link is incomplete")).to_be_visible()
    assert [] == [url for url in pages.requests if "/vault/" in url]


def test_taken_back_is_over(pages: Pages, guarded_server: Server, admin: str) -> None:
    """For the recipient as if its time were over, also on a page that was waiting for a click."""
    made = share(guarded_server, admin, **{"for": "Taken Back"})
    waiting = pages.open(guarded_server, f"/share#{made['link']}")
    expect(waiting.get_by_role("button", name="Show the secret")).to_be_visible()
    sender = pages.open(guarded_server, "/console#/shares")
    sign_in(sender, admin)
    sender.get_by_role("button", name="Take back Taken Back").click()
    sender.get_by_role("dialog").get_by_role("button", name="Take back").click()
    expect(sender.get_by_role("listitem").filter(has_text="Taken Back").first).to_contain_text("taken back")

    page = pages.open(guarded_server, f"/share#{made['link']}")
    expect(page.get_by_role("heading", name="This link has ended")).to_be_visible()
    show(waiting)
    expect(waiting.get_by_role("heading", name="This link has ended")).to_be_visible()
    assert VALUE not in waiting.content()
