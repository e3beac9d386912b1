"""scripts/: shell clients of the API."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from tests import databases
from tests.gunicorn_server import ROOT, Server
from tests.proxy import Proxy

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def database(standing_server: Server, mongo_client: MongoClient) -> Database:
    """The database, empty but for what the server has opened."""
    return databases.empty_beside_servers(mongo_client)


@pytest.fixture
def server(standing_server: Server, database: Database) -> Server:
    """A server that demands no token."""
    return standing_server


@pytest.fixture
def run(server: Server) -> Run:
    """Return a function that runs a script against a real server."""
    # The python3 that the scripts call is this one.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def run(
        script: str, *arguments: str, stdin: bytes = b"", interpreter: Sequence[str] = (), **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*interpreter, f"scripts/{script}", *arguments],
            cwd=ROOT,
            env={**os.environ, "PATH": path, "VAULT_URL": server.url, **environment},
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )

    return run


def test_stores_and_fetches_byte_for_byte(run: Run) -> None:
    """Any bytes from standard input, and base64 from an argument."""
    for value in (b"hunter2", b"", b"line\n", bytes(range(256)), os.urandom(500_000)):
        created = run("create_secret.sh", "--empty", stdin=value)
        assert 0 == created.returncode, created.stderr
        assert value == run("fetch_secret.sh", created.stdout.decode().strip()).stdout

    secret_id = run("create_secret.sh", "aGVsbG8=").stdout.decode().strip()
    assert b"hello" == run("fetch_secret.sh", secret_id).stdout
    assert b"aGVsbG8=\n" == run("fetch_secret.sh", "--base64", secret_id).stdout


def test_shows_the_problem_and_fails(run: Run) -> None:
    """The detail goes to standard error; standard output stays empty."""
    for script, argument, says in (
        ("create_secret.sh", "abc", b"HTTP 400: invalid base64"),
        ("create_secret.sh", 'a", "x": "', b"neither base64 nor an id"),
        ("fetch_secret.sh", "3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1", b"HTTP 404: Secret not found"),
        ("fetch_secret.sh", "no//path", b"HTTP 422: "),
        ("fetch_secret.sh", "/team/a", b"path: a path is segments of "),
        ("fetch_secret.sh", "team/a/", b"single slashes (none at the start or the end)"),
        ("list_secrets.sh", "/team", b"prefix: "),
    ):
        finished = run(script, argument)
        assert 0 != finished.returncode
        assert b"" == finished.stdout
        assert says in finished.stderr
        assert 1 == len(finished.stderr.splitlines())


def test_names_the_setting_if_the_value_is_too_large(run: Run) -> None:
    """From standard input, because an argument cannot be that long."""
    finished = run("create_secret.sh", stdin=bytes(530_000))

    assert (1, b"") == (finished.returncode, finished.stdout)
    assert b"HTTP 413: a secret may have up to 524288 bytes (MAX_SECRET_BYTES)" in finished.stderr


def test_shows_a_connection_error(run: Run) -> None:
    """curl's own message, and its exit code."""
    finished = run("create_secret.sh", "aGk=", VAULT_URL="http://127.0.0.1:9")

    assert (7, b"") == (finished.returncode, finished.stdout)
    assert b"onnect" in finished.stderr


def test_sends_the_token_of_a_file(
    run: Run,
    serve: Callable[..., Server],
    give: Callable[..., str],
    tmp_path: Path,
) -> None:
    """Without a token, or with one that lacks the scope, the problem is shown."""
    protected = serve(AUTH_REQUIRED="true")
    protected.wait_until()
    file, useless = tmp_path / "token", tmp_path / "useless"
    file.write_text(give("create:*", "fetch:*") + "\n")
    useless.write_text(give("audit"))

    created = run("create_secret.sh", stdin=b"hunter2", VAULT_URL=protected.url, VAULT_TOKEN_FILE=str(file))
    secret_id = created.stdout.decode().strip()
    fetched = run("fetch_secret.sh", secret_id, VAULT_URL=protected.url, VAULT_TOKEN_FILE=str(file))
    without = run("fetch_secret.sh", secret_id, VAULT_URL=protected.url)
    refused = run("create_secret.sh", "aGk=", VAULT_URL=protected.url, VAULT_TOKEN_FILE=str(useless))

    assert (0, b"hunter2") == (fetched.returncode, fetched.stdout), created.stderr + fetched.stderr
    assert b"fetch_secret.sh: HTTP 401: send a token, with the header Authorization" in without.stderr
    assert b"create_secret.sh: HTTP 403: the token lacks a scope for this: create" in refused.stderr
    assert b"" == without.stdout + refused.stdout


