"""Whoever can write to the database can put anything there: that is named, and the others are served."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import DatetimeMS, Decimal128, Int64, MaxKey, MinKey, Regex, Timestamp
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from flask.testing import FlaskClient
from pymongo.database import Database

from service.api.dependencies import dependencies
from service.secrets import folder_defaults, folders
from tests.approles.roles import make_role
from tests.calls import APPROLE, FOLDER, ask, id_of, post
from tests.commands.operator import operate
from tests.programs import as_text

LIST, FETCH, CREATE = "/vault/secret/list", "/vault/secret/fetch", "/vault/secret/create/"
TOKENS, GRANTS, SEARCH = "/vault/token/list", "/vault/grant/list", "/vault/audit/search"
HONEST, HOSTILE = {"a/first", "a/in/folder", "a/zlast"}, "a/hostile"
VALUES: dict[str, Any] = {
    "null": None,
    "text": "x",
    "number": 7,
    "large": Int64(2**62),
    "negative": -1,
    "flag": True,
    "nan": math.nan,
    "decimal": Decimal128("1"),
    "bytes": b"\0",
    "date": datetime(2026, 1, 31, tzinfo=UTC),
    "date that Python does not have": DatetimeMS(2**62),
    "list": ["a/in", "b"],
    "list of dates": [datetime(2026, 1, 31, tzinfo=UTC)],
    "empty list": [],
    "document": {"k": "v"},
    "reference": {"$ref": "secrets", "$id": 1},
    "pattern": Regex("a"),
    "timestamp": Timestamp(1, 1),
    "least": MinKey(),
    "most": MaxKey(),
    "not UTF-8": "NOT-UTF-8",
}
SECRET = (
    *("path", "labels", "versions", "current", "revision", "shelf", "ends_at", "tag", "owner", "former_path"),
    *("created_at", "created_by", "updated_at", "expires_at", "deleted_at", "destroyed_at", "ciphertext"),
    *("reads_left", "max_reads", "max_versions", "cas_required", "delete_version_after"),
)
TOKEN = (
    *("name", "scopes", "created_at", "created_by", "expires_at", "lifetime", "max_uses", "networks"),
    *("rate_limit", "uses", "revoked_at", "digest", "tag", "ended_at"),
)
SESSION = (
    *("token_id", "client_network", "created_at", "expires_at", "ends_at", "confirmed_at", "revoked_at"),
    *("revoked_by", "digest", "tag", "ended_at"),
)
SHARE = (
    *("secret_id", "recipient", "created_at", "created_by", "expires_at", "path", "passphrase", "tries"),
    *("looked_at", "looked_from", "opened_at", "opened_from", "attempt", "revoked_at", "revoked_by"),
    *("digest", "tag", "ended_at"),
)
GRANT = (
    *("services", "paths", "nodes", "images", "created_at", "created_by", "deleted_at", "deleted_by", "tag"),
    "ended_at",
)
ROLE = (
    *("name", "live_name", "scopes", "created_at", "created_by", "lifetime", "renewable", "max_uses"),
    *("networks", "rate_limit", "expires_at", "makers", "shared_limits", "deleted_at", "deleted_by", "tag"),
    "ended_at",
)
SECRET_ID = (
    *("role_id", "created_at", "created_by", "expires_at", "max_uses", "networks", "uses", "used_at"),
    *("makers", "shared_limits", "makers_end", "revoked_at", "revoked_by", "digest", "tag", "ended_at"),
)
RECORD = (
    *("timestamp", "operation", "secret_id", "client_ip", "status", "actor", "request_id", "reason", "path"),
    *("token_id", "previous", "mac", "grant_id", "version", "service", "task_id", "node_id"),
    *("role_id", "accessor", "api"),
)

_AS_IT_IS = CodecOptions(
    document_class=RawBSONDocument,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="ignore",
)


def put(collection: Any, document: dict[str, Any]) -> None:
    """Replace a document, also by one that no driver would write."""
    encoded = bson.encode(document).replace(b"NOT-UTF-8", b"NOT-\xff\xfe\xfd-8")
    collection.replace_one({"_id": document["_id"]}, RawBSONDocument(encoded, _AS_IT_IS))


def listed(client: FlaskClient, **query: Any) -> list[dict[str, Any]]:
    """Return the pages of a list, each with up to two secrets."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while len(found) < 20:
        answer = post(client, LIST, {"limit": 2, **query, **cursor})
        assert 200 == answer.status_code, answer.text
        found.append(answer.json)
        if answer.json["cursor"] is None:
            return found
        cursor = {"cursor": answer.json["cursor"]}
    raise AssertionError("the list does not end")


