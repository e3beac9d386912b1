"""Plays believe what is in escrow only if the cluster's CA has signed it; no machine is asked before that."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa

from service.crypto import escrow
from service.crypto.escrow import Escrowed, EscrowKind
from tests.backup.test_recovery import backup
from tests.certificates import Authority
from tests.cluster.playbook import Run, play, play_well
from tests.crypto.test_escrow import private, private_pem
from tests.crypto.test_signatures import PASSPHRASE, certificate_of, pem_of
from tests.test_plan import inventory

# What `restore_master_key.yml` says once it has read the files: this inventory has two managers.
GOES_ON = "Managers and members decide by majority"
KEY, OTHER_KEY = bytes([2]) * 32, bytes([3]) * 32


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The cluster's CA, where the plays expect it."""
    authority = Authority(tmp_path / "secrets")
    authority.file.rename(tmp_path / "secrets" / "ca.crt")
    return authority


def sealed(name: str = "master_key_v2", key: bytes = KEY) -> Escrowed:
    """Return a master key that is sealed for the operator."""
    return escrow.seal(EscrowKind.MASTER_KEY, name, key, private().public_key())


def restore(tmp_path: Path, *files: Escrowed, **variables: object) -> Run:
    """Begin to restore these keys."""
    paths = [tmp_path / f"{number}.json" for number, _ in enumerate(files)]
    for path, file in zip(paths, files, strict=True):
        path.write_text(file.dump())
    private_key = tmp_path / "escrow.pem"
    private_key.write_bytes(private_pem())
    given: dict[str, Any] = {
        "certificates_folder": tmp_path / "secrets",
        "escrow_private_key": private_key,
        "escrow_file": ",".join(map(str, paths)),
    }
    hosts = inventory(tmp_path, 2, 1, 1)
    run = play("playbooks/restore_master_key.yml", "-i", hosts, **(given | variables))
    assert run.code != 0
    return Run(run.code, " ".join(run.output.split()))


def test_a_signed_key_is_restored(tmp_path: Path, authority: Authority) -> None:
    """With the CA in its usual place, and with one that the operator kept."""
    signed = escrow.sign(sealed(), authority.key)
    usual = restore(tmp_path, signed)
    kept = (tmp_path / "secrets").rename(tmp_path / "kept") / "ca.crt"
    named = restore(tmp_path, signed, escrow_ca=kept)
    lost = restore(tmp_path, signed)

    assert (True, True, False) == tuple(GOES_ON in run.output for run in (usual, named, lost))
    assert "WARNING" not in usual.output + named.output
    assert "with -e escrow_ca=PATH" in lost.output


def test_a_forged_key_is_refused(tmp_path: Path, authority: Authority) -> None:
    """Sealed for the operator under a good name, and not signed, or by somebody else."""
    stranger = Authority(tmp_path / "stranger")

    unsigned = restore(tmp_path, sealed())
    other = restore(tmp_path, escrow.sign(sealed(), stranger.key))

    assert GOES_ON not in unsigned.output + other.output
    assert f"it claims to be master-key master_key_v2 ({sealed().key_id})" in unsigned.output
    assert "accept it with -e escrow_accept_unsigned=true" in unsigned.output
    assert "signed by another CA" in other.output


def test_a_key_from_before_is_accepted_when_told_so(tmp_path: Path, authority: Authority) -> None:
    """The output shows what it is."""
    run = restore(tmp_path, sealed(), escrow_accept_unsigned=True)

    assert GOES_ON in run.output
    assert (
        f"accepted without a verified signature: master-key master_key_v2 ({sealed().key_id})" in run.output
    )


def test_a_key_that_the_backup_does_not_name_is_refused(tmp_path: Path, authority: Authority) -> None:
    """Although it is signed, and has the higher number."""
    file = tmp_path / "vault.backup"
    file.write_bytes(backup(primary=KEY))
    named = escrow.sign(sealed(), authority.key)
    foreign = escrow.sign(sealed("master_key_v3", OTHER_KEY), authority.key)

    assert GOES_ON in restore(tmp_path, named, backup=file).output
    refused = restore(tmp_path, named, foreign, backup=file).output
    assert GOES_ON not in refused
    assert f"the backup does not name master_key_v3 ({foreign.key_id})" in refused


@pytest.mark.parametrize("passphrase", [PASSPHRASE, None], ids=["passphrase", "no passphrase"])
def test_a_ca_of_ones_own_signs(tmp_path: Path, passphrase: bytes | None) -> None:
    """Its key is a variable; nothing shows it, not even with -vvv."""
    key = rsa.generate_private_key(65537, 2048)
    variables = {
        "certificates_ca_certificate": certificate_of(key).decode(),
        "certificates_ca_key": pem_of(key, passphrase).decode(),
        "certificates_ca_passphrase": (passphrase or b"").decode(),
        "certificates_sealed": [sealed().dump(), sealed("master_key_v1", OTHER_KEY).dump()],
    }
    (tmp_path / "variables.json").write_text(json.dumps(variables))
    sign = {"ansible.builtin.include_role": {"name": "certificates", "tasks_from": "sign"}}
    written = tmp_path / "signed.json"
    write = {"ansible.builtin.copy": {"content": "{{ certificates_signed | to_json }}", "dest": str(written)}}
    playbook = tmp_path / "sign.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "tasks": [sign, write]}]))

    run = play_well(str(playbook), "-e", f"@{tmp_path}/variables.json", "-vvv")

    signed = [escrow.parse(line.encode()) for line in json.loads(written.read_text())]
    assert ["master_key_v2", "master_key_v1"] == [each.name for each in signed]
    for each in signed:
        escrow.verify(each, certificate_of(key))
    for secret in (PASSPHRASE.decode(), "PRIVATE KEY", base64.b64encode(KEY).decode()):
        assert secret not in run.output
