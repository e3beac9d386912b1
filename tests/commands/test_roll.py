"""commands.roll: what it refuses before it asks the engine or the vault anything."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.programs import as_text, run_module

TOKEN = "hunter2"
# Nothing listens there.
ADDRESS = "http://127.0.0.1:9"


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """Return a file with a token."""
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text(f"{TOKEN}\n")
    return file


def roll(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Roll a secret, with options beside those for the vault and for an engine that is not there."""
    given = ("--token-file", str(folder / "token"), "--docker", str(folder / "docker.sock"))
    finished = run_module(
        *("service", "roll", "team/billing/db", "--address", ADDRESS, *given, *options),
        environment={"PATH": os.environ["PATH"]},
    )
    return as_text(finished)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--generate", "--to", "3"), "--generate rolls to a new version: leave --to out"),
        (("--length", "40"), "--length and --alphabet are for --generate"),
        (("--alphabet", "hex"), "--length and --alphabet are for --generate"),
        (("--to", "0"), "Invalid value for '--to'"),
        (("--to", "latest"), "Invalid value for '--to'"),
        (("--timeout", "0"), "Invalid value for '--timeout'"),
        (("--prune",), "No such option '--prune'"),
        (("--address", "vault.example.org"), "vault.example.org is no address of the vault"),
        (("--address", "https://192.0.2.11:8000"), "an address with https needs the file of the CA"),
    ],
    ids=str,
)
def test_refuses_options_that_do_not_fit(
    tmp_path: Path, token_file: Path, options: tuple[str, ...], says: str
) -> None:
    """Exit code 2, which says that nothing was touched, and why."""
    finished = roll(tmp_path, *options)

    assert (2, "") == (finished.returncode, finished.stdout)
    assert says in finished.stderr
    assert TOKEN not in finished.stderr


def test_needs_an_address_and_a_token() -> None:
    """There is no default of either."""
    for given, missing in ((("--token-file", "t"), "--address"), (("--address", ADDRESS), "--token-file")):
        finished = as_text(run_module("service", "roll", "team/billing/db", *given, environment={}))

        assert 2 == finished.returncode
        assert f"Missing option '{missing}'" in finished.stderr


def test_says_if_there_is_no_token_file(tmp_path: Path) -> None:
    """With its name."""
    finished = roll(tmp_path)

    assert (2, "") == (finished.returncode, finished.stdout)
    assert f"cannot read {tmp_path / 'token'}: No such file or directory" in finished.stderr


@pytest.mark.parametrize("text", ["", "\n", "hunter2 hunter3", "hunter2\nhunter3", "hünter2"])
def test_takes_a_file_with_one_token_only(tmp_path: Path, token_file: Path, text: str) -> None:
    """What it holds instead is not shown."""
    token_file.write_text(text)

    finished = roll(tmp_path)

    assert 2 == finished.returncode
    assert f"{token_file} does not hold one token and nothing else" in finished.stderr
    assert "nter" not in finished.stderr.replace(str(tmp_path), "")


def test_says_if_the_certificate_of_the_ca_is_unreadable(tmp_path: Path, token_file: Path) -> None:
    """Whether it is missing or no certificate."""
    address = ("--address", "https://192.0.2.11:8000")

    missing = roll(tmp_path, *address, "--ca", str(tmp_path / "ca.pem"))
    wrong = roll(tmp_path, *address, "--ca", str(token_file))

    assert (2, 2) == (missing.returncode, wrong.returncode)
    assert f"cannot read {tmp_path / 'ca.pem'}: No such file or directory" in missing.stderr
    assert f"{token_file} has no readable certificate: it must be PEM" in wrong.stderr
    assert TOKEN not in wrong.stderr


def test_says_if_no_engine_answers(tmp_path: Path, token_file: Path) -> None:
    """In one line, with the socket's name, and that nothing was touched."""
    finished = roll(tmp_path)

    assert (2, "") == (finished.returncode, finished.stdout)
    (line,) = finished.stderr.splitlines()
    assert "nothing was touched: the engine at " in line
    assert f"{tmp_path / 'docker.sock'} does not answer: No such file or directory" in line


def test_its_help_has_the_exit_codes() -> None:
    """All that there are."""
    finished = as_text(run_module("service", "roll", "--help", environment={}))

    lines = [line.strip() for line in finished.stdout.splitlines()]
    assert ["0", "1", "2", "3", "4"] == [line[0] for line in lines if line[:1].isdecimal()]
