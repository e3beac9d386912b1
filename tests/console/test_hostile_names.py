"""Names that are markup, run backwards or never end: on every page they are text, and the layout holds."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.console.appearance import overlaps
from tests.console.conftest import Pages, go, loaded
from tests.gunicorn_server import Server

IMAGE = "<img src=x onerror=window.ran=1>"
# Each breaks out of another place: text, an attribute, a script, an address.
MARKUP = [
    IMAGE,
    '"><svg onload=window.ran=1>',
    "</script><script>window.ran=1</script>",
    "javascript:window.ran=1",
]
BACKWARDS = "\u202egnp.exe\u2066"
# As long as each may be.
LONG_PATH = "hostile/" + "W" * 504
LONG_LABEL, LONG_NAME = "W" * 512, "W" * 100
ADDRESSES = [
    "#/secrets/hostile/",
    "#/secrets/?soon",
    "#/secrets/?deleted",
    "#/secret/hostile/markup",
    f"#/secret/{LONG_PATH}",
    f"#/secrets/{LONG_PATH}/",
    f"#/new/{IMAGE}/",
    "#/version/hostile/markup",
    "#/shares",
    "#/share/hostile/markup",
    "#/tokens",
    "#/token",
    "#/audit",
    "#/status",
    # Whoever sends a link to the console chooses what is behind the fragment.
    f"#/secrets/{IMAGE}/{BACKWARDS}/",
    f"#/secret/{IMAGE}",
    f"#/secret/?{IMAGE}",
    f"#/version/{IMAGE}",
    f"#/share/{IMAGE}",
    f"#/audit/?path={IMAGE}&operation={IMAGE}&{IMAGE}=1",
    f"#/{IMAGE}",
    f"#/secrets/?{IMAGE}",
    "#/constructor/__proto__",
    "#/secrets/?constructor",
    "#/secrets/%E0%A4%A",
]


@pytest.fixture(scope="module")
def hostile_server(open_server: Server) -> Server:
    """The open server with hostile names wherever there may be names."""

    def post(operation: str, **body: Any) -> dict[str, Any]:
        answer = open_server.post(f"/vault/{operation}", body)
        assert 200 == answer.status_code, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def value(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    labels = {IMAGE: BACKWARDS, BACKWARDS: IMAGE, "W" * 128: LONG_LABEL, **{one: one for one in MARKUP}}
    markup = "\n".join(MARKUP)
    post("secret/create/", path="hostile/markup", secret=value(markup), labels=labels, expires_in=86_400)
    post("secret/update", path="hostile/markup", secret=value(markup + BACKWARDS))
    fields = json.dumps({IMAGE: IMAGE, BACKWARDS: LONG_LABEL})
    post("secret/create/", path="hostile/json", secret=value(fields))
    post("secret/create/", path=LONG_PATH, secret=value(LONG_LABEL * 4), labels=labels)
    post("secret/create/", path="hostile/deleted", secret=value(IMAGE), labels=labels)
    post("secret/delete", path="hostile/deleted")
    for name in (*MARKUP, LONG_NAME):
        post("token/create", name=name, scopes=["fetch:hostile/*", "list:*"], networks=["127.0.0.0/8"])
        post("share/create", **{"for": name, "path": "hostile/markup"})
    return open_server


@pytest.fixture(params=["policy", "no policy"])
def profile(pages: Pages, hostile_server: Server, request: pytest.FixtureRequest) -> BrowserContext:
    """A profile; without the policy, only the pages' own code stands between names and markup."""
    profile = pages.profile(hostile_server, viewport={"width": 320, "height": 800})
    if request.param == "no policy":
        profile.route(re.compile(r"/(console|share)$"), _without_policy)
    return profile


def _without_policy(route: Route) -> None:
    answer = route.fetch()
    headers = {name: value for name, value in answer.headers.items() if name != "content-security-policy"}
    route.fulfill(response=answer, headers=headers)