@pytest.fixture
def hostile(client: FlaskClient, database: Database) -> dict[str, Any]:
    """Return the document of a secret among honest ones."""
    for path in (*HONEST, HOSTILE):
        assert 200 == post(client, CREATE, {"secret": "YQ==", "path": path}).status_code
    return database.secrets.find_one({"path": HOSTILE})


@pytest.mark.parametrize("field", SECRET)
def test_a_secret(client: FlaskClient, database: Database, hostile: dict[str, Any], field: str) -> None:
    """The honest ones are listed, in every way, and fetched; the other is an error, never an internal one."""
    for name, value in VALUES.items():
        put(database.secrets, {**hostile, field: value})

        everything = listed(client)
        assert {each["path"] for page in everything for each in page["secrets"]} - {HOSTILE} >= HONEST, name
        level = listed(client, prefix="a/", recursive=False)
        assert {folder for page in level for folder in page["folders"]} == {"a/in/"}, name
        listed(client, deleted=True)
        listed(client, unnamed=True)
        for path in HONEST:
            assert 200 == post(client, FETCH, {"path": path}).status_code, name
        for named in ({"path": HOSTILE}, {"secret_id": hostile["_id"]}):
            for call, more in (("fetch", {}), ("describe", {}), ("update", {"labels": {}}), ("delete", {})):
                answer = post(client, f"/vault/secret/{call}", named | more)
                assert "internal error" not in answer.text, (name, call)
                put(database.secrets, {**hostile, field: value})


@pytest.mark.parametrize("field", ["labels", "created_at", "reads_left"])
def test_a_list_names_altered_secrets(
    client: FlaskClient, database: Database, hostile: dict[str, Any], field: str
) -> None:
    """By path, in both kinds of lists."""
    put(database.secrets, {**hostile, field: "x"})

    for query in ({}, {"prefix": "a/", "recursive": False}):
        assert [HOSTILE] == [name for page in listed(client, **query) for name in page["altered"]]


def test_an_export_has_the_others(
    client: FlaskClient, database: Database, hostile: dict[str, Any], environment: dict[str, str]
) -> None:
    """It says which one is missing; one whose path is none has no place in it."""
    for field, value in (
        *(("path", each) for each in (["a/in", "b"], "NOT-UTF-8", "a//b", "a/é", 7)),
        *((each, DatetimeMS(2**62)) for each in ("created_at", "expires_at", "versions")),
        ("labels", "x"),
    ):
        put(database.secrets, {**hostile, field: value})
        finished = as_text(operate(environment, "export", "--in-the-clear", "--anyone-can-read-it"))
        exported = {json.loads(line)["path"] for line in finished.stdout.splitlines()}
        assert HONEST == exported, (field, value, finished.stderr)
        assert "Traceback" not in finished.stderr
        named = field != "path" or value == "a//b"
        assert ("not decryptable: 1" in finished.stderr) is named, (field, value, finished.stderr)


