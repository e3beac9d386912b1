"""api.secrets.lifecycle: update, describe, list, delete, undelete and destroy, with a real database."""

import base64
import re
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask.testing import FlaskClient
from pymongo.database import Database

from service.crypto.keyring import KeyRing
from service.store.store import Store
from tests import earlier
from tests.calls import OF_CALLERS, ask, id_of, post
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, Clock

ONE, TWO, THREE = (base64.b64encode(value).decode() for value in (b"one", b"two", b"three"))
PATH = "team/app"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00"


def create(client: FlaskClient, token: str | None = None, **body: Any) -> str:
    """Create a secret and return its id."""
    answer = ask(client, "create/", token, **{"secret": ONE} | body)
    assert 200 == answer.status_code, answer.text
    return str(answer.json["secret_id"])


def not_found(answer: Any) -> str:
    """Return the detail of a 404, with every time in it as TIME."""
    assert 404 == answer.status_code, answer.text
    return re.sub(TIME, "TIME", answer.json["detail"])


def test_an_update_adds_a_version(client: FlaskClient) -> None:
    """The newest is the current one; older ones can be fetched by their number."""
    secret_id = create(client, path=PATH)

    answer = ask(client, "update", path=PATH, secret=TWO)

    assert {"secret_id": secret_id, "version": 2, "state": "live", "ends_at": None} == answer.json
    assert (2, TWO) == fetched(client, secret_id=secret_id)
    assert (1, ONE) == fetched(client, path=PATH, version=1)
    assert "Secret not found: there is no version 3 yet; the current one is 2" == not_found(
        ask(client, "fetch", path=PATH, version=3)
    )


def fetched(client: FlaskClient, **body: Any) -> tuple[int, str]:
    """Return the version that is fetched, and its value."""
    answer = ask(client, "fetch", **body)
    assert 200 == answer.status_code, answer.text
    return answer.json["version"], answer.json["secret"]


def test_an_update_can_expect_a_version(client: FlaskClient) -> None:
    """If the current version is another one, the response names it, and nothing has changed."""
    create(client, path=PATH)
    assert 200 == ask(client, "update", path=PATH, secret=TWO, expected_version=1).status_code

    for expected in (0, 1, 3):
        late = ask(client, "update", path=PATH, secret=THREE, expected_version=expected)
        assert (409, 2) == (late.status_code, late.json["current_version"])
        assert "the secret is at version 2" in late.json["detail"]
    assert (2, TWO) == fetched(client, path=PATH)


def test_expected_version_0_creates_the_secret(client: FlaskClient, indexed: None) -> None:
    """With its options; a deleted secret still exists, a destroyed one does not."""
    created = ask(client, "update", path=PATH, secret=ONE, expected_version=0, labels={"a": "1"})
    assert (200, 1) == (created.status_code, created.json["version"])
    assert {"a": "1"} == ask(client, "describe", path=PATH).json["labels"]

    ask(client, "delete", path=PATH)
    assert 409 == ask(client, "update", path=PATH, secret=TWO, expected_version=0).status_code
    ask(client, "destroy", path=PATH)
    again = ask(client, "update", path=PATH, secret=TWO, expected_version=0)
    assert (200, 1) == (again.status_code, again.json["version"])
    assert created.json["secret_id"] != again.json["secret_id"]
    assert 404 == ask(client, "update", path="other", secret=TWO, expected_version=1).status_code
    assert 404 == ask(client, "update", path="other", labels={}, expected_version=0).status_code
    assert (
        404 == ask(client, "update", secret_id=str(uuid.uuid4()), secret=TWO, expected_version=0).status_code
    )


def test_a_secret_can_require_an_expected_version(client: FlaskClient) -> None:
    """For values only; any update may change the option itself."""
    create(client, path=PATH, cas_required=True)

    refused = ask(client, "update", path=PATH, secret=TWO)

    assert (422, ["expected_version"]) == (refused.status_code, list(refused.json["errors"]))
    assert 200 == ask(client, "update", path=PATH, secret=TWO, expected_version=1).status_code
    assert 200 == ask(client, "update", path=PATH, labels={"a": "1"}).status_code
    assert 200 == ask(client, "update", path=PATH, cas_required=False, secret=THREE).status_code


