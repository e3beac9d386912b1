"""What arrives at the driver's socket, and what it answers: with the real program, byte by byte."""

import base64
import json
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.swarm_driver.driver_process import CALL, TOKEN, DriverProcess, call, percentile
from tests.swarm_driver.vault_double import VaultDouble, delivers, hangs

HEAD = b"POST /SecretProvider.GetSecret HTTP/1.1\r\nHost: \r\n"


def parsed(raw: bytes) -> tuple[int, dict[str, Any]]:
    """Return status and document of a response."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_delivers(driver: DriverProcess, vault: VaultDouble) -> None:
    """The value, for this task alone; the vault is told who asks, and is shown the token."""
    answered = driver.ask()

    assert 200 == answered.status
    assert {"Value": base64.b64encode(b"hello").decode(), "DoNotReuse": True} == answered.document
    assert "application/vnd.docker.plugins.v1.2+json" == answered.content_type
    (asked,) = vault.requests
    assert "/vault/secret/deliver" == asked.path
    assert f"Bearer {TOKEN}" == asked.headers["authorization"]
    assert asked.document == {
        "path": "team/app/db",
        "version": 7,
        "service": {
            "id": CALL["ServiceID"],
            "name": "billing_api",
            "labels": {"com.docker.stack.namespace": "billing"},
            "image": CALL["TaskImage"],
        },
        "task": {"id": CALL["TaskID"], "name": CALL["TaskName"]},
        "node": {"id": CALL["NodeID"]},
        "docker_secret": "db.v7",
    }


def test_the_current_version_has_no_number(driver: DriverProcess, vault: VaultDouble) -> None:
    """It has to be said, and whatever the vault then answers is right."""
    labels = {"secret-manager.path": "team/app/db", "secret-manager.version": "current"}

    assert "Value" in driver.ask(call(SecretLabels=labels)).document
    assert "version" not in vault.requests[0].document


def test_a_file_can_hold_base64(driver: DriverProcess, vault: VaultDouble) -> None:
    """Where it must hold text, and the value is none."""
    vault.behaviour = delivers(base64.b64encode(b"\x00\xff").decode())
    labels = {**CALL["SecretLabels"], "secret-manager.encoding": "base64"}

    answered = driver.ask(call(SecretLabels=labels))

    assert base64.b64encode(b"\x00\xff") == base64.b64decode(answered.document["Value"])


def test_activates(driver: DriverProcess) -> None:
    """As a driver that is no managed plugin; the engine sends no body."""
    answered = driver.ask(b"", "/Plugin.Activate")

    assert (200, {"Implements": ["secretprovider"]}) == (answered.status, answered.document)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", "empty_request"),
        (b"{", "malformed_request"),
        (b"[" * 100_000, "malformed_request"),
        (b"\xff\xfe", "malformed_request"),
        (b"[]", "malformed_request"),
        (b"null", "malformed_request"),
        (b"{}", "malformed_request"),
        (call(SecretName=7), "malformed_request"),
        (call(SecretName=None), "malformed_request"),
        (call(SecretLabels=["secret-manager.path"]), "malformed_request"),
        (call(SecretLabels={"secret-manager.version": 7}), "malformed_request"),
        (call(ServiceLabels="x"), "malformed_request"),
        (call(TaskImage={}), "malformed_request"),
        # Before 19.03 there are no ids; a volume has no task.
        (call(ServiceID=None, TaskID=None, NodeID=None), "malformed_request"),
        (call(TaskID=None), "malformed_request"),
    ],
)
def test_refuses_what_is_no_call(
    driver: DriverProcess, vault: VaultDouble, body: bytes | dict[str, Any], outcome: str
) -> None:
    """With 400, at once, without asking the vault; the connection stays."""
    connection = driver.connect()

    answered = connection.ask(body)

    assert 400 == answered.status
    assert answered.document["Err"]
    assert answered.document["DoNotReuse"] is True
    assert answered.seconds < 1
    assert "Value" in connection.ask().document
    assert [outcome, "delivered"] == [line["outcome"] for line in driver.lines]
    assert 1 == len(vault.requests)
    connection.close()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (None, "lacks the label secret-manager.path"),
        ({"secret-manager.path": "a"}, "lacks the label secret-manager.version"),
        ({"secret-manager.version": "1"}, "lacks the label secret-manager.path"),
        ({"secret-manager.path": "", "secret-manager.version": "1"}, "is not a path"),
        ({"secret-manager.path": "a\nb", "secret-manager.version": "1"}, "is not a path"),
        ({"secret-manager.path": "a" * 513, "secret-manager.version": "1"}, "is not a path"),
        *(
            ({"secret-manager.path": "a", "secret-manager.version": version}, "must be a number from 1")
            for version in ("", "0", "-1", "1.0", "01", "+1", " 1", "١", "Current", "latest", "2147483648")
        ),
        ({**CALL["SecretLabels"], "secret-manager.encoding": "hex"}, "must be base64"),
        (
            {**CALL["SecretLabels"], "secret-manager.versoin": "1"},
            "secret-manager.versoin, which means nothing",
        ),
        ({**CALL["SecretLabels"], "secret-manager.Path": "b"}, "secret-manager.Path, which means nothing"),
    ],
)
def test_refuses_labels_that_do_not_say_which_secret(
    driver: DriverProcess, vault: VaultDouble, labels: dict[str, str] | None, said: str
) -> None:
    """A typing error is an error, and never another secret."""
    answered = driver.ask(call(SecretLabels=labels))

    assert 200 == answered.status
    assert said in answered.document["Err"]
    assert answered.document["DoNotReuse"] is True
    assert [] == vault.requests
    assert "invalid_labels" == driver.lines[0]["outcome"]


def test_labels_of_others_mean_nothing(driver: DriverProcess, vault: VaultDouble) -> None:
    """A stack adds its own."""
    labels = {**CALL["SecretLabels"], "com.docker.stack.namespace": "billing", "secret-managers": "x"}

    assert "Value" in driver.ask(call(SecretLabels=labels)).document
    assert 1 == len(vault.requests)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"POST /SecretProvider.GetSecret HTTP/2\r\n\r\n", 400),
        (HEAD + b"no colon\r\n\r\n", 400),
        (HEAD + b"Content-Length: 2\r\n continued\r\n\r\n{}", 400),
        (HEAD + b"Content-Length: -2\r\n\r\n{}", 400),
        (HEAD + b"Content-Length: two\r\n\r\n{}", 400),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 411),
        (HEAD + b"Content-Length: 2097153\r\n\r\n{}", 413),
        (HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    ],
)
def test_refuses_what_is_no_http(driver: DriverProcess, raw: bytes, status: int) -> None:
    """And closes the connection, as nobody knows where the next request begins."""
    found, document = parsed(driver.send(raw))

    assert status == found
    assert document["Err"]
    assert document["DoNotReuse"] is True
    assert "malformed_request" == driver.lines[0]["outcome"]


@pytest.mark.parametrize(
    "parts",
    [(b"P",), (HEAD,), (HEAD + b"Content-Length: 9\r\n\r\n{}",)],
)
def test_does_not_wait_for_the_rest_of_a_request(driver: DriverProcess, parts: tuple[bytes, ...]) -> None:
    """The engine sends it at once; the client of this test keeps its connection open."""
    started = time.monotonic()

    status, document = parsed(driver.send(*parts))

    assert 408 == status
    assert document["DoNotReuse"] is True
    assert time.monotonic() - started < 2


def test_a_request_in_pieces_is_one(driver: DriverProcess, vault: VaultDouble) -> None:
    """Wherever the stream is cut."""
    body = json.dumps(CALL).encode()
    raw = HEAD + f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    status, document = parsed(driver.send(raw[:30], raw[30:101], raw[101:], pause=0.05))

    assert 200 == status
    assert "Value" in document


def test_whoever_breaks_off_ends_nothing(driver: DriverProcess, vault: VaultDouble) -> None:
    """Without a request, within one, and before the answer."""
    vault.behaviour = hangs
    body = json.dumps(CALL).encode()
    whole = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    for part in (b"", HEAD, whole):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(driver.socket))
            connection.sendall(part)
    time.sleep(2.2)
    vault.behaviour = delivers()
    time.sleep(2)

    assert "Value" in driver.ask().document
    assert driver.process.poll() is None
    assert "fault" not in driver.output


@pytest.mark.parametrize(
    ("target", "method", "status"), [("/", "POST", 404), ("/SecretProvider.GetSecret", "GET", 405)]
)
def test_refuses_other_calls(driver: DriverProcess, target: str, method: str, status: int) -> None:
    """In the form that the engine expects of each answer."""
    answered = driver.ask(CALL, target, method)

    assert status == answered.status
    assert answered.document["Err"]
    assert answered.document["DoNotReuse"] is True


def test_a_connection_stays_open(driver: DriverProcess, vault: VaultDouble) -> None:
    """For many calls and idle in between; the connection to the vault as well."""
    connection = driver.connect()
    for pause in (0.0, 0.0, 0.0, 0.0, 2.5):
        time.sleep(pause)
        assert "Value" in connection.ask().document
    connection.close()

    # One, unless the token was renewed at the same moment.
    assert vault.connections <= 2
    assert 5 == len(vault.requests)


def test_idle_connections_are_in_nobodys_way(driver: DriverProcess, vault: VaultDouble) -> None:
    """Two hundred of them, before the call and after it."""
    idle = [driver.connect() for _ in range(200)]
    for connection in idle:
        connection.connect()

    assert "Value" in driver.ask().document
    assert all("Value" in connection.ask().document for connection in idle[:3])
    for connection in idle:
        connection.close()


def test_fifty_calls_at_once(
    driver: DriverProcess, vault: VaultDouble, record_property: Callable[[str, object], None]
) -> None:
    """Each has its own answer, over few connections to the vault; the time of each is printed."""

    def own(connection: socket.socket, asked: Any) -> bool:
        time.sleep(0.02)
        return delivers(base64.b64encode(asked.document["docker_secret"].encode()).decode())(
            connection, asked
        )

    vault.behaviour = own
    names = [f"db.v{number}" for number in range(50)]
    gate = threading.Barrier(50)

    def ask(name: str) -> tuple[str, float]:
        gate.wait()
        answered = driver.ask(call(SecretName=name))
        return base64.b64decode(answered.document.get("Value", "")).decode(), answered.seconds

    with ThreadPoolExecutor(50) as threads:
        found = list(threads.map(ask, names))

    assert names == [name for name, _ in found]
    # The ninth may be for a renewal of the token.
    assert vault.connections <= 9
    seconds = [each for _, each in found]
    report(record_property, "50 at once, 20 ms in the vault", seconds)


def test_the_time_of_a_call(
    driver: DriverProcess, vault: VaultDouble, record_property: Callable[[str, object], None]
) -> None:
    """Of 200 calls one after the other, as a new leader makes them; printed."""
    connection = driver.connect()
    seconds = [connection.ask().seconds for _ in range(200)]
    connection.close()

    assert 200 == len(vault.requests)
    assert max(seconds) < 2
    report(record_property, "200 in a row", seconds)


def report(record_property: Callable[[str, object], None], what: str, seconds: list[float]) -> None:
    """Print the times (`pytest -s` shows them) and put them into the report."""
    text = ", ".join(
        f"p{part * 100:.0f} {percentile(seconds, part) * 1000:.1f} ms" for part in (0.5, 0.99, 1)
    )
    record_property(what, text)
    print(f"{what}: {text}")  # noqa: T201


def test_only_its_user_may_connect(driver: DriverProcess) -> None:
    """Where the socket is not in a plugin's own folder."""
    assert 0o600 == stat.S_IMODE(driver.socket.stat().st_mode)


def test_ends_when_it_is_told_and_takes_over_from_one_that_was_killed(
    own_driver: DriverProcess, tmp_path: Path
) -> None:
    """SIGTERM leaves no socket; after SIGKILL the next one replaces it."""
    own_driver.stop(signal.SIGKILL)
    assert own_driver.socket.exists()

    successor = DriverProcess(tmp_path / "driver")
    assert "Err" in successor.ask().document

    assert 0 == successor.stop()
    assert not successor.socket.exists()


def test_has_no_rights(driver: DriverProcess) -> None:
    """No capability, no new rights, no core dump: whoever starts it."""
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{driver.process.pid}/status").read_text().splitlines()
    )

    for name in ("CapEff", "CapPrm", "CapInh"):
        assert 0 == int(status[name], 16)
    assert "1" == status["NoNewPrivs"]
    # What belongs to root here is closed to others of the process's user.
    assert 0 == os.stat(f"/proc/{driver.process.pid}/environ").st_uid  # noqa: PTH116
