"""backup.recovery: the manifest says which keys a backup needs, and which was the primary one."""

import io

import pytest

from service.backup import archive
from service.backup.manifest import FORMAT, Manifest
from service.backup.recovery import primary_key
from service.crypto.aead import key_id_of
from service.crypto.keyring import KeyRing, MasterKeys
from service.errors import ConfigurationError, Tampered

OLD, NEW, FOREIGN = (bytes([number]) * 32 for number in (1, 2, 3))


def backup(*under: bytes, primary: bytes = NEW) -> bytes:
    """Return a backup without documents, whose manifest names these keys."""
    ring = KeyRing(lambda: MasterKeys(primary, (primary,)), lambda _: None)
    manifest = Manifest(
        format=FORMAT,
        backup_id=archive.new_id(),
        made_at="2026-01-01T00:00:00+00:00",
        cluster_time=(1, 1),
        key_id=key_id_of(primary).hex(),
        key_ids=tuple(key_id_of(key).hex() for key in under),
        parts={},
    )
    return b"".join(archive.seal([archive.manifest_frame(manifest)], manifest.backup_id, ring))


def test_the_manifest_says_which_is_the_primary() -> None:
    """Neither the names nor their order do; an empty database needs the primary key alone."""
    assert "v1" == primary_key(io.BytesIO(backup(OLD, NEW)), {"v2": OLD, "v1": NEW})
    assert "v1" == primary_key(io.BytesIO(backup(OLD, NEW)), {"v1": NEW, "v2": OLD})
    assert "v1" == primary_key(io.BytesIO(backup()), {"v1": NEW})


def test_refuses_a_key_that_the_backup_does_not_name() -> None:
    """The message has its name and its id, and those of the keys that are needed."""
    with pytest.raises(ConfigurationError, match="does not name v9") as refused:
        primary_key(io.BytesIO(backup(OLD)), {"v9": FOREIGN, "v2": NEW, "v1": OLD})
    assert all(key_id_of(key).hex() in str(refused.value) for key in (OLD, NEW, FOREIGN))


@pytest.mark.parametrize("given", [{"v1": OLD}, {"v2": NEW}])
def test_refuses_fewer_keys_than_the_backup_needs(given: dict[str, bytes]) -> None:
    """The message has the id of the missing one."""
    (missing,) = {OLD, NEW} - set(given.values())
    with pytest.raises(ConfigurationError, match=key_id_of(missing).hex()):
        primary_key(io.BytesIO(backup(OLD, NEW)), given)


def test_believes_no_manifest_of_an_altered_backup() -> None:
    """All of it is read before the manifest counts."""
    with pytest.raises(Tampered):
        primary_key(io.BytesIO(backup()[:-1]), {"v1": NEW})