def test_keeps_max_versions(client: FlaskClient, database: Database) -> None:
    """Ten by default; values of older versions are removed from the database, and a 404 explains it."""
    secret_id = create(client, path=PATH)
    for _ in range(11):
        ask(client, "update", path=PATH, secret=TWO)

    def kept() -> list[int]:
        versions = database.secrets.find_one({"_id": secret_id})["versions"]
        return [version["version"] for version in versions if {"payload", "data_key"} & version.keys()]

    assert list(range(3, 13)) == kept()
    assert "Secret not found: version 1 was destroyed at TIME by max_versions" == not_found(
        ask(client, "fetch", path=PATH, version=1)
    )
    ask(client, "update", path=PATH, max_versions=2)
    assert [11, 12] == kept()


def test_a_secret_can_be_renamed(
    client: FlaskClient, guarded: FlaskClient, give: Callable[..., str], indexed: None
) -> None:
    """Its id stays and its old path is free; the new path must be free, and needs the scope create.

    The old one needs what a move amounts to: reading it and taking it away.
    """
    secret_id = create(client, path=PATH)
    create(client, path="taken")
    token = give("update:team/*", "create:team/*", "fetch:team/*", "delete:team/*")

    assert 409 == ask(client, "update", path=PATH, new_path="taken").status_code
    forbidden = ask(guarded, "update", token, path=PATH, new_path="other/app")
    assert (403, "the token lacks a scope for this path: create:other/app") == (
        forbidden.status_code,
        forbidden.json["detail"],
    )
    renamed = ask(guarded, "update", token, path=PATH, new_path="team/new", secret=TWO)

    assert (200, secret_id) == (renamed.status_code, renamed.json["secret_id"]), renamed.text
    assert (2, TWO) == fetched(client, path="team/new") == fetched(client, secret_id=secret_id)
    assert "Secret not found" == not_found(ask(client, "fetch", path=PATH))
    create(client, path=PATH)


