"""commands.backup: output, exit codes and audit records."""

import hashlib
import json
import mmap
import shutil
from pathlib import Path

from flask.testing import FlaskClient
from pymongo import MongoClient
from pymongo.database import Database

from tests.calls import CREATE, FETCH, post
from tests.commands.operator import operate


def operations(database: Database) -> list[tuple[str, str]]:
    """Return the operator's operations and their status."""
    # Several processes of one second have no order in their records' ids.
    found = database.audit_logs.find({"actor": "operator"}).sort([("timestamp", 1), ("_id", 1)])
    return [(record["operation"], record["status"]) for record in found]


def test_creates_drills_and_restores(
    client: FlaskClient,
    environment: dict[str, str],
    mongo_client: MongoClient,
    database: Database,
    tmp_path: Path,
) -> None:
    """Through files and pipes; each step has an audit record before and after."""
    post(client, CREATE, {"secret": "YQ==", "path": "a"})
    file = tmp_path / "vault.backup"

    made = operate(environment, "backup", "create", "--output", str(file))
    again = operate(environment, "backup", "create", "--output", str(file))
    drilled = operate(environment, "backup", "drill", "-", stdin=file.read_bytes())

    assert (0, b"") == (made.returncode, made.stdout)
    beside = json.loads((tmp_path / "vault.backup.manifest.json").read_text())
    assert beside == json.loads(made.stderr.splitlines()[-1])
    assert hashlib.sha256(file.read_bytes()).hexdigest() == beside["sha256"]
    assert 1 == beside["parts"]["secrets"]["documents"]
    assert 0o600 == file.stat().st_mode & 0o777
    assert (2, True) == (again.returncode, b"already exists" in again.stderr)
    assert (0, b"") == (drilled.returncode, drilled.stdout)
    assert [
        ("backup_create_start", "success"),
        ("backup_create", "success"),
        ("backup_create_start", "success"),
        ("backup_create", "failure"),
        ("backup_drill_start", "success"),
        ("backup_drill", "success"),
    ] == operations(database)

    refused = operate(environment, "backup", "restore", str(file))
    mongo_client.drop_database("vault")
    checked = operate(environment, "backup", "restore", "--check", str(file))
    assert 0 == database.secrets.count_documents({})
    restored = operate(environment, "backup", "restore", str(file))

    assert (2, True) == (refused.returncode, b"say --replace" in refused.stderr)
    assert (0, 0) == (checked.returncode, restored.returncode)
    assert "YQ==" == post(client, FETCH, {"path": "a"}).json["secret"]
    assert [("backup_restore_check", "success"), ("backup_restore", "success")] == [
        one for one in operations(database) if one[0] in ("backup_restore_check", "backup_restore")
    ]


def test_a_full_disk_is_told_in_one_line_and_nothing_is_left(
    client: FlaskClient, environment: dict[str, str], small_disk: Path
) -> None:
    """Neither a part of a backup, nor one without its manifest."""
    post(client, CREATE, {"secret": "YQ==", "path": "a"})
    backup = small_disk / "vault.backup"
    # With no page for the backup, and with none for its manifest.
    for pages, name in ((0, backup), (1, f"{backup}.manifest.json")):
        room = pages * mmap.PAGESIZE
        (small_disk / "fill").write_bytes(bytes(shutil.disk_usage(small_disk).free - room))

        full = operate(environment, "backup", "create", "--output", str(backup))

        line = full.stderr.splitlines()[-1].decode()
        assert f"secret-manager: cannot write {name}: No space left on device" == line
        assert (2, b"") == (full.returncode, full.stdout)
        assert b"Traceback" not in full.stderr
        assert ["fill"] == [file.name for file in small_disk.iterdir()]
        (small_disk / "fill").unlink()


def test_shows_the_manifest_without_a_database(
    client: FlaskClient, environment: dict[str, str], tmp_path: Path
) -> None:
    """One line says why a backup cannot be used."""
    post(client, CREATE, {"secret": "YQ==", "path": "a"})
    made = operate(environment, "backup", "create")
    del environment["MONGO_URI"]

    shown = operate(environment, "backup", "show", "-", stdin=made.stdout)
    cut = operate(environment, "backup", "show", "-", stdin=made.stdout[:-1])

    manifest = json.loads(shown.stdout)
    assert 1 == manifest["parts"]["secrets"]["documents"]
    assert json.loads(made.stderr.splitlines()[-1])["backup_id"] == manifest["backup_id"]
    assert (2, b"", 1) == (cut.returncode, cut.stdout, len(cut.stderr.splitlines()))
    assert b"this backup cannot be used" in cut.stderr


def test_no_record_no_backup(client: FlaskClient, environment: dict[str, str], database: Database) -> None:
    """No byte is written before its audit record is durable."""
    post(client, CREATE, {"secret": "YQ==", "path": "a"})
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})

    refused = operate(environment, "backup", "create")

    assert (2, b"") == (refused.returncode, refused.stdout)
    assert b"the audit log cannot be written" in refused.stderr


def test_a_drill_compares_the_log_with_the_backup(
    client: FlaskClient, environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    """The backup can be restored all the same; the manifest alone also shows it to a verification."""
    post(client, CREATE, {"secret": "YQ==", "path": "a"})
    operate(environment, "audit", "verify")
    before = {name: list(database[name].find()) for name in ("audit_logs", "audit_checkpoints")}
    operate(environment, "audit", "verify")
    made = operate(environment, "backup", "create")
    manifest = made.stderr.splitlines()[-1]
    fine = operate(environment, "backup", "drill", "-", stdin=made.stdout)
    verified = operate(environment, "audit", "verify", "--checkpoint", "-", stdin=manifest)
    for name, documents in before.items():
        database[name].delete_many({})
        database[name].insert_many(documents)

    drilled = operate(environment, "backup", "drill", "-", stdin=made.stdout)
    again = operate(environment, "audit", "verify", "--checkpoint", "-", stdin=manifest)

    number = json.loads(manifest)["checkpoint"]["number"]
    assert (0, True) == (
        fine.returncode,
        f"continues the backup's checkpoint {number}".encode() in fine.stderr,
    )
    assert {"kind": "given", "checkpoint": number, "compared": 1} in json.loads(verified.stdout)["anchors"]
    assert 1 == drilled.returncode
    assert b"the audit log in use does not continue the backup's: checkpoint" in drilled.stderr
    assert drilled.stderr.splitlines()[-1].endswith(b"0 do not open")
    assert (0, 1) == (verified.returncode, again.returncode)
    (record,) = database.audit_logs.find({"operation": "backup_drill"})
    assert ("failure", "the audit log does not continue the backup's") == (record["status"], record["reason"])