def test_takes_a_token_file_from_any_editor(
    run: Run, serve: Callable[..., Server], give: Callable[..., str], tmp_path: Path
) -> None:
    """Byte order marks, line ends of Windows, and the UTF-16 that its shells write."""
    protected, file = serve(AUTH_REQUIRED="true"), tmp_path / "token"
    protected.wait_until()
    token = give("create:*")

    for content in (
        b"\xef\xbb\xbf" + token.encode(),
        f"{token}\r\n".encode(),
        f" {token}\t\n\n".encode(),
        f"{token}\r\n".encode("utf-16"),
        b"\xfe\xff" + token.encode("utf-16-be"),
    ):
        file.write_bytes(content)
        created = run("create_secret.sh", "aGk=", VAULT_URL=protected.url, VAULT_TOKEN_FILE=str(file))
        assert (0, b"") == (created.returncode, created.stderr), content.replace(token.encode(), b"TOKEN")
    created = run("create_secret.sh", "aGk=", VAULT_URL=protected.url, VAULT_TOKEN=f"\ufeff{token}\r")
    assert (0, b"") == (created.returncode, created.stderr)


def test_refuses_what_is_no_token(run: Run, tmp_path: Path) -> None:
    """Instead of sending none, or more than a header; the message names the file and shows nothing of it."""
    broken, empty, missing = tmp_path / "broken", tmp_path / "empty", tmp_path / "missing"
    broken.write_text('canary"\nheader = "X-Other: 1')
    empty.write_text("\n")

    for file, says in (
        (broken, "holds characters that no token has"),
        (empty, "is empty"),
        (missing, "No such file"),
    ):
        refused = run("create_secret.sh", "aGk=", VAULT_TOKEN_FILE=str(file))
        assert (2, b"") == (refused.returncode, refused.stdout), file
        assert says in refused.stderr.decode()
        assert str(file) in refused.stderr.decode()
        assert b"canary" not in refused.stderr
    assert 2 == run("create_secret.sh", "aGk=", VAULT_TOKEN='a"b').returncode


def test_no_proxy_gets_what_is_for_this_machine(run: Run, server: Server, proxy: Proxy) -> None:
    """Neither over http nor over https, however the address is written."""
    port = server.url.rsplit(":", 1)[1]
    for host in ("127.0.0.1", "localhost", "LocalHost", "127.1"):
        created = run("create_secret.sh", "aGk=", VAULT_URL=f"http://{host}:{port}", VAULT_TOKEN="canary")
        assert (0, b"") == (created.returncode, created.stderr), host
    for url in (
        "https://127.0.0.1:9",
        "https://[::1]:9/",
        "http://127.9.9.9:9",
        "http://vault.localhost:9/x",
    ):
        assert 7 == run("create_secret.sh", "aGk=", VAULT_URL=url).returncode, url

    assert [] == proxy.requests


def test_a_proxy_may_lead_to_other_machines(run: Run, proxy: Proxy) -> None:
    """It gets the name of the machine, and not the token."""
    for url in ("https://vault.example", "https://127.0.0.1.example", "https://localhost.example:8000"):
        failed = run("create_secret.sh", "aGk=", VAULT_URL=url, VAULT_TOKEN="canary")
        assert 0 != failed.returncode

    lines = [request.split(b"\r\n")[0] for request in proxy.requests]
    assert [
        b"CONNECT vault.example:443 HTTP/1.1",
        b"CONNECT 127.0.0.1.example:443 HTTP/1.1",
        b"CONNECT localhost.example:8000 HTTP/1.1",
    ] == lines
    assert b"canary" not in b"".join(proxy.requests)


