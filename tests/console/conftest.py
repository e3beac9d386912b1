"""A real Chromium, and pages in it that let nothing pass unnoticed."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pymongo import MongoClient

from service.dev.mongod import EmbeddedMongo
from tests import databases
from tests.conftest import variables
from tests.console.chromium import CHROMIUM, NO_CHROMIUM, launch
from tests.gunicorn_server import ROOT, Server

# The pages work where nothing else can be reached.
NO_ROUTE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# What was revoked is refused at once; that several workers learn of it is tested elsewhere.
ONE_WORKER = {"WORKERS": "1"}
GUARDED = {"AUTH_REQUIRED": "true", "AUTH_FAILURES_PER_MINUTE": "1000"}
# A machine that is busy with other tests loads twenty modules slowly.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, for all tests of a file: while it is driven, nothing else can use asyncio."""
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with sync_playwright() as playwright:
        browser = launch(playwright, NO_ROUTE)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def environment(mongo: EmbeddedMongo, mongo_client: MongoClient) -> dict[str, str]:
    """Return what servers of a file have in common: a database that is emptied before any of them starts."""
    databases.empty(mongo_client, indexed=False)
    return variables(mongo) | ONE_WORKER


@pytest.fixture(scope="module")
def open_server(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without authentication, for all tests of a file."""
    yield from _serve(environment, tmp_path_factory.mktemp("open") / "log")


@pytest.fixture(scope="module")
def guarded_server(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that demands tokens, for all tests of a file."""
    yield from _serve(environment | GUARDED, tmp_path_factory.mktemp("guarded") / "log")


@pytest.fixture(scope="module")
def admin(guarded_server: Server, mongo: EmbeddedMongo) -> str:
    """A token of an administrator, made by the operator."""
    finished = subprocess.run(
        [sys.executable, "-m", "service", "token", "create", "--name", "ada", "--scope", "admin"],
        env={**os.environ, **variables(mongo)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip()


@pytest.fixture
def token(guarded_server: Server, admin: str) -> Callable[..., str]:
    """Return a function that makes a token with these scopes."""

    def token(*scopes: str, name: str = "grace", **options: Any) -> str:
        body = {"name": name, "scopes": scopes, **options}
        made = guarded_server.post("/vault/token/create", body, headers={"Authorization": f"Bearer {admin}"})
        assert 200 == made.status_code, made.text
        text: str = made.json()["token"]
        return text

    return token


def sign_in(page: Page, token: str) -> None:
    """Sign in on a page that asks for it."""
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()


def everything(page: Page) -> str:
    """Return whatever the page keeps: its nodes and fields, storage, history state, address, cookies."""
    kept = page.evaluate(
        "JSON.stringify([document.documentElement.outerHTML,"
        " [...document.querySelectorAll('input, textarea')].map((field) => field.value),"
        " {...sessionStorage}, {...localStorage}, history.state, location.href, document.cookie])"
    )
    return f"{kept} {page.context.cookies()}"


def _serve(environment: dict[str, str], log: Path) -> Iterator[Server]:
    server = Server(environment, log)
    try:
        server.wait_until()
        yield server
    finally:
        server.stop()


@pytest.fixture
def folder() -> str:
    """A folder that no other test uses."""
    return f"team-{uuid4().hex[:8]}"


class HasUrl(Protocol):
    """A server, or what stands before it."""

    url: str


class Pages:
    """Opens pages, and remembers what none of them may do."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.messages: list[str] = []
        self.foreign: list[str] = []
        self.requests: list[str] = []

    def open(self, server: HasUrl, path: str, context: BrowserContext | None = None, **options: Any) -> Page:
        """Return a page at this address, in a profile of its own unless one is given."""
        context = context or self.profile(server, **options)
        page = context.new_page()
        page.on("console", lambda message: self._judge(message.type, message.text))
        page.on("pageerror", lambda error: self._judge("error", str(error)))
        page.on("request", lambda request: self._note(server, request.url))
        page.goto(server.url + path)
        return page

    def profile(self, server: HasUrl, **options: Any) -> BrowserContext:
        """Return an empty profile in which pages may use the clipboard."""
        context = self._browser.new_context(**options)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        return context

    def close(self) -> None:
        """Close all profiles."""
        for context in self._contexts:
            context.close()

    def _judge(self, kind: str, text: str) -> None:
        # Chromium reports each status above 399, also those that a test wants.
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.messages.append(text)

    def _note(self, server: HasUrl, url: str) -> None:
        self.requests.append(url)
        if not url.startswith((server.url, "blob:")):
            self.foreign.append(url)


def go(page: Page, address: str) -> None:
    """Go to another address within the console, and wait until all that it shows has loaded."""
    page.evaluate(
        """(address) => new Promise((done) => {
          if (location.hash === address) return done();
          window.addEventListener('hashchange', done, {once: true});
          location.hash = address;
        })""",
        address,
    )
    loaded(page)


def loaded(page: Page) -> None:
    """Wait until a page shows all that it has to show."""
    expect(page.get_by_role("heading", level=1).first).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


@pytest.fixture
def pages(chromium: Browser) -> Iterator[Pages]:
    """Opens pages; no script may fail, no policy be broken, and no other origin be asked."""
    pages = Pages(chromium)
    yield pages
    pages.close()
    assert [] == pages.messages
    assert [] == pages.foreign


@pytest.fixture
def put(open_server: Server) -> Callable[..., str]:
    """Return a function that stores a value at a path, and returns the path."""

    def put(path: str, value: bytes = b"hello", **options: Any) -> str:
        body = {"path": path, "secret": base64.b64encode(value).decode(), **options}
        assert 200 == open_server.post("/vault/secret/create/", body).status_code
        return path

    return put


@pytest.fixture
def get(open_server: Server) -> Callable[[str], bytes]:
    """Return a function that fetches a value."""

    def get(path: str) -> bytes:
        response = open_server.post("/vault/secret/fetch", {"path": path})
        return base64.b64decode(response.json()["secret"])

    return get
