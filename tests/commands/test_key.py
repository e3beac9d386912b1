"""commands.key: output, exit codes and audit records."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.crypto.aead import key_id_of
from tests.calls import CREATE, id_of, post
from tests.commands.test_indexes import run
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY

OLD, NEW = (key_id_of(key).hex() for key in (MASTER_KEY, OTHER_MASTER_KEY))


@pytest.fixture
def both(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables of a process with both keys; the new one is primary."""
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "v1").write_bytes(MASTER_KEY)
    (folder / "v2").write_bytes(OTHER_MASTER_KEY)
    others = {name: value for name, value in environment.items() if name != "MASTER_KEY"}
    return others | {"MASTER_KEYS_DIR": str(folder), "MASTER_KEY_PRIMARY": "v2"}


@pytest.fixture
def met(client: FlaskClient, make_client: Callable[..., FlaskClient], both: dict[str, str]) -> None:
    """A database with a secret under the old key, at which a replica with both keys has started."""
    post(client, CREATE, {"secret": "YQ==", "path": "a"})
    assert 200 == make_client(MASTER_KEY=None, **both).get("/readyz").status_code


def test_rewraps_and_says_so_at_the_end_only(met: None, both: dict[str, str], database: Database) -> None:
    """Exit code 0 and nothing on standard output: nothing needs the old key."""
    finished = run(both, "key", "rewrap")

    assert (0, "") == (finished.returncode, finished.stdout)
    first, *_, last = finished.stderr.splitlines()
    assert "secret-manager: 1 secrets, tokens, grants and AppRoles to do" == first
    assert f"secret-manager: nothing needs another key than {NEW}" == last
    assert [("key_rewrap_start", "success"), ("key_rewrap", "success")] == [
        (record["operation"], record["status"])
        for record in database.audit_logs.find({"actor": "operator"}).sort("_id")
    ]


def test_names_what_it_cannot_open_and_exits_with_1(
    met: None, both: dict[str, str], give: Callable[..., str], database: Database
) -> None:
    """One line per item, with its id; the audit record says that another key is still needed."""
    token = give("fetch:*")
    database.tokens.update_one({}, {"$set": {"name": "another"}})

    finished = run(both, "key", "rewrap")

    assert (1, f"token {id_of(token)}: tag: tampered: does not authenticate\n") == (
        finished.returncode,
        finished.stdout,
    )
    assert "1 do not open" in finished.stderr
    assert "nothing needs" not in finished.stderr
    record = database.audit_logs.find_one({"operation": "key_rewrap"})
    assert ("failure", "another key is still needed") == (record["status"], record["reason"])


def test_refuses_without_a_record_of_the_start(met: None, both: dict[str, str], database: Database) -> None:
    """Without an audit record nothing is done."""
    before = list(database.secrets.find())
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})

    finished = run(both, "key", "rewrap")

    assert (2, 1) == (finished.returncode, len(finished.stderr.splitlines()))
    assert "the audit log cannot be written" in finished.stderr
    assert before == list(database.secrets.find())


def test_refuses_where_the_old_key_is_missing(met: None, both: dict[str, str], database: Database) -> None:
    """One line, before anything is changed."""
    (Path(both["MASTER_KEYS_DIR"]) / "v1").unlink()

    finished = run(both, "key", "rewrap")

    assert (2, "", 1) == (finished.returncode, finished.stdout, len(finished.stderr.splitlines()))
    assert f"sealed under master key {OLD}" in finished.stderr


def test_status_is_one_object_and_on_record(met: None, both: dict[str, str], database: Database) -> None:
    """The same as the API's answer."""
    finished = run(both, "key", "status")

    shown = json.loads(finished.stdout)
    assert [(NEW, True, 0), (OLD, False, 1)] == [
        (key["key_id"], key["primary"], key["versions"]) for key in shown["keys"]
    ]
    assert 1 == database.audit_logs.count_documents({"operation": "key_status", "actor": "operator"})


def test_names_need_no_database(both: dict[str, str]) -> None:
    """A play compares them with the Swarm's secrets."""
    finished = run(both | {"MONGO_URI": "mongodb://192.0.2.1"}, "key", "names")

    assert {"primary": "v2", "keys": {"v1": OLD, "v2": NEW}} == json.loads(finished.stdout)
