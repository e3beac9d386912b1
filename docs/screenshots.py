"""Takes the pictures of the console, of a service with example data that it starts by itself.

    python -m docs.screenshots [FOLDER]

They go to ``docs/assets/console/`` unless another folder is given.  It needs the system's Chromium.
"""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from playwright.sync_api import Browser, sync_playwright

from docs.generate import ASSETS, ROOT

_WIDTH, _HEIGHT = 1280, 800
_START_SECONDS = 60
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Picture:
    """A page to take a picture of, once it shows this text."""

    name: str
    scheme: str
    address: str
    shows: str


class Service:
    """A service of ``dev``, with calls that must succeed."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, operation: str, **body: Any) -> dict[str, Any]:
        """Return the answer of a call."""
        answer = requests.post(f"{self.url}/vault/{operation}", json=body, timeout=10)
        answer.raise_for_status()
        members: dict[str, Any] = answer.json()
        return members

    def is_ready(self) -> bool:
        """Return whether it answers."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=10).ok
        except requests.ConnectionError:
            return False


def main(folder: Path) -> None:
    """Take all pictures."""
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser_path is None:
        sys.exit("there is no Chromium: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with _service() as service, sync_playwright() as playwright:
        link = _fill(service)
        # Its own sandbox wants a user that is not root.
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for picture in _pictures(link):
            _take(browser, service, picture, folder)
        browser.close()


def _pictures(link: str) -> list[Picture]:
    return [
        Picture("secrets-light", "light", "/console#/secrets/team/app/", "stripe-api-key"),
        Picture("secret-dark", "dark", "/console#/secret/team/app/db-password", "127.0.0.1"),
        Picture("share-light", "light", f"/share#{link}", "Show the secret"),
        Picture("audit-dark", "dark", "/console#/audit/?path=team/app/db-password", "deliver"),
    ]


def _take(browser: Browser, service: Service, picture: Picture, folder: Path) -> None:
    page = browser.new_page(
        color_scheme=picture.scheme,  # type: ignore[arg-type]  # one of the two that it knows
        viewport={"width": _WIDTH, "height": _HEIGHT},
        reduced_motion="reduce",
    )
    page.goto(service.url + picture.address)
    page.get_by_text(picture.shows).first.wait_for()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=folder / f"{picture.name}.png")
    page.close()


@contextmanager
def _service() -> Iterator[Service]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with TemporaryDirectory() as data:
        command = [sys.executable, "-m", "service", "dev", "--port", port, "--data", data]
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            service = Service(f"http://127.0.0.1:{port}")
            _wait_for(service, process)
            yield service
        finally:
            process.terminate()
            process.wait()


def _wait_for(service: Service, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while not service.is_ready():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit("the service did not start: look at what `python -m service dev` says")
        time.sleep(0.2)


def _fill(service: Service) -> str:
    """Store what the pictures show, and return the link of a share."""
    production = {"env": "prod"}
    shown = "team/app/db-password"
    _put(service, shown, "first", labels={**production, "owner": "ada"}, expires_in=60 * _DAY)
    for text in ("second", "third"):
        service.post("secret/update", path=shown, secret=_encoded(text))
    _put(service, "team/app/db-user", "app", labels=production)
    service.post("secret/create/", path="team/app/session-signing-key", generate={"length": 64})
    _put(service, "team/app/smtp", '{"user": "app", "password": "x"}', labels={**production, "kind": "json"})
    _put(service, "team/app/stripe-api-key", "sk", labels={"env": "staging"}, expires_in=3 * _DAY)
    _put(service, "team/app/tls/key", "key")
    for name, scopes in (
        ("billing service", ["fetch:team/app/*"]),
        ("deploy pipeline", ["create:team/*", "update:team/*", "list:team/*"]),
    ):
        service.post("token/create", name=name, scopes=scopes, expires_in=90 * _DAY)
    service.post("grant/create", services=["billing_*", "shop_api"], paths=["team/app/*"])
    for name, version in (("billing_api", 2), ("shop_api", 3)):
        _deliver(service, shown, name, version)
    service.post("secret/fetch", path=shown)
    made = service.post("share/create", **{"for": "Grace", "secret": _encoded("x"), "expires_in": 3 * _DAY})
    link: str = made["link"]
    return link


def _put(service: Service, path: str, text: str, **options: Any) -> None:
    service.post("secret/create/", path=path, secret=_encoded(text), **options)


def _deliver(service: Service, path: str, name: str, version: int) -> None:
    service.post(
        "secret/deliver",
        path=path,
        version=version,
        service={"id": "s1", "name": name, "image": "app:1"},
        task={"id": "t1", "name": f"{name}.1.t1"},
        node={"id": "n1"},
        docker_secret=f"db.v{version}",
    )


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ASSETS / "console")
