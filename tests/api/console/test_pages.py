"""api.console: the pages, their headers to the letter, and assets that never mix two releases."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from service.api.console import assets

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri"
    " 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"
    " 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Origin-Agent-Cluster": "?1",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "clipboard-write=(self), clipboard-read=(), camera=(), microphone=(),"
    " geolocation=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
ASSET = f"/console/assets/{assets.digest()}/console.css"
NO_STORE = "no-store"
IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("method", "path", "status", "cache"),
    [
        ("GET", "/console", 200, NO_STORE),
        ("GET", "/console/", 200, NO_STORE),
        ("HEAD", "/console", 200, NO_STORE),
        ("GET", "/share", 200, NO_STORE),
        ("HEAD", "/share", 200, NO_STORE),
        ("GET", ASSET, 200, IMMUTABLE),
        ("GET", "/console/assets/0000000000000000/console.css", 404, NO_STORE),
        ("GET", ASSET + ".map", 404, NO_STORE),
        ("GET", "/console/nothing", 404, NO_STORE),
        ("GET", "/share/nothing", 404, NO_STORE),
        ("POST", "/console", 405, NO_STORE),
        ("POST", "/share", 405, NO_STORE),
        ("PUT", ASSET, 405, NO_STORE),
    ],
)
def test_has_its_headers_to_the_letter(
    client: FlaskClient, method: str, path: str, status: int, cache: str
) -> None:
    """Pages, assets and errors alike; and no cookie, and nothing for other origins."""
    response = client.open(path, method=method)

    assert status == response.status_code
    assert HEADERS == {name: response.headers[name] for name in HEADERS}
    assert [cache] == response.headers.getlist("Cache-Control")
    assert not {"Set-Cookie", "Access-Control-Allow-Origin", "Service-Worker-Allowed"} & {
        *response.headers.keys()
    }


def test_leaves_other_paths_alone(client: FlaskClient) -> None:
    """The API's own policy is stricter, and the documentation's is another."""
    for path in ("/healthz", "/consoles", "/shared"):
        assert (
            "default-src 'none'; frame-ancestors 'none'"
            == client.get(path).headers["Content-Security-Policy"]
        )


@pytest.mark.parametrize("path", ["/console", "/share"])
def test_is_a_page_of_this_release_with_nothing_inline(client: FlaskClient, path: str) -> None:
    """Whatever it loads is there, under the hash, and no script or style is in it."""
    page = client.get(path).text
    links = re.findall(r'(?:src|href)="(/[^"]+)"', page)

    assert {".css", ".js", ".svg"} <= {link[link.rindex(".") :] for link in links}
    for link in links:
        assert link.startswith(f"/console/assets/{assets.digest()}/")
        assert 200 == client.get(link).status_code, link
    assert [] == re.findall(r"<script(?![^>]* src=)|<style|style=|\son\w+=|https?://|\{\w+\}", page)


def test_modules_import_only_each_other(client: FlaskClient) -> None:
    """By relative names, so within the same hash; and each is short enough to be read."""
    modules = {
        name: one.content.decode() for name, one in assets.all_assets().items() if name.endswith(".js")
    }

    for name, text in modules.items():
        imported = re.findall(r'from "([^"]+)"|import\("([^"]+)"\)|^import "([^"]+)"', text, re.MULTILINE)
        for found in imported:
            module = "".join(found)
            assert module.removeprefix("./") in modules, f"{name} imports {module}"
        # All words are in one file, for whoever translates them.
        assert 200 >= text.count("\n") or name == "texts.js", name


def test_is_the_same_for_every_link(client: FlaskClient) -> None:
    """A preview has nothing to consume: the capability is in the fragment, which is not sent."""
    assert client.get("/share").data == client.get("/share?sml_0123456789abcdef").data


def test_says_whether_there_is_authentication(client: FlaskClient, guarded: FlaskClient) -> None:
    """Without it, the console opens signed in."""
    assert 'data-authentication="off"' in client.get("/console").text
    assert 'data-authentication="on"' in guarded.get("/console").text


@pytest.mark.parametrize(
    ("settings", "console", "share", "asset"),
    [
        ({"CONSOLE_ENABLED": "false"}, 404, 200, 200),
        ({"SHARE_ENABLED": "false"}, 200, 404, 200),
        ({"CONSOLE_ENABLED": "false", "SHARE_ENABLED": "false"}, 404, 404, 404),
    ],
)
def test_can_be_switched_off(
    make_client: Callable[..., FlaskClient], settings: dict[str, str], console: int, share: int, asset: int
) -> None:
    """Each by itself; the assets are there for whichever is left."""
    client = make_client(**settings)

    assert [console, share, asset] == [client.get(path).status_code for path in ("/console", "/share", ASSET)]
