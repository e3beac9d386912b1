"""The driver and a vault that hangs, answers late, is away or breaks off: it answers in time, in words."""

import base64
import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.swarm_driver.breaker import OPEN_SECONDS
from tests.certificates import Authority
from tests.gunicorn_server import free_port
from tests.swarm_driver import vault_double
from tests.swarm_driver.driver_process import CALL, TOKEN, DriverProcess, call
from tests.swarm_driver.vault_double import Asked, VaultDouble, answers, delivers, hangs, response, sends

CANARY = "canary-5d41402abc4b2a76b9719d911017c592"
Stand = Callable[..., VaultDouble]

# The limit of a call, and what a machine with other work may add.
LIMIT = 2.5
# What takes no time, on such a machine.
AT_ONCE = 0.4


def late(seconds: float) -> vault_double.Behaviour:
    """Answer rightly after this time."""

    def behave(connection: socket.socket, asked: Asked) -> bool:
        time.sleep(seconds)
        return delivers()(connection, asked)

    return behave


def drips(connection: socket.socket, _asked: Asked) -> bool:
    """Send a byte every tenth of a second, for longer than any call lasts."""
    for byte in response(200, {"secret": "aGVsbG8=", "version": 7}):
        connection.sendall(bytes([byte]))
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (hangs, "no answer in time"),
        (late(3), "no answer in time"),
        (drips, "no answer in time"),
        (sends(b""), "closed without a whole answer"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Le"), "closed without a whole answer"),
        (sends(response(200, {"secret": "aGVsbG8=", "version": 7})[:-3]), "closed without a whole answer"),
        (sends(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "not HTTP"),
        (sends(b"HTTP/1.1 200 OK\r\n\r\n{}"), "no Content-Length"),
    ],
)
def test_a_vault_that_does_not_answer(
    driver: DriverProcess, vault: VaultDouble, behaviour: vault_double.Behaviour, said: str
) -> None:
    """An error within two seconds, and an error at once for the next call."""
    vault.behaviour = behaviour

    first = driver.ask()
    asked = len(vault.requests)
    second = driver.ask()

    assert first.seconds < LIMIT
    assert first.document["Err"].startswith("vault not reachable: https://127.0.0.1:")
    assert said in first.document["Err"]
    assert second.seconds < AT_ONCE
    assert "a moment ago" in second.document["Err"]
    assert asked == len(vault.requests)
    assert first.document["DoNotReuse"] is second.document["DoNotReuse"] is True
    assert ["vault_not_reached", "circuit_open"] == [line["outcome"] for line in driver.lines]
    assert ["open", "open"] == [line["breaker"] for line in driver.lines]


def test_a_vault_that_answers_again(driver: DriverProcess, vault: VaultDouble) -> None:
    """It is asked again after two seconds, and all is as before."""
    vault.behaviour = sends(b"")
    driver.ask()
    vault.behaviour = delivers()
    time.sleep(1.5)
    assert "a moment ago" in driver.ask().document["Err"]

    time.sleep(0.6)
    assert "Value" in driver.ask().document
    assert "closed" == driver.lines[-1]["breaker"]


def test_a_vault_that_is_away(driver: DriverProcess, stand: Stand) -> None:
    """Known at once; and when it is back, so are the secrets."""
    port = free_port()
    driver.set_addresses(f"https://127.0.0.1:{port}")

    answered = driver.ask()

    assert answered.seconds < AT_ONCE
    assert f"vault not reachable: https://127.0.0.1:{port}: Connection refused" == answered.document["Err"]
    stand(delivers(), port)
    time.sleep(2.1)
    assert "Value" in driver.ask().document


def test_one_call_tries_while_the_others_do_not_wait(driver: DriverProcess, vault: VaultDouble) -> None:
    """When two seconds are over, the vault gets one request and not all that come."""
    vault.behaviour = hangs
    driver.ask()
    asked = len(vault.requests)
    time.sleep(2.1)
    gate = threading.Barrier(10)

    def ask(_number: int) -> tuple[float, str]:
        gate.wait()
        answered = driver.ask()
        return answered.seconds, answered.document["Err"]

    with ThreadPoolExecutor(10) as threads:
        found = sorted(threads.map(ask, range(10)))

    assert 1 == len(vault.requests) - asked
    assert ["a moment ago" in words for _, words in found] == [True] * 9 + [False]
    assert all(seconds < AT_ONCE for seconds, _ in found[:9])
    assert found[9][0] < LIMIT


def test_fifty_calls_at_once_and_no_answer(driver: DriverProcess, vault: VaultDouble) -> None:
    """All are answered within the limit, whether they have a connection or wait for one."""
    vault.behaviour = hangs
    gate = threading.Barrier(50)

    def ask(_number: int) -> float:
        gate.wait()
        return driver.ask().seconds

    with ThreadPoolExecutor(50) as threads:
        seconds = list(threads.map(ask, range(50)))

    assert max(seconds) < LIMIT
    print(f"50 at once, the vault hangs: the last after {max(seconds):.2f} s")  # noqa: T201