def test_creates_with_options(run: Run, server: Server) -> None:
    """Expiry, maximum reads and labels."""
    created = run(
        "create_secret.sh",
        *("--label", "env=prod", "--expires-in", "60", "--path", "team/once", "--max-reads", "1"),
        *("--label", "owner=a=b"),
        stdin=b"hunter2",
    )
    described = server.post("/vault/secret/describe", {"path": "team/once"}).json()

    assert 0 == created.returncode, created.stderr
    assert ({"env": "prod", "owner": "a=b"}, 1) == (described["labels"], described["max_reads"])
    assert described["expires_at"]
    assert b"hunter2" == run("fetch_secret.sh", "team/once").stdout
    assert b"already read at" in run("fetch_secret.sh", "team/once").stderr


def test_updates_a_secret(run: Run) -> None:
    """By its id or its path; earlier versions stay, and --expected-version detects concurrent changes."""
    secret_id = run("create_secret.sh", "--path", "team/a", stdin=b"1").stdout.decode().strip()

    assert b"2\n" == run("update_secret.sh", "team/a", stdin=b"2").stdout
    assert b"3\n" == run("update_secret.sh", "--expected-version", "2", secret_id, "Mw==").stdout
    refused = run("update_secret.sh", "--expected-version", "2", "team/a", stdin=b"x")

    assert b"update_secret.sh: HTTP 409: the secret is at version 3" in refused.stderr
    assert b"3" == run("fetch_secret.sh", "team/a").stdout
    assert b"1" == run("fetch_secret.sh", "--version", "1", "team/a").stdout


def test_an_empty_pipe_is_no_value(run: Run) -> None:
    """Neither an unset variable nor a command that failed replaces a password; --empty allows it."""
    run("create_secret.sh", "--path", "team/a", stdin=b"hunter2")

    for stdin, script, *arguments in (
        (b"", "update_secret.sh", "team/a"),
        (b"\n", "update_secret.sh", "team/a"),
        (b"\r\n", "update_secret.sh", "team/a"),
        (b"", "update_secret.sh", "team/a", ""),
        (b"", "create_secret.sh", "--path", "team/b"),
        (b"\n", "create_secret.sh", "--path", "team/b"),
        (b"", "create_secret.sh", "--path", "team/b", ""),
    ):
        refused = run(script, *arguments, stdin=stdin)
        assert (2, b"") == (refused.returncode, refused.stdout), (stdin, script, arguments)
        assert b"the value is empty, so nothing was stored" in refused.stderr
        assert b"--empty" in refused.stderr
    assert b"hunter2" == run("fetch_secret.sh", "team/a").stdout
    assert b"HTTP 404: " in run("fetch_secret.sh", "team/b").stderr

    assert b"2\n" == run("update_secret.sh", "--empty", "team/a").stdout
    assert (0, b"") == (run("fetch_secret.sh", "team/a").returncode, run("fetch_secret.sh", "team/a").stdout)
    assert 0 == run("create_secret.sh", "--empty", "--path", "team/b", "").returncode


def test_lists_paths(run: Run, server: Server) -> None:
    """All pages, or only those with a prefix or a label."""
    names = [f"many/{number:04}" for number in range(1001)]
    for start in range(0, len(names), 100):
        batch = [{"path": name, "secret": ""} for name in names[start : start + 100]]
        answer = server.post("/vault/secret/create/batch", {"secrets": batch, "all_or_nothing": True})
        assert 200 == answer.status_code, answer.text
    run("create_secret.sh", "--path", "other/a", "--label", "env=prod", stdin=b"x")

    assert [*names, "other/a"] == run("list_secrets.sh").stdout.decode().splitlines()
    assert names == run("list_secrets.sh", "many/").stdout.decode().splitlines()
    assert b"other/a\n" == run("list_secrets.sh", "--label", "env=prod").stdout
    assert b"" == run("list_secrets.sh", "--label", "env=prod", "many/").stdout


