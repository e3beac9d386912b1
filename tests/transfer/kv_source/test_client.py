"""kv_source.client: patient with a busy server, quick with a wrong address, and never free with a token.

A server that answers as it is told stands in for Vault where a real one cannot be made to fail that way.
"""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from service.transfer.kv_source.client import Client, Server
from service.transfer.kv_source.errors import SourceUnavailable, SourceUnusable
from tests.certificates import Authority
from tests.gunicorn_server import free_port
from tests.openbao import OpenBao, running

FOUND = (200, {}, b'{"data": {"ttl": 0}}')
DENIED = (403, {}, b'{"errors": ["permission denied"]}')


class Scripted:
    """A server with the answers that are to come; then it finds everything."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.calls: list[tuple[str, str]] = []
        self.tokens: set[str | None] = set()
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                scripted.calls.append((self.command, self.path))
                scripted.tokens.add(self.headers.get("X-Vault-Token"))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, body = scripted.answers.pop(0) if scripted.answers else FOUND
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815  (what http.server calls)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Such a server."""
    server = Scripted()
    yield server
    server.close()


@pytest.fixture
def pauses() -> list[float]:
    """The pauses of ``client``, which are not waited for."""
    return []


@pytest.fixture
def client(scripted: Scripted, pauses: list[float]) -> Iterator[Client]:
    """A client of that server which has a token, and has not slept yet."""
    client = Client(Server(scripted.url, rate=1_000_000), sleep=pauses.append)
    client.use_token(b"token-hunter2")
    scripted.calls.clear()
    pauses.clear()
    yield client
    client.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 0])
def test_tries_again_with_longer_pauses(
    scripted: Scripted, client: Client, pauses: list[float], status: int
) -> None:
    """Status 0 stands for a connection that breaks off."""
    scripted.answers = [(status, {}, b'{"errors": []}')] * 3

    assert 200 == client.get("secret/config").status
    assert 4 == len(scripted.calls)
    waited = [pause for pause in pauses if pause > 0.1]
    assert 3 == len(waited)
    assert all(most / 2 <= pause <= most for pause, most in zip(waited, (0.5, 1, 2), strict=True))


def test_waits_as_long_as_the_server_says(scripted: Scripted, client: Client, pauses: list[float]) -> None:
    """But no longer than a minute, and only if it says so in seconds."""
    scripted.answers = [
        (429, {"Retry-After": after}, b"{}") for after in ("7", "9999", "Fri, 31 Dec 1999 23:59:59 GMT")
    ]

    assert 200 == client.get("secret/config").status
    assert [7, 60] == [pause for pause in pauses if pause >= 5]


def test_gives_up_in_the_end(scripted: Scripted, client: Client) -> None:
    """With what the server said last."""
    scripted.answers = [(503, {}, b'{"errors": ["Vault is sealed"]}')] * 6

    with pytest.raises(SourceUnavailable, match=r"does not answer: Vault is sealed \(503\)"):
        client.get("secret/config")
    assert 6 == len(scripted.calls)


def test_a_wrong_address_is_said_at_once() -> None:
    """Nothing listens there; what has answered once is waited for."""
    client = Client(Server(f"http://127.0.0.1:{free_port()}"), sleep=lambda _: pytest.fail("it waits"))

    with pytest.raises(SourceUnavailable, match="does not answer: Connection refused"):
        client.use_token(b"token-hunter2")


def test_no_more_calls_than_allowed(scripted: Scripted) -> None:
    """So many a second, on average."""
    client = Client(Server(scripted.url, rate=50))
    client.use_token(b"token-hunter2")
    start = time.monotonic()
    for _ in range(10):
        client.get("secret/config")
    client.close()

    assert time.monotonic() - start >= 0.19


def test_tells_a_path_that_is_not_allowed_from_a_token_that_has_ended(
    scripted: Scripted, client: Client
) -> None:
    """By asking whether the token is still good."""
    scripted.answers = [DENIED, FOUND]
    assert 403 == client.get("secret/data/a").status

    scripted.answers = [DENIED, DENIED]
    with pytest.raises(SourceUnusable, match="the token is not accepted: permission denied"):
        client.get("secret/data/a")


def test_a_token_goes_nowhere_else(scripted: Scripted, client: Client) -> None:
    """A standby that refers to the active node is not followed; the operator names that node."""
    scripted.answers = [(307, {"Location": "https://other.example.org:8200/v1/secret/config"}, b"")]

    with pytest.raises(SourceUnusable, match=r"refers to https://other.example.org:8200: name that address"):
        client.get("secret/config")
    assert 1 == len(scripted.calls)


