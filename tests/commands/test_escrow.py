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
from flask.testing import FlaskClient
from pymongo.database import Database

from service.crypto.aead import key_id_of
from tests.calls import CREATE, post
from tests.certificates import Authority
from tests.commands.operator import operate
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY
from tests.crypto.test_escrow import pem_of
from tests.crypto.test_escrow import private as private_key
from tests.crypto.test_signatures import pem_of as pem_of_ca
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


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The cluster's CA."""
    return Authority(tmp_path)


def open_sealed(
    action: str, file: Path, private: str, *options: str, passphrase: bytes = PASSPHRASE
) -> subprocess.CompletedProcess[bytes]:
    """Check or open a sealed key, with the passphrase as standard input."""
    arguments = ("--private-key", private, "--passphrase-file", "/dev/stdin", *options)
    return operate({}, "escrow", action, str(file), *arguments, stdin=passphrase)


def seal(name: str, key: bytes = NEW_IN_BASE64, kind: str = "master-key") -> bytes:
    """Return a sealed key, as everybody can make one who has the public key."""
    return operate({}, "escrow", "seal", "--given", kind, name, stdin=public() + key + b"\n").stdout


def sign(authority: Authority, sealed: bytes) -> bytes:
    """Return sealed keys as a CA signs them, whose key has a passphrase."""
    stdin = pem_of_ca(authority.key, PASSPHRASE) + PASSPHRASE + b"\n" + sealed
    return operate({}, "escrow", "sign", stdin=stdin).stdout


def refusal(finished: subprocess.CompletedProcess[bytes]) -> bytes:
    """Return the one line that a refused command has printed."""
    assert (2, b"", 1) == (finished.returncode, finished.stdout, len(finished.stderr.splitlines()))
    return finished.stderr


def test_seals_all_keys_that_the_service_holds(
    both: dict[str, str], private: str, authority: Authority, tmp_path: Path, database: Database
) -> None:
    """One line per key; with an audit record, because the owner of the public key gets the keys."""
    sealed = operate(both, "escrow", "seal", stdin=public())

    assert (0, b"") == (sealed.returncode, sealed.stderr)
    first, second = sealed.stdout.splitlines()
    assert [("master_key_v1", OLD), ("master_key_v2", NEW)] == [
        (line["name"], line["key_id"]) for line in map(json.loads, (first, second))
    ]
    file = tmp_path / "master_key_v2.json"
    file.write_bytes(sign(authority, second))
    opened = open_sealed("open", file, private, "--ca", str(authority.file))
    assert (NEW_IN_BASE64 + b"\n", b"") == (opened.stdout, opened.stderr)
    checked = open_sealed("check", file, private, "--ca", str(authority.file))
    assert {
        "kind": "master-key",
        "name": "master_key_v2",
        "key_id": NEW,
        "authentic": True,
    } == json.loads(checked.stdout)
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


def test_seals_a_key_that_was_just_born(private: str, authority: Authority, tmp_path: Path) -> None:
    """The key follows the public key; neither service nor database exists yet."""
    file = tmp_path / "sealed"
    for kind, value in (("master-key", NEW_IN_BASE64), ("unlock-key", b"SWMKEY-1-abc")):
        file.write_bytes(sign(authority, seal("new", value, kind)))
        assert value + b"\n" == open_sealed("open", file, private, "--ca", str(authority.file)).stdout


@pytest.mark.parametrize("action", ["check", "open"])
@pytest.mark.parametrize(("kind", "key"), [("master-key", NEW_IN_BASE64), ("unlock-key", b"SWMKEY-1-abc")])
def test_refuses_a_forged_key(
    kind: str, key: bytes, action: str, private: str, authority: Authority, tmp_path: Path
) -> None:
    """Somebody's own key, sealed for the operator under a good name: the public key is enough."""
    file = tmp_path / "master_key_v2.json"
    stranger = Authority(tmp_path / "stranger")
    claim = f"{kind} master_key_v2 ({json.loads(seal('x', key, kind))['key_id']})".encode()

    file.write_bytes(seal("master_key_v2", key, kind))
    for options in ((), ("--ca", str(authority.file))):
        said = refusal(open_sealed(action, file, private, *options))
        assert b"it is not signed" in said
        assert claim in said
        assert b"--accept-unsigned" in said
    file.write_bytes(sign(stranger, seal("master_key_v2", key, kind)))
    for options, says in (
        (("--ca", str(authority.file)), b"signed by another CA"),
        (("--ca", str(authority.file), "--accept-unsigned"), b"signed by another CA"),
        ((), claim + b": name the certificate with --ca FILE"),
    ):
        assert says in refusal(open_sealed(action, file, private, *options))
    authentic = json.loads(sign(authority, seal("master_key_v1", key, kind)))
    file.write_bytes(json.dumps(authentic | {"name": "master_key_v2"}).encode())
    for options in (("--ca", str(authority.file)), ("--ca", str(authority.file), "--accept-unsigned")):
        assert b"its signature is invalid" in refusal(open_sealed(action, file, private, *options))