def test_the_next_address_is_asked(driver: DriverProcess, stand: Stand) -> None:
    """This node's is away; the answer is in time, and the second stays the first for a while."""
    second = stand(delivers())
    driver.set_addresses(f"https://127.0.0.1:{free_port()}", second.address)

    assert "Value" in driver.ask().document
    assert "Value" in driver.ask().document
    assert "closed" == driver.lines[-1]["breaker"]
    assert 2 == len(second.requests)


def test_an_address_that_hangs_costs_half_a_second_once(driver: DriverProcess, stand: Stand) -> None:
    """A stopped process still accepts: the engine's kernel does it, but nobody shakes hands."""
    second = stand(delivers())
    with socket.create_server(("127.0.0.1", 0)) as stopped:
        driver.set_addresses(f"https://127.0.0.1:{stopped.getsockname()[1]}", second.address)

        first, later = driver.ask(), driver.ask()

    assert "Value" in first.document
    assert first.seconds < LIMIT
    assert "Value" in later.document
    assert later.seconds < AT_ONCE


def test_this_nodes_address_comes_first(driver: DriverProcess, stand: Stand) -> None:
    """As long as it answers."""
    own, other = stand(delivers()), stand(delivers())
    driver.set_addresses(own.address, other.address)

    for _ in range(3):
        driver.ask()

    assert (3, 0) == (len(own.requests), len(other.requests))


def test_a_connection_that_the_vault_closed_is_no_failure(driver: DriverProcess, stand: Stand) -> None:
    """It closes those that are idle for five seconds, maybe just as the next call is on its way."""

    def once(connection: socket.socket, asked: Asked) -> bool:
        delivers()(connection, asked)
        return False

    vault = stand(once)
    driver.set_addresses(vault.address)

    assert ["Value" in driver.ask().document for _ in range(5)] == [True] * 5
    assert 5 <= vault.connections


@pytest.mark.parametrize(
    ("status", "problem", "outcome", "said"),
    [
        (
            404,
            "not-granted",
            "not_allowed",
            "not allowed: service billing_api may not have path team/app/db",
        ),
        (404, "secret-not-found", "not_allowed", "there is no secret team/app/db, or the driver's token"),
        (404, "limited-reads", "not_allowed", "team/app/db has limited reads"),
        (404, "no-such-version", "not_allowed", "no version 7 of team/app/db"),
        (404, "secret-deleted", "not_allowed", "version 7 of team/app/db cannot be had any more: deleted"),
        (404, "secret-expired", "not_allowed", "expired"),
        (404, None, "vault_unavailable", "API and driver have the same version"),
        (401, "token-expired", "token_refused", "does not accept the driver's token (token-expired)"),
        (403, "forbidden", "token_refused", "may not deliver team/app/db"),
        (422, "invalid-fields", "vault_unavailable", "does not understand the call (invalid-fields)"),
        (429, "too-many-requests", "vault_unavailable", "refuses so many calls"),
        (500, "record-tampered", "vault_unavailable", "cannot answer now (record-tampered)"),
        (503, "database-unavailable", "vault_unavailable", "cannot answer now (database-unavailable)"),
        (302, None, "vault_unavailable", "cannot answer now (status 302)"),
    ],
)
def test_a_refusal_is_said_in_words(
    driver: DriverProcess, vault: VaultDouble, status: int, problem: str | None, outcome: str, said: str
) -> None:
    """The vault was reached, so the next call asks it again; its own text goes nowhere."""
    kind = f"/problems/{problem}" if problem else "about:blank"
    document = {"type": kind, "status": status, "detail": CANARY, "request_id": "5f0c7e0a4d5b4c0f"}
    vault.behaviour = answers(status, document)

    answered = driver.ask()

    assert 200 == answered.status
    assert said in answered.document["Err"]
    assert answered.document["DoNotReuse"] is True
    assert CANARY not in answered.document["Err"] + driver.output
    (line,) = driver.lines
    assert (outcome, "closed", "5f0c7e0a4d5b4c0f") == (line["outcome"], line["breaker"], line["request_id"])
    driver.ask()
    assert 2 == len(vault.requests)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "without a JSON document"),
        ({}, "another version"),
        ({"secret": "aGVsbG8=", "version": 6}, "another version"),
        ({"version": 7}, "without a value"),
        ({"secret": 7, "version": 7}, "without a value"),
        ({"secret": "aGVs bG8=", "version": 7}, "without a value"),
        ({"secret": "", "version": 7}, "0 bytes"),
        ({"secret": base64.b64encode(bytes(512_000)).decode(), "version": 7}, "512000 bytes"),
        ({"secret": base64.b64encode(bytes(900_000)).decode(), "version": 7}, "too long"),
    ],
)
def test_an_answer_without_a_value_that_swarm_takes(
    driver: DriverProcess, vault: VaultDouble, document: Any, said: str
) -> None:
    """It is refused here, where there are words for it."""
    vault.behaviour = answers(200, document)

    answered = driver.ask()

    assert said in answered.document["Err"]
    assert ("invalid_answer", "closed") == (driver.lines[0]["outcome"], driver.lines[0]["breaker"])


