"""`bao agent`, with consul-template inside: it logs in and renders files."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.bao import environment
from tests.clients.wire import Wire
from tests.gunicorn_server import Server
from tests.openbao import required_program

_SECONDS = 60
SETTINGS = """\
{{ with secret "secret/data/team/app" }}password={{ .Data.data.password }}
version={{ .Data.metadata.version }}{{ end }}
{{ with secret "secret/team/db" }}database={{ .Data.data.password }}{{ end }}
{{ range secrets "secret/metadata/team/" }}name={{ . }}
{{ end }}"""


class Agent:
    """An agent that renders ``template`` to ``rendered`` and looks for changes each second."""

    def __init__(self, server: Server, folder: Path, method: dict[str, Any], template: str) -> None:
        self.rendered = folder / "rendered"
        self.log = folder / "agent.log"
        configuration = folder / "agent.json"
        configuration.write_text(
            json.dumps(
                {
                    "auto_auth": {"method": [method]},
                    "template_config": {"static_secret_render_interval": "1s"},
                    "template": [
                        {"contents": template, "destination": str(self.rendered), "perms": "0600"},
                    ],
                }
            )
        )
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [required_program(), "agent", f"-config={configuration}"],
                cwd=folder,
                env=environment(server, folder, None),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until(self, condition: Callable[[str], bool]) -> str:
        """Return the rendered file once it is as the condition says."""
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            if self.rendered.exists() and condition(text := self.rendered.read_text()):
                return text
            time.sleep(0.1)
        raise AssertionError(f"it did not render that: {self.log.read_text()}")

    def stop(self) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait(_SECONDS)


@pytest.fixture
def start(door: Server, tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Return a function that starts an agent with a method of logging in and a template."""
    agents = []

    def start(method: dict[str, Any], template: str) -> Agent:
        agents.append(Agent(door, tmp_path, method, template))
        return agents[-1]

    yield start
    for agent in agents:
        agent.stop()


@pytest.mark.parametrize(
    "request_", [{}, {"expires_in": 3600, "renewable": True}], ids=["endless", "renewable"]
)
def test_renders_with_a_token_from_a_file(
    door: Server,
    start: Callable[..., Agent],
    give: Callable[..., str],
    tmp_path: Path,
    request_: dict[str, Any],
) -> None:
    """In either spelling of a path, and again when a value changes; without an error in its log."""
    admin, file = Wire(door, give("admin")), tmp_path / "token"
    admin.write("team/app", password="hunter2")
    admin.write("team/db", password="hunter3")
    file.write_text(give("fetch:team/*", "list:team/*", **request_))

    agent = start({"type": "token_file", "config": {"token_file_path": str(file)}}, SETTINGS)
    text = agent.wait_until(lambda text: "name=db" in text)
    assert "password=hunter2\nversion=1\ndatabase=hunter3\nname=app\nname=db\n" == text
    assert 0o600 == agent.rendered.stat().st_mode & 0o777

    admin.write("team/app", password="changed")
    assert "version=2" in agent.wait_until(lambda text: "password=changed" in text)
    assert "[ERROR]" not in agent.log.read_text()
    assert "[WARN]" not in agent.log.read_text()
    assert "hunter" not in agent.log.read_text()


def test_renders_after_a_login_with_an_approle(
    door: Server,
    start: Callable[..., Agent],
    give: Callable[..., str],
    make_role: Callable[..., tuple[str, str]],
    tmp_path: Path,
) -> None:
    """It takes both ids from files, and renews the token that it gets."""
    admin = Wire(door, give("admin"))
    admin.write("team/app", password="hunter2")
    admin.write("team/db", password="hunter3")
    names = ("role_id", "secret_id")
    files = {f"{name}_file_path": str(tmp_path / name) for name in names}
    for name, text in zip(names, make_role("agent", "fetch:team/*", "list:team/*"), strict=True):
        (tmp_path / name).write_text(text)

    agent = start({"type": "approle", "config": files}, SETTINGS)

    assert "password=hunter2" in agent.wait_until(lambda text: "name=db" in text)
    log = agent.log.read_text()
    assert "renewed auth token" in log
    assert "[ERROR]" not in log
    # It removes the file, as it does by default.
    assert not (tmp_path / "secret_id").exists()
