"""commands.escrow: sealing and opening keys through pipes."""

import base64
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pymongo.database import Database

from service.crypto.aead import key_id_of
from tests.commands.operator import operate
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY
from tests.crypto.test_escrow import pem_of
from tests.crypto.test_escrow import private as private_key
from tests.gunicorn_server import ROOT

PASSPHRASE = b"correct horse battery"
OLD, NEW = (key_id_of(key).hex() for key in (MASTER_KEY, OTHER_MASTER_KEY))
NEW_IN_BASE64 = base64.b64encode(OTHER_MASTER_KEY)


def public() -> bytes:
    """Return the operator's public key."""
    return pem_of(private_key().public_key())


@pytest.fixture
def private(tmp_path: Path) -> str:
    """The file of the operator's private key."""
    file = tmp_path / "escrow.pem"
    protection = serialization.BestAvailableEncryption(PASSPHRASE)
    file.write_bytes(
        private_key().private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    )
    return str(file)


@pytest.fixture
def both(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables of a process with two master keys."""
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "master_key_v1").write_bytes(MASTER_KEY)
    (folder / "master_key_v2").write_bytes(NEW_IN_BASE64)
    others = {name: value for name, value in environment.items() if name != "MASTER_KEY"}
    return others | {"MASTER_KEYS_DIR": str(folder), "MASTER_KEY_PRIMARY": "master_key_v2"}


def open_sealed(
    action: str, file: Path, private: str, passphrase: bytes = PASSPHRASE
) -> subprocess.CompletedProcess[bytes]:
    """Check or open a sealed key, with the passphrase as standard input."""
    arguments = ("--private-key", private, "--passphrase-file", "/dev/stdin")
    return operate({}, "escrow", action, str(file), *arguments, stdin=passphrase)


def test_seals_all_keys_that_the_service_holds(
    both: dict[str, str], private: str, tmp_path: Path, database: Database
) -> None:
    """One line per key; with an audit record, because the owner of the public key gets the keys."""
    sealed = operate(both, "escrow", "seal", stdin=public())

    assert (0, b"") == (sealed.returncode, sealed.stderr)
    first, second = sealed.stdout.splitlines()
    assert [("master_key_v1", OLD), ("master_key_v2", NEW)] == [
        (line["name"], line["key_id"]) for line in map(json.loads, (first, second))
    ]
    file = tmp_path / "master_key_v2.json"
    file.write_bytes(second)
    assert NEW_IN_BASE64 + b"\n" == open_sealed("open", file, private).stdout
    checked = open_sealed("check", file, private)
    assert {"kind": "master-key", "name": "master_key_v2", "key_id": NEW} == json.loads(checked.stdout)
    for form in (OTHER_MASTER_KEY, NEW_IN_BASE64):
        assert form not in checked.stdout + checked.stderr + sealed.stdout
    assert 1 == database.audit_logs.count_documents({"operation": "key_escrow", "actor": "operator"})


def test_seals_those_that_are_named_only(both: dict[str, str]) -> None:
    """An unknown name is refused."""
    sealed = operate(both, "escrow", "seal", "master_key_v1", stdin=public())
    refused = operate(both, "escrow", "seal", "master_key_v3", stdin=public())

    assert ["master_key_v1"] == [json.loads(line)["name"] for line in sealed.stdout.splitlines()]
    assert (2, b"") == (refused.returncode, refused.stdout)
    assert b"there is no master key master_key_v3 here, but master_key_v1, master_key_v2" in refused.stderr


def test_seals_nothing_without_a_record(both: dict[str, str], database: Database, nothing_yet: None) -> None:
    """Without an audit record no key is printed."""
    database.create_collection("audit_logs", validator={"never": {"$exists": True}})

    refused = operate(both, "escrow", "seal", stdin=public())

    assert (2, b"") == (refused.returncode, refused.stdout)
    assert b"the audit log cannot be written" in refused.stderr


def test_seals_a_key_that_was_just_born(private: str, tmp_path: Path) -> None:
    """The key follows the public key; neither service nor database exists yet."""
    file = tmp_path / "sealed"
    for kind, value in (("master-key", NEW_IN_BASE64), ("unlock-key", b"SWMKEY-1-abc")):
        sealed = operate({}, "escrow", "seal", "--given", kind, "new", stdin=public() + value + b"\n")
        file.write_bytes(sealed.stdout)
        assert value + b"\n" == open_sealed("open", file, private).stdout


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        (b"", b"not an RSA key of 3072 bits"),
        (NEW_IN_BASE64, b"not an RSA key of 3072 bits"),
        (b"<PUBLIC>", b"nothing follows the public key"),
        (b"<PUBLIC>short\n", b"takes base64 of 32 bytes"),
    ],
)
def test_refuses_to_seal_what_is_no_key(stdin: bytes, says: bytes) -> None:
    """One line that repeats nothing of the input."""
    stdin = stdin.replace(b"<PUBLIC>", public())
    refused = operate({}, "escrow", "seal", "--given", "master-key", "new", stdin=stdin)

    assert (2, b"", 1) == (refused.returncode, refused.stdout, len(refused.stderr.splitlines()))
    assert says in refused.stderr
    assert NEW_IN_BASE64 not in refused.stderr


def test_tells_why_it_does_not_open(private: str, tmp_path: Path) -> None:
    """A wrong passphrase, a damaged file, a missing file."""
    file = tmp_path / "sealed"
    file.write_bytes(
        operate({}, "escrow", "seal", "--given", "master-key", "new", stdin=public() + NEW_IN_BASE64).stdout
    )
    damaged = tmp_path / "damaged"
    damaged.write_bytes(file.read_bytes()[:-30])

    for refused, says in (
        (open_sealed("open", file, private, b"wrong horse"), b"wrong passphrase"),
        (open_sealed("open", damaged, private), b"it was cut short"),
        (open_sealed("open", tmp_path / "none", private), b"No such file"),
        (open_sealed("open", file, str(file)), b"cannot be read"),
    ):
        assert (2, b"", 1) == (refused.returncode, refused.stdout, len(refused.stderr.splitlines()))
        assert says in refused.stderr


def test_shows_no_key_on_a_terminal(private: str, tmp_path: Path) -> None:
    """It would stay in the terminal's scroll-back buffer."""
    primary, terminal = pty.openpty()
    finished = subprocess.run(
        [sys.executable, "-m", "service", "escrow", "open", "file", "--private-key", private],
        cwd=ROOT,
        stdout=terminal,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(terminal)
    os.close(primary)

    assert 2 == finished.returncode
    assert b"a key is not printed on a terminal" in finished.stderr
