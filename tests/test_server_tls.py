"""TLS on the service's own port: who is let in, what is refused at the start, and what plain HTTP gets."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from service.dev.mongod import EmbeddedMongo
from service.environment import Environment
from service.errors import ConfigurationError
from service.settings import Settings
from tests.certificates import Authority
from tests.conftest import variables
from tests.gunicorn_server import ROOT, Server

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def served_by(file: Path) -> dict[str, str]:
    """Return the variables for a file with both certificate and key."""
    return {"TLS_CERT_FILE": str(file), "TLS_KEY_FILE": str(file)}


@pytest.fixture(scope="module")
def secure(
    mongo: EmbeddedMongo, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with a certificate, for the tests that leave nothing behind."""
    folder = tmp_path_factory.mktemp("tls")
    server = Server(variables(mongo) | served_by(authority.issue("api")), folder / "log", authority.file)
    server.wait_until()
    yield server
    server.stop()


def ask(server: Server, sent: bytes) -> bytes:
    """Send bytes as they are and return all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(sent)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer


def shake(server: Server, context: ssl.SSLContext) -> str | None:
    """Return the protocol's version that both agree on."""
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        return connection.version()


def test_serves_those_who_know_its_ca(secure: Server) -> None:
    """Store and fetch, over connections that are kept and over new ones."""
    with requests.Session() as session:
        for _ in range(3):
            created = session.post(
                f"{secure.url}/vault/secret/create/",
                json={"secret": "aGVsbG8="},
                timeout=20,
                verify=secure.verify,
            )
            assert "aGVsbG8=" == secure.fetch(created.json()["secret_id"]).json()["secret"]


def test_is_not_believed_by_those_who_know_another_ca(secure: Server, tmp_path: Path) -> None:
    """Nor by those who know none of its kind."""
    for verify in (str(Authority(tmp_path, "another").file), True):
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            requests.get(f"{secure.url}/healthz", timeout=20, verify=verify)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_speaks_tls_1_2_and_newer(secure: Server, authority: Authority, version: str) -> None:
    """Each of the two, where the client knows no other."""
    context = ssl.create_default_context(cafile=str(authority.file))
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]

    assert version.replace("_", ".") == shake(secure, context)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_refuses_tls_1_1(secure: Server, authority: Authority) -> None:
    """With the alert that says so; the client here is set to be content with the old ciphers."""
    context = ssl.create_default_context(cafile=str(authority.file))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        shake(secure, context)


def test_tells_plain_http_to_use_https(secure: Server) -> None:
    """A problem document in plain text instead of silence, and nothing of the request in the log."""
    answer = ask(secure, HEALTH.replace(b"/healthz", b"/hunter2"))

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"application/problem+json" in answer
    assert b"this port speaks https: use https://" in answer
    assert "hunter2" not in secure.log.read_text()


@pytest.mark.parametrize("sent", [b"\x16\x03\x01nonsense", b"\x80\x01", bytes(100)])
def test_hangs_up_on_what_is_neither(secure: Server, sent: bytes) -> None:
    """At most with a TLS alert; and it goes on serving."""
    with socket.create_connection(("127.0.0.1", secure.port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert not connection.recv(65536).startswith(b"HTTP")

    assert 200 == secure.create().status_code


def test_the_log_stays_json_and_quiet(secure: Server) -> None:
    """One line for a refused handshake, none for a connection that says nothing, no trace."""
    before = len(secure.log_lines())
    socket.create_connection(("127.0.0.1", secure.port), timeout=20).close()
    ask(secure, b"\x16\x03\x01\x00\x05hello")

    lines = [line for line in secure.log_lines()[before:] if line["message"] != "request"]
    assert ["TLS refused before there was a request"] == [line["message"].partition(":")[0] for line in lines]
    assert [] == [line for line in secure.log_lines() if "exception" in line or "traceback" in line]


def test_health_asks_over_tls(secure: Server, authority: Authority) -> None:
    """The container's check, with the service's own variables, whatever the certificate's names."""
    finished = subprocess.run(
        [sys.executable, "-m", "service", "health"],
        cwd=ROOT,
        env={
            **os.environ,
            "LISTEN": f"0.0.0.0:{secure.port}",
            **served_by(authority.issue("other", "elsewhere.test")),
        },
        capture_output=True,
        check=False,
        timeout=30,
    )

    assert (0, b"") == (finished.returncode, finished.stderr)


def refusal(**tls: str | Path) -> str:
    """Return why the settings are refused."""
    names = {"MASTER_KEY": "k" * 32, "AUTH_REQUIRED": "false"}
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environment(Environment(names | {name: str(value) for name, value in tls.items()}))
    assert "PRIVATE KEY" not in str(refused.value)
    return str(refused.value)


def test_refuses_what_cannot_be_served_with(authority: Authority, tmp_path: Path) -> None:
    """One line that names variable and file, and never what is in it."""
    good, other = authority.issue("good"), authority.issue("another")
    nonsense, encrypted = tmp_path / "nonsense", tmp_path / "encrypted"
    nonsense.write_text("hunter2")
    subprocess.run(
        ["openssl", "ec", "-in", good, "-aes256", "-passout", "pass:hunter2", "-out", encrypted],
        check=True,
        capture_output=True,
    )

    assert "TLS_KEY_FILE is not set" in refusal(TLS_CERT_FILE=good)
    assert "TLS_CERT_FILE is not set" in refusal(TLS_KEY_FILE=good)
    assert "TLS_CERT_FILE: cannot read /nowhere" in refusal(TLS_CERT_FILE="/nowhere", TLS_KEY_FILE=good)
    assert "TLS_KEY_FILE: cannot read /nowhere" in refusal(TLS_CERT_FILE=good, TLS_KEY_FILE="/nowhere")
    assert "holds no certificate" in refusal(TLS_CERT_FILE=nonsense, TLS_KEY_FILE=good)
    assert "holds no private key" in refusal(TLS_CERT_FILE=good, TLS_KEY_FILE=nonsense)
    assert "without a passphrase" in refusal(TLS_CERT_FILE=good, TLS_KEY_FILE=encrypted)
    assert "is not the key of the certificate" in refusal(TLS_CERT_FILE=good, TLS_KEY_FILE=other)


def test_refuses_a_certificate_that_is_not_valid_today(authority: Authority) -> None:
    """Neither one of yesterday nor one of tomorrow."""
    day = timedelta(days=1)
    past = authority.issue("past", since=-2 * day, until=-day)
    future = authority.issue("future", since=day)

    assert "expired on" in refusal(**served_by(past))
    assert "look at this machine's clock" in refusal(**served_by(future))


def test_all_workers_serve_with_it(authority: Authority, serve: Callable[..., Server]) -> None:
    """Several workers share one context: whichever answers, the certificate is the same."""
    server = serve(authority.file, **served_by(authority.issue("several")), WORKERS="3")
    server.wait_until()

    assert {200} == {server.create().status_code for _ in range(12)}
