"""renewal: the driver's own timer renews its token, and nothing ends it."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.swarm_driver.configuration import ConfigurationFolder
from service.swarm_driver.errors import (
    DeliveryError,
    InvalidAnswer,
    TokenRefused,
    VaultNotReached,
    VaultUnavailable,
)
from service.swarm_driver.log import Log
from service.swarm_driver.renewal import Renewal
from service.swarm_driver.vault import Vault
from tests.certificates import Authority
from tests.gunicorn_server import Server
from tests.swarm_driver import vault_double
from tests.swarm_driver.driver_process import TOKEN, DriverProcess
from tests.swarm_driver.vault_double import VaultDouble, answers, delivers

PLAIN = {"token_id": "0f3a5b7c9d1e2f40"}


def renewals(driver: DriverProcess) -> list[dict[str, Any]]:
    """Return the lines about renewals."""
    lines = [json.loads(line) for line in driver.output.splitlines()]
    return [line for line in lines if line["event"] == "renewal"]


def first_renewal(driver: DriverProcess) -> dict[str, Any]:
    """Wait for it: it comes within five seconds after the start."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        if lines := renewals(driver):
            return lines[0]
        time.sleep(0.05)
    raise AssertionError(driver.output)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration folder with a token."""
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    return tmp_path


@pytest.fixture
def vault(folder: Path) -> Iterator[VaultDouble]:
    """A vault without TLS that the folder names."""
    with vault_double.standing(None, delivers()) as vault:
        (folder / "driver.json").write_text(json.dumps({"addresses": [vault.address]}))
        yield vault


def ends_in(seconds: float) -> vault_double.Behaviour:
    """Renew the token until then."""
    return answers(200, {**PLAIN, "expires_at": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()})


def look(folder: Path, *steps: Callable[[], object]) -> list[type[DeliveryError] | None]:
    """Look once whether a renewal is due, and again after each step; return what went wrong each time."""

    async def run() -> list[type[DeliveryError] | None]:
        vault = Vault()
        with Path(os.devnull).open("wb") as nowhere:
            renewal = Renewal(ConfigurationFolder(folder), vault, Log(nowhere.fileno()))
            found: list[type[DeliveryError] | None] = []
            for step in (lambda: None, *steps):
                step()
                error = None
                try:
                    await renewal.renew_if_due()
                except DeliveryError as raised:
                    error = type(raised)
                found.append(error)
        vault.close()
        return found

    return asyncio.run(run())


def test_is_not_due_again_until_a_third_of_the_lifetime(folder: Path, vault: VaultDouble) -> None:
    """And due before half of it is over; a token without an end counts as one of a day."""
    vault.renewal = ends_in(2)
    assert [None] * 3 == look(folder, lambda: time.sleep(0.3), lambda: time.sleep(0.9))
    assert 2 == len(vault.renewals)
    assert f"Bearer {TOKEN}" == vault.renewals[0].headers["authorization"]

    vault.renewal = answers(200, {**PLAIN, "expires_at": None})
    assert [None] * 2 == look(folder, lambda: time.sleep(0.1))
    assert 3 == len(vault.renewals)


def test_another_token_is_renewed_at_once(folder: Path, vault: VaultDouble) -> None:
    """A playbook replaced it, and nobody knows when that one ends."""
    vault.renewal = ends_in(86_400)

    look(folder, lambda: (folder / "token").write_text(TOKEN.replace("5a", "5b")))

    assert 2 == len(vault.renewals)


@pytest.mark.parametrize(
    ("behaviour", "error", "calls"),
    [
        # What the token's end would not change waits for another token, or an hour.
        (answers(403, {"type": "/problems/forbidden"}), TokenRefused, 1),
        (answers(401, {"type": "/problems/token-expired"}), TokenRefused, 1),
        (answers(503, {"type": "/problems/database-unavailable"}), VaultUnavailable, 2),
        (answers(200, {}), InvalidAnswer, 2),
        (answers(200, {**PLAIN, "expires_at": "tomorrow"}), InvalidAnswer, 2),
        (vault_double.sends(b""), VaultNotReached, 2),
    ],
)
def test_a_failure_is_repeated_if_that_can_help(
    folder: Path,
    vault: VaultDouble,
    behaviour: vault_double.Behaviour,
    error: type[DeliveryError],
    calls: int,
) -> None:
    """With the next look."""
    vault.renewal = behaviour

    assert error == look(folder, lambda: None)[0]
    assert calls == len(vault.renewals)


def test_the_timer_runs_from_the_start(own_driver: DriverProcess, stand: Callable[..., VaultDouble]) -> None:
    """Without any call, over TLS, with a line in the log that says until when, and no token."""
    vault = stand(delivers())
    vault.renewal = ends_in(600)
    own_driver.set_addresses(vault.address)

    line = first_renewal(own_driver)

    assert ("renewed", "0f3a5b7c9d1e2f40") == (line["outcome"], line["token_id"])
    assert datetime.fromisoformat(line["expires_at"]) > datetime.now(UTC)
    assert "5a5a5a5a" not in own_driver.output


def test_a_renewal_that_fails_is_in_no_calls_way(
    own_driver: DriverProcess, stand: Callable[..., VaultDouble]
) -> None:
    """The breaker stays closed, and calls are answered while a renewal hangs."""
    vault = stand(delivers())
    vault.renewal = vault_double.hangs
    own_driver.set_addresses(vault.address)
    end = time.monotonic() + 15
    while not vault.renewals and time.monotonic() < end:
        time.sleep(0.05)

    assert vault.renewals
    assert "Value" in own_driver.ask().document
    assert "closed" == own_driver.lines[0]["breaker"]


def test_the_real_api_renews_it(
    serve: Callable[..., Server], give: Callable[..., str], authority: Authority, tmp_path: Path
) -> None:
    """With TLS and a token that is renewable; the answer has what the timer needs."""
    certificate = str(authority.issue("api"))
    server = serve(authority.file, AUTH_REQUIRED="true", TLS_CERT_FILE=certificate, TLS_KEY_FILE=certificate)
    server.wait_until()
    driver = DriverProcess(tmp_path / "driver", authority.file)
    try:
        driver.set_token(give("fetch:team/*", expires_in=3600, renewable=True))
        driver.set_addresses(f"https://127.0.0.1:{server.port}")
        line = first_renewal(driver)
    finally:
        driver.stop()

    assert "renewed" == line["outcome"], line
    left = datetime.fromisoformat(line["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