def test_accepts_a_key_from_before_when_told_so(private: str, authority: Authority, tmp_path: Path) -> None:
    """Not silently: it says what it accepts, on standard error."""
    unsigned, signed = tmp_path / "unsigned", tmp_path / "signed"
    unsigned.write_bytes(seal("master_key_v2"))
    signed.write_bytes(sign(authority, seal("master_key_v2")))
    certificate = ("--ca", str(authority.file))

    for file, options in ((unsigned, certificate), (unsigned, ()), (signed, ())):
        opened = open_sealed("open", file, private, *options, "--accept-unsigned")
        checked = open_sealed("check", file, private, *options, "--accept-unsigned")
        assert (0, NEW_IN_BASE64 + b"\n") == (opened.returncode, opened.stdout)
        assert json.loads(checked.stdout)["authentic"] is False
        for warned in (opened, checked):
            assert f"without a verified signature: master-key master_key_v2 ({NEW})".encode() in warned.stderr
    verified = open_sealed("check", signed, private, *certificate, "--accept-unsigned")
    assert (True, b"") == (json.loads(verified.stdout)["authentic"], verified.stderr)


def test_signs_several_keys_and_again(private: str, authority: Authority, tmp_path: Path) -> None:
    """The CA's key comes without a passphrase here; a signature of an earlier CA is replaced."""
    file = tmp_path / "sealed"
    earlier = sign(Authority(tmp_path / "earlier"), seal("a") + seal("b"))

    signed = operate({}, "escrow", "sign", stdin=pem_of_ca(authority.key) + earlier)

    assert ["a", "b"] == [json.loads(line)["name"] for line in signed.stdout.splitlines()]
    for line in signed.stdout.splitlines():
        file.write_bytes(line)
        assert 0 == open_sealed("check", file, private, "--ca", str(authority.file)).returncode


def test_signs_nothing_else(authority: Authority) -> None:
    """One line that repeats nothing of the input."""
    for stdin, says in (
        (b"", b"the CA's key cannot be read"),
        (seal("a"), b"the CA's key cannot be read"),
        (pem_of_ca(authority.key, PASSPHRASE), b"the CA's key cannot be read"),
        (pem_of_ca(authority.key, PASSPHRASE) + b"wrong horse\n" + seal("a"), b"the CA's key cannot be read"),
        (pem_of_ca(authority.key) + seal("a") + b"horse\n", b"a line after the CA's key cannot be signed"),
    ):
        said = refusal(operate({}, "escrow", "sign", stdin=stdin))
        assert says in said
        assert b"horse" not in said


def test_takes_the_primary_key_from_the_backup(
    both: dict[str, str], client: FlaskClient, private: str, authority: Authority, tmp_path: Path
) -> None:
    """And neither a key that the backup does not name, nor fewer than it names."""
    post(client, CREATE, {"secret": "YQ=="})
    backup = tmp_path / "vault.backup"
    backup.write_bytes(operate(both, "backup", "create").stdout)
    # The names say nothing: the primary one has the lower number.
    files = {
        name: tmp_path / f"{name}.json"
        for name in ("master_key_v7", "master_key_v8", "master_key_v9", "unlock")
    }
    for (name, file), key in zip(
        files.items(),
        (NEW_IN_BASE64, base64.b64encode(MASTER_KEY), base64.b64encode(b"9" * 32), b"SWMKEY-1-abc"),
        strict=True,
    ):
        kind = "unlock-key" if name == "unlock" else "master-key"
        file.write_bytes(sign(authority, seal(name, key, kind)))
    again = tmp_path / "again.json"
    again.write_bytes(files["master_key_v8"].read_bytes())

    def check(*named: Path, of: Path = backup) -> subprocess.CompletedProcess[bytes]:
        last = str(named[-1]), "--ca", str(authority.file), "--backup", str(of)
        return open_sealed("check", named[0], private, *map(str, named[1:-1]), *last)

    primary, other, foreign, unlock = files.values()
    checked = check(other, primary)
    assert [("master_key_v8", False), ("master_key_v7", True)] == [
        (line["name"], line["primary"]) for line in map(json.loads, checked.stdout.splitlines())
    ]
    altered = tmp_path / "altered.backup"
    altered.write_bytes(backup.read_bytes()[:-1])
    for refused, says in (
        (check(other, primary, foreign), b"the backup does not name master_key_v9"),
        (check(primary, primary), b"no two have the same name"),
        (check(other, primary, unlock), b"each file holds a master key"),
        (check(other, again), b"no two have the same name"),
        (check(other, foreign), f"sealed under master key {NEW}".encode()),
        (
            open_sealed("check", primary, private, "--ca", str(authority.file), "--backup", str(backup)),
            OLD.encode(),
        ),
        (check(other, primary, of=altered), b"this backup cannot be used"),
        (check(other, primary, of=tmp_path / "none"), b"--backup: cannot read"),
    ):
        assert says in refusal(refused)


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


def test_tells_why_it_does_not_open(private: str, authority: Authority, tmp_path: Path) -> None:
    """A wrong passphrase, a damaged file, a missing file."""
    file = tmp_path / "sealed"
    file.write_bytes(sign(authority, seal("new")))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(file.read_bytes()[:-30])

    for refused, says in (
        (open_sealed("open", file, private, passphrase=b"wrong horse"), b"wrong passphrase"),
        (open_sealed("open", damaged, private), b"it was cut short"),
        (open_sealed("open", tmp_path / "none", private), b"No such file"),
        (open_sealed("open", file, str(file)), b"cannot be read"),
        (open_sealed("open", file, private, "--ca", str(file)), b"the CA's certificate cannot be read"),
        (open_sealed("open", file, private, "--ca", str(tmp_path / "none")), b"--ca: cannot read"),
    ):
        assert says in refusal(refused)


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