@pytest.mark.parametrize("size", [1, 511_999])
def test_the_sizes_that_swarm_takes(driver: DriverProcess, vault: VaultDouble, size: int) -> None:
    """The smallest and the largest."""
    vault.behaviour = delivers(base64.b64encode(b"x" * size).decode())

    assert b"x" * size == base64.b64decode(driver.ask().document["Value"])


def test_the_size_counts_as_it_is_in_the_file(driver: DriverProcess, vault: VaultDouble) -> None:
    """Base64 of a value that would fit is too long."""
    vault.behaviour = delivers(base64.b64encode(b"x" * 400_000).decode())
    labels = {**CALL["SecretLabels"], "secret-manager.encoding": "base64"}

    assert "533336 bytes" in driver.ask(call(SecretLabels=labels)).document["Err"]


@pytest.mark.parametrize("service", ["secret-manager", "secret-manager_api", "secret-manager_mongodb-1"])
def test_the_vaults_own_stack_is_refused(driver: DriverProcess, vault: VaultDouble, service: str) -> None:
    """It must start without the vault."""
    assert "own stack secret-manager" in driver.ask(call(ServiceName=service)).document["Err"]
    assert "own_stack" == driver.lines[0]["outcome"]
    assert [] == vault.requests


def test_a_name_that_only_begins_like_it_is_not_its_own(driver: DriverProcess, vault: VaultDouble) -> None:
    """And a stack of another name can be told."""
    assert "Value" in driver.ask(call(ServiceName="secret-managers_api")).document

    driver.set_addresses(vault.address, own_stacks=["vault"])
    assert "Value" in driver.ask(call(ServiceName="secret-manager_api")).document
    assert "Err" in driver.ask(call(ServiceName="vault_api")).document


def test_a_certificate_of_another_ca(
    driver: DriverProcess, stand: Stand, tmp_path: Path, authority: Authority
) -> None:
    """Nothing is sent to it; with the right CA in the folder, the next call is answered."""
    vault = stand(delivers())
    driver.set_addresses(vault.address)
    other = Authority(tmp_path / "other", "another CA")
    (driver.folder / "ca.pem").write_bytes(other.file.read_bytes())

    assert "certificate is not accepted" in driver.ask().document["Err"]
    assert [] == vault.requests

    (driver.folder / "ca.pem").write_bytes(authority.file.read_bytes())
    time.sleep(2.1)
    assert "Value" in driver.ask().document


def test_another_name_in_the_certificate(driver: DriverProcess, stand: Stand, authority: Authority) -> None:
    """An address must be in it."""
    with vault_double.standing(authority.issue("elsewhere", "vault.example.org"), delivers()) as vault:
        driver.set_addresses(vault.address)

        assert "certificate is not accepted" in driver.ask().document["Err"]


def test_without_tls(driver: DriverProcess) -> None:
    """For a vault that has none: no CA is needed."""
    (driver.folder / "ca.pem").unlink()
    with vault_double.standing(None, delivers()) as vault:
        driver.set_addresses(vault.address)

        assert "Value" in driver.ask().document