def test_a_secret_without_a_path_can_get_one(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """From then on the path decides who has access, no longer the owner."""
    token, other = give("create:*", "update:team/*", "fetch:other/*"), give("fetch:team/*")
    secret_id = create(guarded, token)
    assert 200 == ask(guarded, "fetch", token, secret_id=secret_id).status_code

    assert 200 == ask(guarded, "update", token, secret_id=secret_id, new_path=PATH).status_code

    assert 404 == ask(guarded, "fetch", token, secret_id=secret_id).status_code
    assert ONE == ask(guarded, "fetch", other, secret_id=secret_id).json["secret"]


def test_a_deleted_secret_can_be_restored(client: FlaskClient, clock: Clock, indexed: None) -> None:
    """For 30 days, while it keeps its path; the 404 says who deleted it."""
    secret_id = create(client, path=PATH)

    deleted = ask(client, "delete", path=PATH)

    assert ("deleted", False) == (deleted.json["state"], deleted.json["ends_at"] is None)
    gone = "Secret not found: it was deleted at TIME by anonymous; undelete restores it"
    assert (
        gone
        == not_found(ask(client, "fetch", path=PATH))
        == not_found(ask(client, "fetch", secret_id=secret_id))
    )
    assert gone == not_found(ask(client, "update", path=PATH, secret=TWO))
    assert 409 == ask(client, "create/", secret=TWO, path=PATH).status_code
    assert deleted.json["ends_at"] == ask(client, "delete", path=PATH).json["ends_at"]
    assert "deleted" == ask(client, "describe", path=PATH).json["state"]
    clock.ahead = timedelta(days=29)
    assert "live" == ask(client, "undelete", path=PATH).json["state"]
    assert (1, ONE) == fetched(client, path=PATH)

    ask(client, "delete", path=PATH)
    clock.ahead += timedelta(days=30)
    assert "Secret not found: it expired at TIME" == not_found(ask(client, "undelete", path=PATH))


def test_versions_are_deleted_and_destroyed_by_number(client: FlaskClient) -> None:
    """The others stay, and describe shows the state of each."""
    create(client, path=PATH)
    for secret in (TWO, THREE):
        ask(client, "update", path=PATH, secret=secret)

    ask(client, "delete", path=PATH, versions=[3])
    ask(client, "destroy", path=PATH, versions=[1])

    assert "Secret not found: version 3 was deleted at TIME by anonymous; undelete restores it" == not_found(
        ask(client, "fetch", path=PATH)
    )
    assert "Secret not found: version 1 was destroyed at TIME by anonymous" == not_found(
        ask(client, "fetch", path=PATH, version=1)
    )
    assert (2, TWO) == fetched(client, path=PATH, version=2)
    versions = ask(client, "describe", path=PATH).json["versions"]
    assert [(1, "destroyed"), (2, "live"), (3, "deleted")] == [(v["version"], v["state"]) for v in versions]
    assert 404 == ask(client, "undelete", path=PATH, versions=[1, 3]).status_code
    assert 404 == ask(client, "delete", path=PATH, versions=[4]).status_code
    assert 200 == ask(client, "undelete", path=PATH, versions=[3]).status_code
    assert (3, THREE) == fetched(client, path=PATH)


def test_a_destroyed_secret_is_gone_and_the_404_says_so(
    client: FlaskClient, database: Database, indexed: None
) -> None:
    """No ciphertext is left; the path is free, and a new secret there is another one."""
    secret_id = create(client, path=PATH)
    ask(client, "update", path=PATH, secret=TWO)

    destroyed = ask(client, "destroy", path=PATH)

    assert ("destroyed", 200) == (destroyed.json["state"], ask(client, "destroy", path=PATH).status_code)
    for version in database.secrets.find_one({"_id": secret_id})["versions"]:
        assert not {"payload", "data_key"} & version.keys()
    gone = "Secret not found: it was destroyed at TIME by anonymous"
    for operation in ("fetch", "describe", "update", "delete", "undelete"):
        value = {"secret": TWO} if operation == "update" else {}
        assert gone == not_found(ask(client, operation, path=PATH, **value))
        assert gone == not_found(ask(client, operation, secret_id=secret_id, **value))
    create(client, path=PATH, secret=THREE)
    assert (1, THREE) == fetched(client, path=PATH)
    assert gone == not_found(ask(client, "fetch", secret_id=secret_id))


def test_an_expired_secret_is_gone_at_once(client: FlaskClient, clock: Clock, indexed: None) -> None:
    """Even if MongoDB has not removed it yet; its path is free."""
    create(client, path=PATH, expires_in=60)
    assert ask(client, "fetch", path=PATH).json["expires_at"] is not None

    clock.ahead = timedelta(seconds=61)

    for operation in ("fetch", "describe", "undelete", "delete"):
        assert "Secret not found: it expired at TIME" == not_found(ask(client, operation, path=PATH))
    assert [] == ask(client, "list").json["secrets"]
    create(client, path=PATH, secret=TWO, expires_in=60)
    assert (1, TWO) == fetched(client, path=PATH)
    clock.ahead *= 2
    create(client, path="other", secret=THREE)
    assert 200 == ask(client, "update", path="other", new_path=PATH).status_code
    assert (1, THREE) == fetched(client, path=PATH)


def test_an_expiry_can_be_changed_and_removed(client: FlaskClient, clock: Clock) -> None:
    """That of the secret, and that of its current version."""
    create(client, path=PATH, expires_in=60, version_expires_in=60)
    ask(client, "update", path=PATH, expires_in=600, version_expires_at="2090-01-01T00:00:00+01:00")
    clock.ahead = timedelta(seconds=61)
    assert (1, ONE) == fetched(client, path=PATH)
    described = ask(client, "describe", path=PATH).json
    assert "2089-12-31T23:00:00+00:00" == described["versions"][0]["expires_at"]

    ask(client, "update", path=PATH, expires_at=None, version_expires_in=None)

    described = ask(client, "describe", path=PATH).json
    assert (None, None, None) == (
        described["expires_at"],
        described["ends_at"],
        described["versions"][0]["expires_at"],
    )


def test_a_version_has_its_own_expiry(client: FlaskClient, clock: Clock, database: Database) -> None:
    """Earlier versions can still be fetched by number; the next change removes the expired value."""
    create(client, path=PATH)
    ask(client, "update", path=PATH, secret=TWO, version_expires_in=60)
    clock.ahead = timedelta(seconds=61)

    assert "Secret not found: version 2 expired at TIME" == not_found(ask(client, "fetch", path=PATH))
    assert (1, ONE) == fetched(client, path=PATH, version=1)
    ask(client, "update", path=PATH, labels={"a": "1"})
    assert ["payload" in version for version in database.secrets.find_one()["versions"]] == [True, False]


def test_versions_can_be_deleted_automatically(client: FlaskClient, clock: Clock) -> None:
    """After delete_version_after seconds; undelete restores them."""
    create(client, path=PATH, delete_version_after=60)
    clock.ahead = timedelta(seconds=61)

    assert (
        "Secret not found: version 1 was deleted at TIME by delete_version_after; undelete restores it"
        == not_found(ask(client, "fetch", path=PATH))
    )
    ask(client, "undelete", path=PATH, versions=[1])
    assert (1, ONE) == fetched(client, path=PATH)


@pytest.mark.timeout(120)
def test_mongodb_removes_expired_secrets(client: FlaskClient, database: Database, indexed: None) -> None:
    """Automatically, some time later."""
    create(client, path="a", expires_in=1)
    create(client, path="b")

    while database.secrets.count_documents({}) > 1:
        time.sleep(0.2)

    assert ["b"] == database.secrets.distinct("path")


def test_a_secret_can_be_read_max_reads_times(client: FlaskClient, database: Database) -> None:
    """Then it is destroyed, and the 404 says that it was already read."""
    secret_id = create(client, path=PATH, max_reads=2)

    reads = [ask(client, "fetch", path=PATH).json for _ in range(2)]

    assert [(ONE, 1), (ONE, 0)] == [(read["secret"], read["reads_left"]) for read in reads]
    for name in ({"path": PATH}, {"secret_id": secret_id}):
        assert not_found(ask(client, "fetch", **name)).startswith(
            "Secret not found: it was already read at TIME, from 127.0.0.1, by anonymous,"
        )
    assert not {"payload", "data_key"} & database.secrets.find_one()["versions"][0].keys()
    assert ["already read", "success"] == sorted(
        {record["reason"] or record["status"] for record in database.audit_logs.find({"operation": "fetch"})}
    )


def test_only_a_successful_fetch_uses_up_a_read(client: FlaskClient) -> None:
    """Describe, list and failed fetches do not."""
    create(client, path=PATH, max_reads=1)

    assert 404 == ask(client, "fetch", path=PATH, version=2).status_code
    assert 1 == ask(client, "describe", path=PATH).json["reads_left"]
    assert [1] == [summary["reads_left"] for summary in ask(client, "list").json["secrets"]]
    assert (1, ONE) == fetched(client, path=PATH)


def test_a_value_that_cannot_be_decrypted_uses_up_no_read(client: FlaskClient, database: Database) -> None:
    """Once the record is repaired, it is still unread."""
    create(client, path=PATH, max_reads=1)
    payload = database.secrets.find_one()["versions"][0]["payload"]
    database.secrets.update_one({}, {"$set": {"versions.0.payload": b"x" * 60}})
    assert 500 == ask(client, "fetch", path=PATH).status_code
    database.secrets.update_one({}, {"$set": {"versions.0.payload": payload}})

    assert (1, ONE) == fetched(client, path=PATH)


def test_a_read_that_cannot_be_recorded_is_used_up(client: FlaskClient, database: Database) -> None:
    """A value is returned at most once: here it was never returned, and it is gone."""
    create(client, path=PATH, max_reads=1)
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})
    withheld = ask(client, "fetch", path=PATH)
    database.command("collMod", "audit_logs", validator={})

    assert (503, False) == (withheld.status_code, ONE in withheld.text)
    assert "already read" in not_found(ask(client, "fetch", path=PATH))


