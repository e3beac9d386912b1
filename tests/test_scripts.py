"""scripts/: what people type who do not want to know of JSON."""

import base64
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server import ROOT, Server


@pytest.fixture
def run(serve: Callable[..., Server]) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Return a function that runs a script against a real server."""
    server = serve()
    server.wait_until()

    def run(
        script: str, *arguments: str, stdin: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [f"scripts/{script}", *arguments],
            cwd=ROOT,
            env={**os.environ, "VAULT_URL": server.url, **environment},
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )

    return run


def test_stores_and_fetches_byte_for_byte(run: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
    """From standard input, whatever the bytes; and from an argument in base64."""
    for value in (b"hunter2", b"", b"line\n", bytes(range(256)), os.urandom(60_000)):
        created = run("create_secret.sh", stdin=value)
        assert 0 == created.returncode, created.stderr
        assert value == run("fetch_secret.sh", created.stdout.decode().strip()).stdout

    secret_id = run("create_secret.sh", "aGVsbG8=").stdout.decode().strip()
    assert b"hello" == run("fetch_secret.sh", secret_id).stdout
    assert b"aGVsbG8=\n" == run("fetch_secret.sh", "--base64", secret_id).stdout


def test_shows_the_problem_and_fails(run: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
    """The detail goes to standard error, nothing to standard output."""
    for script, argument, says in (
        ("create_secret.sh", "abc", b"HTTP 400: invalid base64"),
        ("create_secret.sh", 'a", "x": "', b"neither base64 nor an id"),
        ("create_secret.sh", base64.b64encode(bytes(70_000)).decode(), b"HTTP 413: "),
        ("fetch_secret.sh", "3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1", b"HTTP 404: Secret not found"),
        ("fetch_secret.sh", "no//path", b"HTTP 422: "),
    ):
        finished = run(script, argument)
        assert 0 != finished.returncode
        assert b"" == finished.stdout
        assert says in finished.stderr
        assert 1 == len(finished.stderr.splitlines())


def test_says_when_nobody_answers(run: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
    """curl's own message, and its exit code."""
    finished = run("create_secret.sh", "aGk=", VAULT_URL="http://127.0.0.1:9")

    assert (7, b"") == (finished.returncode, finished.stdout)
    assert b"onnect" in finished.stderr


def test_sends_the_token_of_a_file(
    run: Callable[..., subprocess.CompletedProcess[bytes]],
    serve: Callable[..., Server],
    give: Callable[..., str],
    tmp_path: Path,
) -> None:
    """To a server that demands one; without it, and with one that may not, the problem is shown."""
    demanding = serve(AUTH_REQUIRED="true")
    demanding.wait_until()
    file, useless = tmp_path / "token", tmp_path / "useless"
    file.write_text(give("create:*", "fetch:*") + "\n")
    useless.write_text(give("audit"))

    created = run("create_secret.sh", stdin=b"hunter2", VAULT_URL=demanding.url, VAULT_TOKEN_FILE=str(file))
    secret_id = created.stdout.decode().strip()
    fetched = run("fetch_secret.sh", secret_id, VAULT_URL=demanding.url, VAULT_TOKEN_FILE=str(file))
    without = run("fetch_secret.sh", secret_id, VAULT_URL=demanding.url)
    refused = run("create_secret.sh", VAULT_URL=demanding.url, VAULT_TOKEN_FILE=str(useless))

    assert (0, b"hunter2") == (fetched.returncode, fetched.stdout), created.stderr + fetched.stderr
    assert b"fetch_secret.sh: HTTP 401: send a token, with the header Authorization" in without.stderr
    assert b"create_secret.sh: HTTP 403: the token lacks a scope for this: create" in refused.stderr
    assert b"" == without.stdout + refused.stdout


def test_explains_itself(run: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
    """--help on standard output; wrong use on standard error, with exit code 2."""
    for script in ("create_secret.sh", "fetch_secret.sh"):
        assert b"usage: " in run(script, "--help").stdout
        assert (2, b"") == ((wrong := run(script, "a", "b")).returncode, wrong.stdout)
    assert 2 == run("fetch_secret.sh").returncode


def test_sends_the_token_without_showing_it(run: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
    """The token reaches curl through a file descriptor: no process has it among its arguments."""
    created = run("create_secret.sh", "aGk=", VAULT_TOKEN="canary-token", PS4="+", SHELLOPTS="xtrace")

    curl_line = [line for line in created.stderr.splitlines() if b"curl" in line]
    assert 0 == created.returncode
    assert curl_line
    assert [] == [line for line in curl_line if b"canary-token" in line]