def test_what_changes_in_the_folder_counts_for_the_next_call(
    driver: DriverProcess, vault: VaultDouble, stand: Stand
) -> None:
    """A token, and the addresses; without a restart."""
    driver.ask()
    driver.set_token(TOKEN.replace("5a", "5b"))
    driver.ask()
    assert [TOKEN, TOKEN.replace("5a", "5b")] == [
        asked.headers["authorization"].removeprefix("Bearer ") for asked in vault.requests
    ]

    other = stand(delivers())
    driver.set_addresses(other.address)
    driver.ask()
    assert (2, 1) == (len(vault.requests), len(other.requests))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "driver.json").unlink(), "driver.json: No such file"),
        (lambda folder: (folder / "driver.json").write_text("{"), "not a JSON document"),
        (lambda folder: (folder / "driver.json").write_text("[]"), "must be an object"),
        (lambda folder: (folder / "driver.json").write_text('{"addresses": []}'), "at least one address"),
        (lambda folder: (folder / "driver.json").write_text('{"addresses": "x"}'), "at least one address"),
        (lambda folder: (folder / "driver.json").write_text('{"addresses": ["x"]}'), "must look like https"),
        (lambda folder: (folder / "driver.json").write_text('{"adresses": []}'), "must be an object"),
        (
            lambda folder: (folder / "driver.json").write_text(
                json.dumps({"addresses": ["https://[::1]:0"]})
            ),
            "must look like https",
        ),
        (
            lambda folder: (folder / "driver.json").write_text(
                json.dumps({"addresses": ["https://[::1]:1"], "own_stacks": "x"})
            ),
            "own_stacks must be",
        ),
        (lambda folder: (folder / "ca.pem").unlink(), "ca.pem: No such file"),
        (lambda folder: (folder / "ca.pem").write_text("x"), "no readable certificate"),
        (lambda folder: (folder / "ca.pem").write_bytes(b"\xff"), "no readable certificate"),
        (lambda folder: (folder / "token").unlink(), "token: No such file"),
        (lambda folder: (folder / "token").write_text(""), "does not hold one token"),
        (lambda folder: (folder / "token").write_text(f"{TOKEN}\r\nX: y"), "does not hold one token"),
        (lambda folder: (folder / "token").chmod(0o640), "mode 0640"),
        (lambda folder: (folder / "token").rename(folder / "old"), "No such file"),
    ],
)
def test_a_bad_configuration_is_an_error_of_the_call(
    driver: DriverProcess, vault: VaultDouble, damage: Callable[[Path], object], said: str
) -> None:
    """The driver stays, says what is wrong, and quotes no token."""
    damage(driver.folder)

    answered = driver.ask()

    assert said in answered.document["Err"]
    assert answered.document["DoNotReuse"] is True
    assert "invalid_configuration" == driver.lines[0]["outcome"]
    assert "5a5a5a5a" not in answered.document["Err"] + driver.output
    assert [] == vault.requests
    assert driver.process.poll() is None


def test_no_value_and_no_token_reach_the_log(driver: DriverProcess, vault: VaultDouble) -> None:
    """Whether a call goes well or wrong at any place, and also if somebody took a token for a path."""
    value = base64.b64encode(CANARY.encode()).decode()
    whole = response(200, {"secret": value, "version": 7})
    for behaviour in (
        delivers(value),
        answers(200, {"secret": value, "version": 8}),
        answers(200, {"secret": f"{value}!", "version": 7}),
        answers(200, [value]),
        answers(500, {"detail": value, "type": CANARY, "title": CANARY}),
        answers(404, {"detail": value, "type": f"/problems/{CANARY}/"}),
        sends(b"HTTP/1.1 200 " + CANARY.encode() + b"\r\n" + CANARY.encode() + b"\r\n\r\n"),
        sends(whole[:-3]),
    ):
        vault.behaviour = behaviour
        driver.ask()
        if driver.lines[-1]["breaker"] != "closed":
            time.sleep(2.1)
    vault.behaviour = delivers(value)
    labels = {"secret-manager.path": TOKEN, "secret-manager.version": "1"}
    driver.ask(call(SecretLabels=labels, SecretName=f"x{TOKEN.upper()}", ServiceName=f"a\n{TOKEN}"))
    driver.ask(json.dumps(CALL).encode()[:-1])

    # The last two: one delivered, one not JSON.
    assert 10 == len(driver.lines)
    for word in (CANARY, value[:-4], "5a5a5a5a", "5A5A5A5A", "com.docker.stack.namespace"):
        assert word not in driver.output


def test_a_line_says_what_became_of_a_call(driver: DriverProcess, vault: VaultDouble) -> None:
    """So that deliveries, their time and the breaker can be counted and alerted on."""
    driver.ask()

    (line,) = driver.lines
    milliseconds, timestamp = line.pop("ms"), line.pop("timestamp")
    assert 0 < milliseconds < 2000
    assert timestamp.endswith("+00:00")
    assert line == {
        "event": "call",
        "outcome": "delivered",
        "breaker": "closed",
        "docker_secret": "db.v7",
        "service": "billing_api",
        "task_id": CALL["TaskID"],
        "node_id": CALL["NodeID"],
        "path": "team/app/db",
        "version": 7,
    }


def test_the_vault_is_told_how_many_calls_did_not_reach_it(driver: DriverProcess, vault: VaultDouble) -> None:
    """Once, with the next call that it answers with a value; not with one that it refuses."""
    vault.behaviour = sends(b"")
    for _ in range(3):
        driver.ask()
    time.sleep(OPEN_SECONDS + 0.1)
    vault.behaviour = answers(404, {"type": "/problems/not-granted"})
    driver.ask()
    vault.behaviour = delivers()
    driver.ask()
    driver.ask()

    told = [asked.headers.get("secret-manager-unreached") for asked in vault.requests]

    assert [None, "3", "3", None] == told
