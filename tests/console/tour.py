"""Goes through the console of a deployed cluster again and again, as somebody at work while it is updated.

::

    python -m tests.console.tour --ca ca.crt --token-file token --seconds 60 127.0.0.1:8000

Several addresses are replicas behind one name: each connection goes to the next of them that takes it.
Each tour signs in, stores a secret, shows its value, finds it in its folder, reloads the page and locks.
It works, or the page says what happened: ``updated`` (its files are another release's) or ``lost`` (no
answer; a person tries again).  Anything else is ``wrong``: the output has what the page said, and the exit
code is 1.
"""

from __future__ import annotations

import argparse
import json
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.console.chromium import launch

# What a page shows that cannot go on, and what a person makes of it.
_SAID = {
    "If this stays, the service was updated": "updated",
    "The service could not be reached": "lost",
}
# Browsers end a request to a replica that has gone by themselves, long before.
_STEP_MILLISECONDS = 20_000
_CONNECT_SECONDS = 2.0
_CHUNK = 65_536
# A browser at full speed would leave little of a small machine to what is being tried.
_PAUSE_SECONDS = 6.0


class _Replicas(socketserver.ThreadingTCPServer):
    """Passes each connection on to the next replica that takes it; TLS goes from end to end."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, addresses: Sequence[tuple[str, int]]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self._count = len(addresses)
        self._next = cycle(addresses)
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens, on this machine."""
        return int(self.server_address[1])

    def connect(self) -> socket.socket | None:
        """Return a connection to a replica, or None if none takes any."""
        for _ in range(self._count):
            with self._lock:
                address = next(self._next)
            with suppress(OSError):
                return socket.create_connection(address, timeout=_CONNECT_SECONDS)
        return None


class _Connection(socketserver.BaseRequestHandler):
    server: _Replicas

    def handle(self) -> None:
        replica = self.server.connect()
        if replica is None:
            return
        with replica:
            replica.settimeout(None)
            back = threading.Thread(target=_pass_on, args=(replica, self.request), daemon=True)
            back.start()
            _pass_on(self.request, replica)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def browser_that_knows(ca: Path, *arguments: str) -> Iterator[Browser]:
    """A Chromium to which a user has given a CA's certificate, and that asks no name server."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        store = Path(home) / ".pki" / "nssdb"
        store.mkdir(parents=True)
        for options in (
            ["-N", "--empty-password"],
            ["-A", "-n", "ca", "-t", "C,,", "-i", str(ca)],
        ):
            subprocess.run(["certutil", "-d", f"sql:{store}", *options], check=True)
        browser = launch(playwright, *arguments, env={"HOME": home})
        yield browser
        browser.close()


def tour(context: BrowserContext, url: str, token: str, path: str) -> None:
    """Go once through the console.

    Raises:
        AssertionError, Error: a page was not as it is to be; it is still open.
    """
    value = f"value of {path}"
    page = context.new_page()
    page.goto(f"{url}/console")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Secrets")).to_be_visible()
    page.goto(f"{url}/console#/new")
    page.get_by_label("Path").fill(path)
    page.get_by_label("The text").fill(value)
    page.get_by_role("button", name="Save secret").click()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text(value)).to_be_visible()
    page.goto(f"{url}/console#/secrets/{path.rpartition('/')[0]}/")
    page.get_by_role("link", name=path.rpartition("/")[2]).click()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    page.get_by_role("button", name="Lock now").click()
    expect(page.get_by_label("Token")).to_be_visible()


def outcome(context: BrowserContext, url: str, token: str, path: str) -> tuple[str, str]:
    """Return how a tour went, and if it is ``wrong`` what the pages showed."""
    try:
        tour(context, url, token, path)
    except (AssertionError, Error) as error:
        shown = "\n".join(map(_text, context.pages))
        for words, name in _SAID.items():
            if words in shown:
                return name, ""
        if "net::ERR_" in str(error):
            # The browser's own page, whose words are the browser's.
            return "lost", ""
        return "wrong", f"{error}\n{shown}"
    return "worked", ""


def _text(page: Page) -> str:
    with suppress(Error):
        return page.inner_text("body")
    return ""


def tours(
    addresses: Sequence[str], ca: Path, token: str, seconds: float, until: Path | None = None
) -> Iterator[tuple[str, str]]:
    """Yield how each tour went: at least one, for ``seconds`` or until a file is there."""
    parts = [urlsplit(f"//{address}") for address in addresses]
    host, port = parts[0].hostname, parts[0].port
    assert host is not None, addresses
    end = time.monotonic() + seconds
    with _Replicas([(str(part.hostname), int(part.port or 443)) for part in parts]) as replicas:
        threading.Thread(target=replicas.serve_forever, daemon=True).start()
        mapped = f"--host-resolver-rules=MAP {host}:{port} 127.0.0.1:{replicas.port}"
        with browser_that_knows(ca, mapped) as browser:
            number = 0
            while number == 0 or (time.monotonic() < end and not (until and until.exists())):
                number += 1
                context = browser.new_context()
                context.set_default_timeout(_STEP_MILLISECONDS)
                expect.set_options(timeout=_STEP_MILLISECONDS)
                yield outcome(
                    context, f"https://{host}:{port}", token, f"tour-{time.time_ns() // 1000}/secret-{number}"
                )
                context.close()
                time.sleep(_PAUSE_SECONDS)
        replicas.shutdown()


def main() -> int:
    """Go on tour, and print how often it went how."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("addresses", nargs="+", metavar="HOST:PORT")
    parser.add_argument("--ca", type=Path, required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--until", type=Path, help="a file that ends it, as soon as it is there")
    given = parser.parse_args()
    counted: Counter[str] = Counter()
    for name, shown in tours(
        given.addresses, given.ca, given.token_file.read_text().strip(), given.seconds, given.until
    ):
        counted[name] += 1
        print(name, flush=True)
        if shown:
            print(shown, file=sys.stderr)
    print(json.dumps(counted))
    return 1 if counted["wrong"] or not counted["worked"] else 0


if __name__ == "__main__":
    sys.exit(main())
