"""commands.explain: what it reads, and its exit codes; the rules are in tests/swarm/test_explain.py."""

import json
import socketserver
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from service import cli
from tests.swarm.test_explain import NODE, SECRET, SERVICE, TASK, evidence, line, service, task


class _Engines(socketserver.ThreadingUnixStreamServer):
    """Answers as an engine: only a Swarm of its own could be brought into these states."""

    documents: Mapping[str, Any]


class _Handler(BaseHTTPRequestHandler):
    server: _Engines

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.removeprefix("/v1.41")
        found = self.server.documents.get(path)
        body = json.dumps({"message": "not found"} if found is None else found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass

    def address_string(self) -> str:
        return "a socket"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[str]:
    """The socket of an engine with a service whose task was not given its secret."""
    known = evidence(task())
    documents = {
        "/version": {"ApiVersion": "1.41"},
        "/services/web": service(),
        f"/services/{SERVICE}": service(),
        f"/tasks/{TASK}": {**task(), "ServiceID": SERVICE},
        "/tasks": [task()],
        "/secrets": [known.secrets[SECRET]],
        "/nodes": known.nodes,
        "/info": {"Swarm": {"NodeID": NODE}},
        "/plugins": known.plugins,
    }
    path = str(tmp_path / "docker.sock")
    with _Engines(path, _Handler) as server:
        server.documents = documents
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield path
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("named", ["web", TASK])
def test_reads_the_drivers_log(
    engine: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By service and by task; exit code 1: it does not run, and here is why."""
    log = tmp_path / "dockerd.log"
    log.write_text("some other line\n" + line("token_refused", reason="the vault does not accept the token"))

    code = cli.main(["explain", named, "--docker", engine, "--driver-log", str(log)])

    assert 1 == code
    assert "the vault does not accept the token" in capsys.readouterr().out


def test_says_what_it_could_not_read(engine: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and which options are missing."""
    code = cli.main(["explain", "web", "--docker", engine])

    assert 2 == code
    assert "that takes --address, --ca and --token-file" in capsys.readouterr().out


def test_goes_on_without_a_vault_that_does_not_answer(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That is when it is needed; the driver's log still tells since when."""
    token, log = tmp_path / "token", tmp_path / "log"
    token.write_text("smt_x")
    log.write_text(line("vault_not_reached", reason="vault not reachable: refused"))
    arguments = ["--docker", engine, "--address", "http://127.0.0.1:9", "--token-file", str(token)]

    assert 2 == cli.main(["explain", "web", *arguments])
    assert "The audit log could not be read: the vault is not reachable" in capsys.readouterr().out
    assert 1 == cli.main(["explain", "web", *arguments, "--driver-log", str(log)])
    assert "has not been reachable since 2026-11-26T12:28:51" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nothing",), "the Swarm has no service and no task nothing: docker service ls"),
        (("web", "--driver-log", "/nonexistent"), "--driver-log: /nonexistent cannot be read: No such file"),
        (("web", "--docker", "/nonexistent"), "the engine at /nonexistent does not answer"),
        (("web", "--token-file", "/nonexistent", "--address", "http://a:1"), "cannot read /nonexistent"),
    ],
)
def test_says_in_one_line_why_it_cannot(
    engine: str, arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, nothing on standard output."""
    code = cli.main(["explain", "--docker", engine, *arguments])

    printed = capsys.readouterr()
    assert (2, "") == (code, printed.out)
    assert says in printed.err