def test_a_limit_of_reads_can_be_set_and_removed_later(client: FlaskClient) -> None:
    """The new limit counts from then on."""
    create(client, path=PATH)
    ask(client, "update", path=PATH, max_reads=5)
    assert 4 == ask(client, "fetch", path=PATH).json["reads_left"]

    ask(client, "update", path=PATH, max_reads=None)

    assert ask(client, "fetch", path=PATH).json["reads_left"] is None
    assert (1, ONE) == fetched(client, path=PATH)


@pytest.mark.parametrize(
    ("generate", "pattern"),
    [
        ({}, rb"[A-Za-z0-9]{32}"),
        ({"length": 7, "alphabet": "digits"}, rb"[0-9]{7}"),
        ({"length": 1024, "characters": "xy"}, rb"[xy]{1024}"),
    ],
    ids=str,
)
def test_the_service_can_generate_the_value(
    client: FlaskClient, generate: dict[str, Any], pattern: bytes
) -> None:
    """Only fetch shows it; each value is different."""
    created = ask(client, "create/", path=PATH, generate=generate)
    assert {"secret_id", "version"} == created.json.keys()
    updated = ask(client, "update", path=PATH, generate=generate)

    values = [base64.b64decode(fetched(client, path=PATH, version=number)[1]) for number in (1, 2)]

    assert all(re.fullmatch(pattern, value) for value in values)
    assert values[0] != values[1]
    assert not any(value.decode() in created.text + updated.text for value in values)