def test_deletes_restores_and_destroys(run: Run) -> None:
    """A secret, or versions of it."""
    run("create_secret.sh", "--path", "team/a", stdin=b"1")
    run("update_secret.sh", "team/a", stdin=b"2")

    assert b"live\n" == run("delete_secret.sh", "team/a", "2").stdout
    assert b"version 2 was deleted" in run("fetch_secret.sh", "team/a").stderr
    assert b"deleted\n" == run("delete_secret.sh", "team/a").stdout
    assert (b"", b"team/a\n") == (
        run("list_secrets.sh").stdout,
        run("list_secrets.sh", "--deleted").stdout,
    )
    assert b"live\n" == run("delete_secret.sh", "--undelete", "team/a").stdout
    assert b"live\n" == run("delete_secret.sh", "--undelete", "team/a", "1", "2").stdout
    assert b"2" == run("fetch_secret.sh", "team/a").stdout
    assert b"live\n" == run("delete_secret.sh", "--destroy", "--in-use", "team/a", "1").stdout
    assert b"destroyed\n" == run("delete_secret.sh", "--destroy", "team/a").stdout
    assert b"it was destroyed at" in run("fetch_secret.sh", "team/a").stderr


def test_shows_help_and_usage_errors(run: Run) -> None:
    """--help goes to standard output; a usage error to standard error, with exit code 2."""
    for script, *wrong in (
        ("create_secret.sh", "a", "b"),
        ("create_secret.sh", "--path"),
        ("create_secret.sh", "--unknown", "x"),
        ("create_secret.sh", "--max-reads", "many"),
        ("create_secret.sh", "--expires-in", '1, "x": 1'),
        ("create_secret.sh", "--label", "no-value"),
        ("create_secret.sh", "--label", 'a="b"'),
        ("fetch_secret.sh",),
        ("fetch_secret.sh", "a", "b"),
        ("fetch_secret.sh", "--version", "x", "a"),
        ("update_secret.sh",),
        ("update_secret.sh", "a", "b", "c"),
        ("update_secret.sh", "--expected-version", "x", "a"),
        ("list_secrets.sh", "a", "b"),
        ("list_secrets.sh", "--label"),
        ("delete_secret.sh",),
        ("delete_secret.sh", "a", "x"),
        ("delete_secret.sh", "--unknown", "a"),
    ):
        assert b"usage: " in run(script, "--help").stdout
        finished = run(script, *wrong)
        assert (2, b"") == (finished.returncode, finished.stdout), (script, wrong)
        assert finished.stderr


def test_sends_the_token_without_showing_it(run: Run) -> None:
    """curl gets the token through a file descriptor: no process has it among its arguments."""
    created = run("create_secret.sh", "aGk=", interpreter=["bash", "-x"], VAULT_TOKEN="canary-token")

    curl_line = [line for line in created.stderr.splitlines() if b"curl" in line]
    assert 0 == created.returncode
    assert curl_line
    assert [] == [line for line in curl_line if b"canary-token" in line]


def test_follows_a_secret(run: Run, server: Server, tmp_path: Path) -> None:
    """The file has each new version, the command runs once for it, and again if it failed."""
    file, ran, fails = tmp_path / "value", tmp_path / "ran", tmp_path / "fails"
    command = f'[ ! -e "{fails}" ] || {{ rm "{fails}"; exit 1; }}; cat "{file}" >> "{ran}"; echo >> "{ran}"'
    run("create_secret.sh", "--path", "team/followed", stdin=b"first")
    follow = [ROOT / "scripts/follow_secret.sh", "--every", "1", "team/followed", file, "sh", "-c", command]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with subprocess.Popen(
        follow, env={**os.environ, "PATH": path, "VAULT_URL": server.url}, start_new_session=True
    ) as process:
        try:
            wait_until(lambda: ran.exists() and ran.read_text() == "first\n")
            assert 0o600 == file.stat().st_mode & 0o777
            fails.touch()
            run("update_secret.sh", "team/followed", stdin=b"second")
            wait_until(lambda: ran.read_text() == "first\nsecond\n")
            assert not fails.exists()
            run("delete_secret.sh", "team/followed")
            time.sleep(2.5)
        finally:
            os.killpg(process.pid, signal.SIGTERM)

    assert ("second", "first\nsecond\n") == (file.read_text(), ran.read_text())
    assert {"value", "ran"} == {each.name for each in tmp_path.iterdir()}


def wait_until(check: Callable[[], bool]) -> None:
    """Wait until this holds."""
    end = time.monotonic() + 30
    while not check():
        assert time.monotonic() < end
        time.sleep(0.1)