def test_a_renewable_token_is_renewed_in_time(scripted: Scripted) -> None:
    """When half of its time is over; a refusal is no end, as it still lasts."""
    now = [0.0]
    client = Client(Server(scripted.url, rate=1_000_000), clock=lambda: now[0], sleep=lambda _: None)
    scripted.answers = [
        (200, {}, b'{"data": {"ttl": 100, "renewable": true}}'),
        FOUND,
        (200, {}, b'{"auth": {"lease_duration": 60, "renewable": true}}'),
        FOUND,
        (400, {}, b'{"errors": ["lease is not renewable"]}'),
    ]
    client.use_token(b"token-hunter2")
    for now[0] in (49, 51, 82, 83):
        assert 200 == client.get("secret/config").status
    client.close()

    renewals = [index for index, (method, _) in enumerate(scripted.calls) if method == "POST"]
    assert [2, 4] == renewals
    assert {("POST", "/v1/auth/token/renew-self")} == {scripted.calls[index] for index in renewals}


@pytest.mark.parametrize("content", [b"", b"two words", b"two\nlines", b"\xff", b"a\r\nX-Other: b"])
def test_a_credential_is_one_word(scripted: Scripted, content: bytes) -> None:
    """Before anything is sent; the message does not repeat it."""
    client = Client(Server(scripted.url))

    with pytest.raises(SourceUnusable, match="must hold the token and nothing else"):
        client.use_token(content)
    with pytest.raises(SourceUnusable, match="must hold the secret id and nothing else"):
        client.log_in("approle", b"role", content)
    assert [] == scripted.calls


@pytest.mark.parametrize(
    "url", ["vault.example.org", "ftp://a", "https://", "https://a:port", "https://a/ui", "https://u:p@a"]
)
def test_says_what_an_address_looks_like(url: str) -> None:
    """A user and a password in it would be arguments that others can read."""
    with pytest.raises(SourceUnusable, match=r"must look like https://vault.example.org:8200"):
        Client(Server(url))


def test_says_if_it_is_no_vault(scripted: Scripted) -> None:
    """Or if TLS was left out, which Go answers in plain text."""
    scripted.answers = [(400, {}, b"Client sent an HTTP request to an HTTPS server.\n")]

    with pytest.raises(SourceUnusable, match="is this Vault or OpenBao"):
        Client(Server(scripted.url)).use_token(b"token-hunter2")


def test_an_odd_name_stays_a_name(scripted: Scripted, client: Client) -> None:
    """It cannot become a query, another path or a header."""
    client.get("secret/data/a b?c#d%2e\r\né", "version=1")

    assert [("GET", "/v1/secret/data/a%20b%3Fc%23d%252e%0D%0A%C3%A9?version=1")] == scripted.calls


@pytest.mark.database
def test_speaks_tls_with_a_server_that_it_can_verify(tmp_path: Path) -> None:
    """With the CA in a file; without it, or with another, it says so and sends no token."""
    with running(tmp_path, tls=True) as server:
        token = server.make_token({}).encode()
        with pytest.raises(SourceUnusable, match=r"its certificate is not accepted .* with --ca"):
            Client(Server(server.url)).use_token(token)
        other = Authority(tmp_path / "other").file
        with pytest.raises(SourceUnusable, match="its certificate is not accepted"):
            Client(Server(server.url, other)).use_token(token)
        client = Client(Server(server.url, server.ca))
        client.use_token(token)
        client.close()


@pytest.mark.parametrize("content", [b"", b"no certificate"])
def test_says_what_is_wrong_with_a_ca(tmp_path: Path, content: bytes) -> None:
    """Its form, or that it cannot be read."""
    file = tmp_path / "ca.pem"
    file.write_bytes(content)

    with pytest.raises(SourceUnusable, match="has no readable certificate: it must be PEM"):
        Client(Server("https://a", file))
    with pytest.raises(SourceUnusable, match=r"cannot read .*nowhere: No such file"):
        Client(Server("https://a", tmp_path / "nowhere"))


def test_logs_in_with_approle(openbao: OpenBao) -> None:
    """The token that it gets has the role's rights."""
    mount = openbao.make_mount()
    openbao.write(mount, "a", {"x": "1"})
    role_id, secret_id = openbao.make_role({f"{mount}/data/a": ["read"]})
    client = Client(Server(openbao.url))
    client.log_in("approle", role_id.encode(), secret_id.encode())

    assert (200, 403) == (client.get(f"{mount}/data/a").status, client.get(f"{mount}/data/b").status)
    client.close()
    with pytest.raises(
        SourceUnusable, match="the login at auth/approle is refused: invalid role or secret ID"
    ):
        Client(Server(openbao.url)).log_in("approle", role_id.encode(), b"wrong")


def test_a_token_that_is_revoked_on_the_way_is_noticed(openbao: OpenBao) -> None:
    """It is no refusal of one path."""
    token = openbao.make_token({"secret/*": ["read"]})
    client = Client(Server(openbao.url))
    client.use_token(token.encode())
    openbao.do("POST", "auth/token/revoke", {"token": token})

    with pytest.raises(SourceUnusable, match="the token is not accepted"):
        client.get("secret/data/a")
    client.close()
