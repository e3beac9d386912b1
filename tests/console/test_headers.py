"""What browsers get on a tour of all pages: their headers, and nothing from anywhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Response, expect

from service.api.console import assets
from tests.api.console.test_pages import HEADERS, IMMUTABLE, NO_STORE
from tests.console.conftest import Pages, go, loaded, sign_in
from tests.console.test_share import share, show
from tests.gunicorn_server import LAST, Server

TOUR = (
    *("secrets", "secrets/?deleted", "secret/no/such", "version/no/such", "new/", "shares", "share"),
    *("tokens", "token", "audit", "status"),
)
EXPECTED = {name.lower(): value for name, value in HEADERS.items()}
FORBIDDEN = {"set-cookie", "access-control-allow-origin", "service-worker-allowed"}
ASSETS = f"/console/assets/{assets.digest()}"


def test_all_that_a_tour_gets_has_its_headers(pages: Pages, guarded_server: Server, admin: str) -> None:
    """Pages are kept nowhere, assets for good; nothing sets a cookie, and nothing comes from elsewhere."""
    context = pages.profile(guarded_server)
    responses: list[Response] = []
    context.on("response", lambda response: responses.append(response))
    page = pages.open(guarded_server, "/console", context)
    sign_in(page, admin)
    loaded(page)
    for address in TOUR:
        go(page, f"#/{address}")
    shared = pages.open(guarded_server, f"/share#{share(guarded_server, admin)['link']}", context)
    show(shared)
    expect(shared.get_by_text("battery staple")).to_be_visible()

    paths = set()
    for response in responses:
        path, headers = urlsplit(response.url).path, response.all_headers()
        paths.add(path)
        assert not FORBIDDEN & headers.keys(), path
        assert headers["cache-control"] == (IMMUTABLE if path.startswith(ASSETS) else NO_STORE), path
        if path.startswith(("/console", "/share")):
            assert EXPECTED == {name: headers.get(name) for name in EXPECTED}, path
    loaded_assets = {name for name in assets.all_assets() if f"{ASSETS}/{name}" in paths}
    # A browser without a window asks for no icon.
    assert assets.all_assets().keys() - {"icon.svg"} <= loaded_assets
    assert [] == context.cookies()
    assert [] == page.evaluate(
        """Promise.all([indexedDB.databases(), caches.keys(), navigator.serviceWorker.getRegistrations()])
          .then((kept) => [...kept.flat(), ...Object.keys(localStorage)])"""
    )
    assert [] == pages.foreign


@pytest.mark.parametrize(
    "path",
    [
        "/console",
        "/console/",
        "/console/nothing",
        "/console/%00",
        "/console/%E0%A4%A",
        "/console/assets/",
        "/console/assets/0000000000000000/console.js",
        f"{ASSETS}/console.js",
        f"{ASSETS}/console.html",
        f"{ASSETS}/..%2fpages.py",
        "/share",
        "/share/",
        "/share/sml_0f3a5b7c9d1e2f40",
        f"/share?{'x' * 2000}",
    ],
)
def test_no_answer_lacks_them(guarded_server: Server, path: str) -> None:
    """Whatever is asked for, and however."""
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
        response = requests.request(method, guarded_server.url + path, headers=LAST, timeout=10)

        assert response.status_code in {200, 404, 405}, method
        assert EXPECTED == {name: response.headers.get(name) for name in EXPECTED}, method
        assert not FORBIDDEN & {name.lower() for name in response.headers}, method