def assert_nothing_ran(pages: Pages, page: Page) -> None:
    """Assert that names made no node, started no script, and asked for nothing."""
    assert not page.evaluate("'ran' in window")
    made = "img, iframe, object, script:not([src]), [onerror], [onload], [style*=url]"
    assert 0 == page.locator(made).count()
    assert 0 == page.locator("a[href]:not([href^='#'])").count()
    assert [] == [url for url in pages.requests if url.endswith("/x")]


def test_stay_text_on_every_page(pages: Pages, hostile_server: Server, profile: BrowserContext) -> None:
    """Nothing runs, nothing is loaded, and nothing is wider than the window or lies over a neighbour."""
    page = pages.open(hostile_server, "/console", profile)
    loaded(page)
    for address in ADDRESSES:
        go(page, address)
        assert_nothing_ran(pages, page)
        for width in (320, 390, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert width == page.evaluate("document.documentElement.scrollWidth"), address
            assert [] == overlaps(page), address


def test_stay_text_in_dialogs_values_and_forms(
    pages: Pages, hostile_server: Server, profile: BrowserContext, tmp_path: Path
) -> None:
    """Wherever a click puts them: a value, its fields, differences, questions, messages, files."""
    page = pages.open(hostile_server, "/console#/secret/hostile/json", profile)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text(IMAGE).first).to_be_visible()
    assert_nothing_ran(pages, page)
    page.goto(f"{hostile_server.url}/console#/version/hostile/json")
    page.get_by_role("button", name="Begin with version 1").click()
    page.get_by_label(IMAGE, exact=True).fill(f"{IMAGE} {BACKWARDS}")
    page.get_by_role("button", name="Show the difference").click()
    expect(page.get_by_role("dialog").get_by_role("insertion")).to_contain_text(IMAGE)
    assert_nothing_ran(pages, page)
    page.get_by_role("button", name="Close").click()

    page.goto(f"{hostile_server.url}/console#/secret/hostile/markup")
    page.get_by_role("button", name="Compare v1").click()
    page.get_by_role("dialog").get_by_role("button", name="Compare").click()
    expect(page.get_by_role("dialog")).to_contain_text(IMAGE)
    assert_nothing_ran(pages, page)
    page.get_by_role("button", name="Close").click()

    page.goto(f"{hostile_server.url}/console#/tokens")
    page.get_by_role("button", name=f"Revoke {IMAGE}").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(IMAGE)
    assert_nothing_ran(pages, page)
    page.get_by_role("button", name="Cancel").click()

    # The service's own message names the field that it refuses.
    page.goto(f"{hostile_server.url}/console#/new/hostile/")
    page.get_by_label("Path").fill(IMAGE)
    page.get_by_label("File", exact=True).check()
    file = tmp_path / f"{IMAGE}{BACKWARDS}.{'W' * 150}"
    file.write_bytes(b"x")
    page.get_by_label("The file").set_input_files(file)
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_role("alert")).to_contain_text("Not accepted")
    assert_nothing_ran(pages, page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_stay_text_on_the_page_of_a_shared_link(
    pages: Pages, hostile_server: Server, profile: BrowserContext
) -> None:
    """The value is whatever the sender wanted it to be."""
    value = base64.b64encode("\n".join([*MARKUP, BACKWARDS, LONG_LABEL * 2]).encode()).decode()
    made = hostile_server.post("/vault/share/create", {"secret": value, "for": IMAGE}).json()
    page = pages.open(hostile_server, f"/share#{made['link']}", profile)
    page.get_by_role("button", name="Show the secret").click()
    expect(page.get_by_text(IMAGE)).to_be_visible()

    assert_nothing_ran(pages, page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_only_the_policy_stands_between_a_script_and_markup(
    pages: Pages, hostile_server: Server, profile: BrowserContext, request: pytest.FixtureRequest
) -> None:
    """It is on in half of these tests and off in the others, or they would show nothing."""
    page = pages.open(hostile_server, "/console", profile)
    allowed = page.evaluate(
        """() => {
          try { document.createElement('p').innerHTML = '<b></b>'; return true; } catch { return false; }
        }"""
    )

    assert allowed == ("no policy" in request.node.name)
    pages.messages.clear()
