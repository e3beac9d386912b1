"""The real programs read the table of the documentation as it says.

python-dotenv is a requirement of the tests.  The others are compared where they are: node's dotenv, which CI
installs; Docker's command line, which sends what it read to an engine that is this test; and the plugin of
Compose.
"""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dotenv as python_dotenv
import pytest
from hypothesis import given

from service.transfer.formats.dotenv import Dialect
from tests.node_packages import node_with
from tests.transfer.formats.dotenv.table import REFUSED, VARIABLE, Row, rows
from tests.transfer.formats.dotenv.test_dialects import FILES, read

NODE_SCRIPT = """
const files = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(files.map((file) => require("dotenv").parse(file))));
"""
COMPOSE_FILE = "services:\n  api:\n    image: unused\n    env_file: [.env]\n"


class Engine(HTTPServer):
    """Takes the place of Docker's engine, to see which variables a container would have."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.variables: list[str] = []


class _Requests(BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        self._answer(200, b"OK")

    def do_HEAD(self) -> None:
        self._answer(200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.variables = json.loads(body)["Env"] or []
        self._answer(500, b'{"message": "no engine"}')

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Api-Version", "1.43")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Yield an engine that listens."""
    with Engine() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def compare(dialect: Dialect, program: Callable[[Row], object]) -> None:
    """Compare each row with what a program reads."""
    compared = [row for row in rows() if row.values[dialect] is not VARIABLE]

    assert {row.line: row.values[dialect] for row in compared} == {row.line: program(row) for row in compared}


def test_python_dotenv(tmp_path: Path) -> None:
    """From a file, as its ends of lines are converted when it is opened."""

    def value(row: Row) -> object:
        file = tmp_path / ".env"
        file.write_bytes(row.line.encode())
        return python_dotenv.dotenv_values(file).get(row.name)

    compare(Dialect.PYTHON, value)


@given(text=FILES)
def test_python_dotenv_reads_any_text_alike(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever our reader finds no error in."""
    file = tmp_path_factory.getbasetemp() / "any.env"
    file.write_bytes(text.encode())
    values, errors = read(Dialect.PYTHON, text.removeprefix("\ufeff"))

    if not errors:
        assert values == python_dotenv.dotenv_values(file)


@pytest.mark.check
def test_node_dotenv() -> None:
    """Its function ``parse``."""
    node = node_with("dotenv")
    files = json.dumps([row.line for row in rows()])
    finished = subprocess.run(
        [node, "-e", NODE_SCRIPT], input=files, capture_output=True, text=True, check=True
    )
    found = dict(zip((row.line for row in rows()), json.loads(finished.stdout), strict=True))

    compare(Dialect.NODE, lambda row: found[row.line].get(row.name))


@pytest.mark.check
def test_docker(engine: Engine, tmp_path: Path) -> None:
    """``docker create --env-file``, which reads the file before it asks the engine."""
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("docker is missing")
    file = tmp_path / "env"
    command = [
        docker,
        "--host",
        f"tcp://127.0.0.1:{engine.server_port}",
        "create",
        "--env-file",
        str(file),
        "unused",
    ]

    def value(row: Row) -> object:
        file.write_bytes(row.line.encode())
        engine.variables = []
        subprocess.run(command, capture_output=True, check=False, env={"HOME": str(tmp_path)})
        return dict(pair.partition("=")[::2] for pair in engine.variables).get(row.name, REFUSED)

    compare(Dialect.DOCKER, value)


@pytest.mark.check
def test_compose(tmp_path: Path) -> None:
    """``docker compose config``, which needs no engine, and doubles the dollar signs of what it prints."""
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("the plugin of Docker Compose is missing")
    (tmp_path / "compose.yml").write_text(COMPOSE_FILE)

    def value(row: Row) -> object:
        (tmp_path / ".env").write_bytes(row.line.encode())
        finished = subprocess.run(
            [docker, "compose", "config", "--format", "json"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            env={"HOME": str(tmp_path)},
        )
        if finished.returncode:
            return REFUSED
        found = json.loads(finished.stdout)["services"]["api"].get("environment", {}).get(row.name)
        return None if found is None else found.replace("$$", "$")

    compare(Dialect.COMPOSE, value)