@pytest.mark.parametrize("field", SECRET)
def test_options_of_a_folder(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    """In the folder nothing is written by what they say; it can be read, and the rest goes on."""
    monkeypatch.setattr(folder_defaults, "HOLD_SECONDS", 0)
    monkeypatch.setattr(folders, "HOLD_SECONDS", 0)
    for path in ("a/secret", "b/secret"):
        post(client, CREATE, {"secret": "YQ==", "path": path})
    set_to = {"max_versions": 3, "cas_required": True, "delete_version_after": 3600}
    assert set_to == post(client, FOLDER + "configure", {"prefix": "a", **set_to}).json
    before = database.secrets.find_one({"path": "a/"})
    for name, value in VALUES.items():
        put(database.secrets, {**before, field: value})

        assert 200 == post(client, FETCH, {"path": "a/secret"}).status_code, name
        assert 200 == ask(client, "update", path="b/secret", secret="Yg==").status_code, name
        assert {"a/secret", "b/secret"} <= {
            each["path"] for page in listed(client) for each in page["secrets"]
        }
        assert ask(client, "update", path="a/secret", secret="Yg==").status_code in (422, 500), name
        for call in ("describe", "configure"):
            answer = post(client, FOLDER + call, {"prefix": "a"})
            assert "internal error" not in answer.text, (name, call)
            assert 500 == answer.status_code or set_to == answer.json, (name, call, answer.text)
            put(database.secrets, {**before, field: value})


@pytest.mark.parametrize("field", TOKEN)
def test_a_token(
    guarded: FlaskClient,
    database: Database,
    give: Callable[..., str],
    environment: dict[str, str],
    field: str,
) -> None:
    """The others are listed and used; this one is named, and opens nothing that it did not open before."""
    admin, other, victim = give("admin"), give("create:*"), give("create:*")
    before = database.tokens.find_one({"_id": id_of(victim)})
    for name, value in VALUES.items():
        put(database.tokens, {**before, field: value})

        page = post(guarded, TOKENS, {}, admin)
        assert 200 == page.status_code, (name, page.text)
        named = {each["token_id"] for each in page.json["tokens"]}
        assert {id_of(admin), id_of(other)} <= named, name
        assert id_of(victim) in named | set(page.json["altered"]), name
        assert "internal error" not in post(guarded, CREATE, {"secret": ""}, victim).text, name
        for call in ("describe", "renew", "revoke"):
            answer = post(guarded, f"/vault/token/{call}", {"token_id": id_of(victim)}, admin)
            assert "internal error" not in answer.text, (name, call)
            put(database.tokens, {**before, field: value})
    finished = as_text(operate(environment, "token", "list"))
    assert finished.returncode in (0, 1), finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("field", SESSION)
def test_a_session(guarded: FlaskClient, give: Callable[..., str], database: Database, field: str) -> None:
    """The others are listed; this one is named or has ended, opens nothing, and can be removed."""
    admin = give("admin")
    other, hostile = (post(guarded, "/vault/session/create", {}, admin).json["session"] for _ in range(2))
    before = database.sessions.find_one({"_id": id_of(hostile)})
    for name, value in VALUES.items():
        put(database.sessions, {**before, field: value})

        page = post(guarded, "/vault/session/list", {}, admin)
        assert 200 == page.status_code, (name, page.text)
        named = {each["session_id"] for each in page.json["sessions"]}
        assert id_of(other) in named, name
        unchanged = value == before[field] or field == "ended_at"
        assert (id_of(hostile) in named) == unchanged, name
        with guarded.application.app_context():
            dependencies().tokens.forget(id_of(hostile))
        answer = post(guarded, "/vault/token/whoami", None, hostile)
        assert (200 == answer.status_code) == unchanged, (name, answer.text)
        assert "internal error" not in answer.text, name
        answer = post(guarded, "/vault/session/revoke", {"session_id": id_of(hostile)}, admin)
        assert "internal error" not in answer.text, name
        # One that does not authenticate is gone now.
        database.sessions.replace_one({"_id": before["_id"]}, before, upsert=True)


@pytest.mark.parametrize("field", SHARE)
def test_a_share(client: FlaskClient, database: Database, field: str) -> None:
    """The others are listed; this one is named, opens nothing, and can be removed."""
    other, hostile = (
        post(client, "/vault/share/create", {"secret": "YQ==", "for": "x"}).json["link"] for _ in range(2)
    )
    before = database.shares.find_one({"_id": id_of(hostile)})
    for number, (name, value) in enumerate(VALUES.items()):
        put(database.shares, {**before, field: value})

        page = post(client, "/vault/share/list", {})
        assert 200 == page.status_code, (name, page.text)
        named = {each["share_id"] for each in page.json["shares"]}
        assert id_of(other) in named, name
        unchanged = value == before[field] or field == "ended_at"
        assert (id_of(hostile) in named) == unchanged, name
        answer = post(client, "/vault/share/peek", {"link": hostile}, address=f"192.0.2.{number}")
        assert (200 == answer.status_code) == unchanged, (name, answer.text)
        assert "internal error" not in answer.text, name
        answer = post(client, "/vault/share/revoke", {"share_id": id_of(hostile)})
        assert "internal error" not in answer.text, name
        # One that does not authenticate is gone now.
        database.shares.replace_one({"_id": before["_id"]}, before, upsert=True)


@pytest.mark.parametrize("field", GRANT)
def test_a_grant(client: FlaskClient, database: Database, environment: dict[str, str], field: str) -> None:
    """The others are listed; this one is named, unless it was deleted, and it can be removed."""
    other, hostile = (
        post(client, "/vault/grant/create", {"services": ["x"], "paths": [path]}).json["grant_id"]
        for path in "ab"
    )
    before = database.grants.find_one({"_id": hostile})
    for name, value in VALUES.items():
        put(database.grants, {**before, field: value})

        page = post(client, GRANTS, {})
        assert 200 == page.status_code, (name, page.text)
        named = {each["grant_id"] for each in page.json["grants"]}
        assert other in named, name
        deleted = field == "deleted_at" and value is not None
        assert (hostile in named | set(page.json["altered"])) != deleted, name
        assert (hostile in named) == (value == before[field] or field == "ended_at"), name
        for call in ("describe", "delete"):
            answer = post(client, f"/vault/grant/{call}", {"grant_id": hostile})
            assert "internal error" not in answer.text, (name, call)
        # One that does not authenticate is gone now.
        database.grants.replace_one({"_id": hostile}, before, upsert=True)
    put(database.grants, {**before, field: VALUES["list"]})
    finished = as_text(operate(environment, "grant", "list"))
    assert finished.returncode in (0, 1), finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("field", ROLE)
def test_a_role(client: FlaskClient, database: Database, environment: dict[str, str], field: str) -> None:
    """The others are listed; this one is named, unless it was deleted, logs nobody in, and can be removed."""
    other, hostile = make_role(client, "", name="other"), make_role(client, "", name="hostile")
    secret_id = hostile.secret_id()
    before = database.approles.find_one({"_id": hostile.role_id})
    for number, (name, value) in enumerate(VALUES.items()):
        put(database.approles, {**before, field: value})

        page = post(client, APPROLE + "list", {})
        assert 200 == page.status_code, (name, page.text)
        named = {each["role_id"] for each in page.json["roles"]}
        assert other.role_id in named, name
        deleted = field == "deleted_at" and value is not None
        assert (hostile.role_id in named | set(page.json["altered"])) != deleted, name
        unchanged = value == before[field] or field == "ended_at"
        assert (hostile.role_id in named) == unchanged, name
        login = hostile.log_in(secret_id, f"192.0.2.{number}")
        assert (200 == login.status_code) == unchanged, (name, login.text)
        assert "internal error" not in login.text, name
        for call, who in (
            ("describe", "hostile"),
            ("secret-id/list", before["_id"]),
            ("delete", before["_id"]),
        ):
            answer = post(client, APPROLE + call, {"role": who})
            assert "internal error" not in answer.text, (name, call)
        # One that does not authenticate is gone now.
        database.approles.replace_one({"_id": before["_id"]}, before, upsert=True)
    put(database.approles, {**before, field: VALUES["list"]})
    finished = as_text(operate(environment, "approle", "list"))
    assert finished.returncode in (0, 1), finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("field", SECRET_ID)
def test_a_secret_id(
    client: FlaskClient, database: Database, environment: dict[str, str], field: str
) -> None:
    """The others are listed; this one is named, logs nobody in, and can be removed."""
    role = make_role(client, "")
    other, hostile = role.secret_id(max_uses=100), role.secret_id(max_uses=100)
    before = database.approle_secret_ids.find_one({"_id": id_of(hostile)})
    for number, (name, value) in enumerate(VALUES.items()):
        put(database.approle_secret_ids, {**before, field: value})

        page = post(client, APPROLE + "secret-id/list", {"role": "ci"})
        assert 200 == page.status_code, (name, page.text)
        named = {each["accessor"] for each in page.json["secret_ids"]}
        assert id_of(other) in named, name
        unchanged = value == before[field] or field == "ended_at"
        if field != "role_id":
            assert id_of(hostile) in named | set(page.json["altered"]), name
        assert (id_of(hostile) in named) == unchanged, name
        login = role.log_in(hostile, f"192.0.2.{number}")
        assert (200 == login.status_code) == unchanged, (name, login.text)
        assert "internal error" not in login.text, name
        answer = post(client, APPROLE + "secret-id/revoke", {"accessor": id_of(hostile)})
        assert "internal error" not in answer.text, name
        database.approle_secret_ids.replace_one({"_id": before["_id"]}, before, upsert=True)
    put(database.approle_secret_ids, {**before, field: VALUES["list"]})
    finished = as_text(operate(environment, "approle", "secret-id", "list", "ci"))
    assert finished.returncode in (0, 1), finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("field", RECORD)
def test_an_audit_record(client: FlaskClient, database: Database, field: str) -> None:
    """A search shows the others, page by page, and marks this one if it is found at all."""
    for path in HONEST:
        post(client, CREATE, {"secret": "YQ==", "path": path})
    post(client, CREATE, {"secret": "YQ==", "path": HOSTILE})
    before = database.audit_logs.find_one({"path": HOSTILE})
    for name, value in VALUES.items():
        put(database.audit_logs, {**before, field: value})
        for query in ({}, {"since": "2020-01-01T00:00:00+00:00"}, {"limit": 1}):
            answer = post(client, SEARCH, query)
            assert 200 == answer.status_code, (name, answer.text)
            marks = {each["record_id"]: each["authentic"] for each in answer.json["records"]}
            if value != before.get(field):
                assert not marks.get(before["_id"], False), name
        paths = {each["path"] for each in post(client, SEARCH, {"operation": "create"}).json["records"]}
        assert HONEST <= paths, name