@pytest.mark.parametrize("field", ["expires_at", "version_expires_at"])
def test_says_that_a_time_lacks_its_zone(client: FlaskClient, field: str) -> None:
    """And of what is no time at all, what one looks like."""
    naive = ask(client, "create/", secret=ONE, **{field: "2090-01-01T00:00:00"})
    wrong = ask(client, "create/", secret=ONE, **{field: "tomorrow"})
    good = ask(client, "create/", secret=ONE, **{field: "2090-01-01T00:00:00Z"})

    assert ["The time zone is missing: end with Z (UTC) or an offset such as +02:00."] == (
        naive.json["errors"][field]
    )
    assert ["Not a time such as 2090-01-31T12:00:00+00:00."] == wrong.json["errors"][field]
    assert 200 == good.status_code


@pytest.mark.parametrize(
    ("operation", "body", "field"),
    [
        ("create/", {"generate": {}, "secret": ONE}, "secret"),
        ("create/", {"generate": {"length": 0}}, "generate"),
        ("create/", {"generate": {"length": 1025}}, "generate"),
        ("create/", {"generate": {"alphabet": "runes"}}, "generate"),
        ("create/", {"generate": {"characters": "a"}}, "generate"),
        ("create/", {"generate": {"characters": "abca"}}, "generate"),
        ("create/", {"generate": {"characters": "\ud800a"}}, "generate"),
        ("create/", {"generate": {"characters": "ab", "alphabet": "hex"}}, "generate"),
        ("create/", {"secret": ONE, "labels": {"": "x"}}, "labels"),
        ("create/", {"secret": ONE, "labels": {"k": "x" * 513}}, "labels"),
        ("create/", {"secret": ONE, "labels": {"k": "\ud800"}}, "labels"),
        ("create/", {"secret": ONE, "labels": {str(n): "" for n in range(65)}}, "labels"),
        ("create/", {"secret": ONE, "expires_in": 0}, "expires_in"),
        ("create/", {"secret": ONE, "expires_in": 60, "expires_at": None}, "expires_at"),
        ("create/", {"secret": ONE, "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ("create/", {"secret": ONE, "expires_at": "2090-01-01T00:00:00"}, "expires_at"),
        ("create/", {"secret": ONE, "version_expires_at": "9999-12-31T23:59:59-23:59"}, "version_expires_at"),
        ("create/", {"secret": ONE, "max_reads": 0}, "max_reads"),
        ("create/", {"secret": ONE, "max_reads": 2**31}, "max_reads"),
        ("create/", {"secret": ONE, "max_versions": 101}, "max_versions"),
        ("fetch", {"path": PATH, "version": 0}, "version"),
        ("fetch", {"path": PATH, "version": 2**63}, "version"),
        ("update", {"path": PATH}, "_schema"),
        ("update", {"path": PATH, "expected_version": 1}, "_schema"),
        ("update", {"path": PATH, "secret": ONE, "generate": {}}, "generate"),
        ("update", {"path": PATH, "new_path": "/"}, "new_path"),
        ("update", {"labels": {}}, "_schema"),
        ("describe", {}, "_schema"),
        ("delete", {"path": PATH, "versions": []}, "versions"),
        ("destroy", {"path": PATH, "versions": [0]}, "versions"),
        ("list", {"prefix": "/"}, "prefix"),
        ("list", {"prefix": "a//"}, "prefix"),
        ("list", {"prefix": "a", "unnamed": True}, "prefix"),
        ("list", {"cursor": "?"}, "cursor"),
        ("list", {"cursor": ""}, "cursor"),
        ("list", {"cursor": "Aé"}, "cursor"),
        ("list", {"cursor": "Av8"}, "cursor"),
        ("list", {"limit": 1001}, "limit"),
    ],
    ids=str,
)
def test_names_the_invalid_field(
    client: FlaskClient, operation: str, body: dict[str, Any], field: str
) -> None:
    """422 with the errors by field."""
    create(client, path=PATH)

    refused = ask(client, operation, **body)

    assert (422, [field]) == (refused.status_code, list(refused.json["errors"])), refused.text


def test_describe_returns_everything_but_the_value(
    guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """Including who created which version, and when."""
    maker, reader = give("create:*", "update:*"), give("list:*")
    secret_id = create(guarded, maker, path=PATH, labels={"b": "2", "a": "1"}, max_versions=3)
    ask(guarded, "update", maker, path=PATH, secret=TWO)

    described = ask(guarded, "describe", reader, path=PATH)

    assert (secret_id, 2, "live", {"a": "1", "b": "2"}, 3, id_of(maker)) == tuple(
        described.json[name]
        for name in ("secret_id", "version", "state", "labels", "max_versions", "created_by")
    )
    assert described.json["created_at"] <= described.json["updated_at"]
    assert [(1, id_of(maker)), (2, id_of(maker))] == [
        (version["version"], version["created_by"]) for version in described.json["versions"]
    ]
    assert not any(text in described.text for text in (ONE, TWO, "payload", "data_key", "sealed", "tag"))


def test_a_secret_of_an_earlier_implementation_can_be_changed(
    client: FlaskClient, database: Database
) -> None:
    """Its value becomes version 1; the first change seals it in the current format."""
    secret_id, nonce = str(uuid.uuid4()), bytes(range(12))
    record = nonce + AESGCM(MASTER_KEY).encrypt(nonce, b"one", None)
    database.secrets.insert_one({"_id": secret_id, "ciphertext": base64.b64encode(record).decode()})

    assert "live" == ask(client, "describe", secret_id=secret_id).json["state"]
    listed = ask(client, "list", unnamed=True).json["secrets"]
    assert [secret_id] == [summary["secret_id"] for summary in listed]
    assert 2 == ask(client, "update", secret_id=secret_id, secret=TWO, new_path=PATH).json["version"]

    assert [(1, ONE), (2, TWO)] == [fetched(client, path=PATH, version=number) for number in (1, 2)]
    assert "ciphertext" not in database.secrets.find_one({"_id": secret_id})


def test_an_undecryptable_secret_of_an_earlier_implementation_can_be_destroyed(
    client: FlaskClient, database: Database, store: Store, ring: KeyRing
) -> None:
    """Updating it fails, because that would have to seal its value again."""
    earlier.accept(store, ring, client)
    secret_id = earlier.add_legacy(database, OTHER_MASTER_KEY)
    assert 500 == ask(client, "update", secret_id=secret_id, secret=TWO).status_code

    assert "destroyed" == ask(client, "destroy", secret_id=secret_id).json["state"]
    assert "ciphertext" not in database.secrets.find_one({"_id": secret_id})


def test_every_call_writes_one_record_with_its_operation(client: FlaskClient, database: Database) -> None:
    """Successes and failures, with the path and the id if they are known."""
    secret_id = create(client, path=PATH)
    for operation, body in (
        ("update", {"secret": TWO}),
        ("describe", {}),
        ("delete", {}),
        ("fetch", {}),
        ("undelete", {}),
        ("destroy", {}),
        ("fetch", {}),
    ):
        ask(client, operation, path=PATH, **body)
    ask(client, "list", prefix="team/")
    ask(client, "list", prefix="no path!")
    post(client, "/vault/secret/destroy", [])

    assert [
        ("create", None, secret_id, PATH),
        ("update", None, secret_id, PATH),
        ("describe", None, secret_id, PATH),
        ("delete", None, secret_id, PATH),
        ("fetch", "deleted", secret_id, PATH),
        ("undelete", None, secret_id, PATH),
        ("destroy", None, secret_id, PATH),
        ("fetch", "destroyed", secret_id, PATH),
        ("list", None, None, "team/"),
        ("list", "invalid fields", None, None),
        ("destroy", "invalid fields", None, None),
    ] == [
        (record["operation"], record["reason"], record["secret_id"], record["path"])
        for record in database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)])
    ]
