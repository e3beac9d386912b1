"""server_tls, and TLS on the service's port: protocols, certificates refused at the start, plain HTTP."""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from pymongo import MongoClient

from service.dev.mongod import EmbeddedMongo
from service.environment import Environment
from service.errors import ConfigurationError
from service.settings import Settings
from tests import databases
from tests.certificates import Authority
from tests.conftest import variables
from tests.gunicorn_server import ROOT, Server

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def served_by(file: Path) -> dict[str, str]:
    """Return the variables for a file with a certificate and its key."""
    return {"TLS_CERT_FILE": str(file), "TLS_KEY_FILE": str(file)}


@pytest.fixture(scope="module")
def secure(
    mongo: EmbeddedMongo,
    mongo_client: MongoClient,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A server with a certificate, for the tests that leave no data behind."""
    folder = tmp_path_factory.mktemp("tls")
    databases.empty(mongo_client, indexed=False)
    server = Server(variables(mongo) | served_by(authority.issue("api")), folder / "log", authority.file)
    try:
        server.wait_until()
        yield server
    finally:
        server.stop()


def ask(server: Server, sent: bytes) -> bytes:
    """Send raw bytes and return everything that the server sends."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(sent)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer


def negotiated_version(server: Server, context: ssl.SSLContext) -> str | None:
    """Do a handshake and return the negotiated TLS version."""
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        return connection.version()


def test_serves_clients_that_trust_its_ca(secure: Server) -> None:
    """Create and fetch, over a persistent connection and over new ones."""
    with requests.Session() as session:
        for _ in range(3):
            created = session.post(
                f"{secure.url}/vault/secret/create/",
                json={"secret": "aGVsbG8="},
                timeout=20,
                verify=secure.verify,
            )
            assert "aGVsbG8=" == secure.fetch(created.json()["secret_id"]).json()["secret"]


def test_is_refused_by_clients_that_trust_another_ca(secure: Server, tmp_path: Path) -> None:
    """And by those that trust only public CAs."""
    for verify in (str(Authority(tmp_path, "another").file), True):
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            requests.get(f"{secure.url}/healthz", timeout=20, verify=verify)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_speaks_tls_1_2_and_newer(secure: Server, authority: Authority, version: str) -> None:
    """Each of the two, if the client supports no other."""
    context = ssl.create_default_context(cafile=str(authority.file))
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]

    assert version.replace("_", ".") == negotiated_version(secure, context)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_refuses_tls_1_1(secure: Server, authority: Authority) -> None:
    """With a protocol_version alert; this client accepts the old ciphers."""
    context = ssl.create_default_context(cafile=str(authority.file))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        negotiated_version(secure, context)


def test_answers_plain_http_with_a_hint_to_https(secure: Server) -> None:
    """A problem document in plain HTTP, and no part of the request in the log."""
    answer = ask(secure, HEALTH.replace(b"/healthz", b"/hunter2"))

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"application/problem+json" in answer
    assert b"this port speaks https: use https://" in answer
    assert "hunter2" not in secure.log.read_text()


@pytest.mark.parametrize("sent", [b"\x16\x03\x01nonsense", b"\x80\x01", bytes(100)])
def test_closes_connections_that_are_neither_tls_nor_http(secure: Server, sent: bytes) -> None:
    """At most with a TLS alert; it continues to serve."""
    with socket.create_connection(("127.0.0.1", secure.port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert not connection.recv(65536).startswith(b"HTTP")

    assert 200 == secure.create().status_code


def test_logs_one_line_per_failed_handshake(secure: Server) -> None:
    """None for a connection without data, and no traceback."""
    before = len(secure.log_lines())
    socket.create_connection(("127.0.0.1", secure.port), timeout=20).close()
    ask(secure, b"\x16\x03\x01\x00\x05hello")

    lines = [line for line in secure.log_lines()[before:] if line["message"] != "request"]
    assert ["TLS failed before a request arrived"] == [line["message"].partition(":")[0] for line in lines]
    assert [] == [line for line in secure.log_lines() if "exception" in line or "traceback" in line]


def test_the_command_health_uses_tls(secure: Server, authority: Authority) -> None:
    """With the service's own variables; the names in the certificate do not matter."""
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
    """Return the error message for invalid settings."""
    names = {"MASTER_KEY": "k" * 32, "AUTH_REQUIRED": "false"}
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environment(Environment(names | {name: str(value) for name, value in tls.items()}))
    assert "PRIVATE KEY" not in str(refused.value)
    return str(refused.value)


def test_refuses_unusable_files(authority: Authority, tmp_path: Path) -> None:
    """With a message that names the variable and the file, and never quotes the file's content."""
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
    assert "has no readable certificate" in refusal(TLS_CERT_FILE=nonsense, TLS_KEY_FILE=good)
    assert "has no usable private key" in refusal(TLS_CERT_FILE=good, TLS_KEY_FILE=nonsense)
    assert "without a passphrase" in refusal(TLS_CERT_FILE=good, TLS_KEY_FILE=encrypted)
    assert "is not the key of the certificate" in refusal(TLS_CERT_FILE=good, TLS_KEY_FILE=other)


def test_refuses_a_certificate_that_is_not_valid_now(authority: Authority) -> None:
    """Neither an expired one nor one that is not valid yet."""
    day = timedelta(days=1)
    past = authority.issue("past", since=-2 * day, until=-day)
    future = authority.issue("future", since=day)

    assert "expired on" in refusal(**served_by(past))
    assert "check this machine's clock" in refusal(**served_by(future))


def test_all_workers_serve_tls(authority: Authority, serve: Callable[..., Server]) -> None:
    """All with the same certificate."""
    server = serve(authority.file, **served_by(authority.issue("several")), WORKERS="3")
    server.wait_until()

    assert {200} == {server.create().status_code for _ in range(12)}


def test_reads_when_its_certificates_expire(authority: Authority, tmp_path: Path) -> None:
    """Those for callers and for MongoDB; unreadable files are left out."""
    api = authority.issue("expires-api", until=timedelta(days=5))
    client = authority.issue("expires-mongo", until=timedelta(days=4))
    (tmp_path / "none").write_text("no certificate")
    common = {"MASTER_KEY": "A" * 43 + "=", "MONGO_TLS_CA_FILE": str(authority.file)} | served_by(api)

    def expiry(mongo: Path) -> dict[str, int]:
        variables = common | {"MONGO_TLS_CERT_FILE": str(mongo)}
        times = Settings.from_environment(Environment(variables)).certificate_expiry()
        return {name: round((at - datetime.now(UTC)) / timedelta(days=1)) for name, at in times.items()}

    assert {"api": 5, "mongodb_client": 4} == expiry(client)
    assert {"api": 5} == expiry(tmp_path / "none")
    assert {"api": 5} == expiry(tmp_path / "missing")
