"""keys.rewrap: everything comes under the primary key, except what does not authenticate."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask.testing import FlaskClient
from pymongo.database import Database

from service.access import policy
from service.audit.key import AuditKey
from service.crypto.aead import key_id_of
from service.crypto.keyring import KeyRing
from service.errors import ConfigurationError, KeyRingMismatch
from service.keys.canary import KeyRingCheck
from service.keys.rewrap import Rewrap, RewrapResult
from service.keys.status import KeyServices, KeyUse, key_status
from service.store.store import Store
from tests.api.kv.calls import Vault
from tests.approles.roles import make_role
from tests.calls import CREATE, FETCH, FOLDER, WHOAMI, ask, id_of, post
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring

UPDATE, DESTROY = "/vault/secret/update", "/vault/secret/destroy"
OLD, NEW = (key_id_of(key).hex() for key in (MASTER_KEY, OTHER_MASTER_KEY))
STRANGE = bytes(range(64, 96))


@dataclass
class Watcher:
    """Keeps what is reported to it."""

    total: int = 0
    done: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def begin(self, total: int) -> None:
        self.total = total

    def progress(self, done: int) -> None:
        self.done.append(done)

    def failed(self, what: str) -> None:
        self.failures.append(what)


@dataclass
class Rotation:
    """A database, and a ring with a new primary key."""

    store: Store
    ring: KeyRing
    rewrap_store: Any
    token_store: Any
    watcher: Watcher = field(default_factory=Watcher)

    @property
    def keys(self) -> KeyServices:
        audit_key = AuditKey(self.store.audit_keys, self.store.audit, self.ring)
        return KeyServices(self.ring, self.store.keys, self.rewrap_store, self.store.canaries, audit_key)

    def rewrap(self) -> RewrapResult:
        """Run once, with a new watcher."""
        self.watcher = Watcher()
        key_check = KeyRingCheck(
            self.store.canaries, self.store.secrets, self.ring, self.store.keys, self.store.rewrap
        )
        return Rewrap(
            self.keys,
            self.store.secrets,
            self.token_store,
            self.store.sessions,
            self.store.shares,
            self.store.grants,
            self.store.approles,
            self.store.secret_ids,
            key_check,
            self.watcher,
        ).run(policy.OPERATOR)

    def uses(self) -> dict[str, KeyUse]:
        """Return what is under each key."""
        return {use.key_id: use for use in key_status(self.keys, policy.OPERATOR).keys}


@pytest.fixture
def rotation(store: Store, database: Database) -> Rotation:
    """A rotation: every process holds the new key, and here it is the primary."""
    ring = make_ring(OTHER_MASTER_KEY, MASTER_KEY)
    store.keys.register(ring.key_ids)
    return Rotation(store, ring, store.rewrap, store.tokens)


@pytest.fixture
def new(make_client: Callable[..., FlaskClient]) -> Callable[[], FlaskClient]:
    """Return a function that makes a client of an application with only the new key."""
    return lambda: make_client(MASTER_KEY=base64.b64encode(OTHER_MASTER_KEY).decode(), AUTH_REQUIRED="true")


def legacy_id(number: int) -> str:
    """Return the id of a record of an earlier implementation."""
    return f"00000000-0000-4000-8000-{number:012}"


def create(client: FlaskClient, **body: Any) -> str:
    """Create a secret and return its id."""
    answer = post(client, CREATE, {"secret": "YQ==", **body})
    assert 200 == answer.status_code, answer.text
    return answer.json["secret_id"]


def make_grant(client: FlaskClient) -> str:
    """Create a grant and return its id."""
    grant_id: str = post(client, "/vault/grant/create", {"services": ["x"], "paths": ["a"]}).json["grant_id"]
    return grant_id


def test_everything_comes_under_the_primary_key(
    rotation: Rotation,
    client: FlaskClient,
    guarded: FlaskClient,
    give: Callable[..., str],
    new: Callable,
    database: Database,
) -> None:
    """Everything with a tag, ended ones too, and the canary: the old key is not needed."""
    create(client, path="a")
    for _ in range(3):
        post(client, UPDATE, {"path": "a", "secret": "Yg=="})
    post(client, DESTROY, {"path": "a", "versions": [2]})
    gone, nameless = create(client, path="gone"), create(client)
    post(client, DESTROY, {"secret_id": gone})
    admin, ended = give("admin"), give("fetch:*", expires_in=-1)
    grant_id = make_grant(client)
    post(client, "/vault/grant/delete", {"grant_id": make_grant(client)})
    role = make_role(client, admin)
    secret_id = role.secret_id()
    session = post(guarded, "/vault/session/create", {}, admin).json["session"]
    post(guarded, "/vault/share/create", {"secret": "YQ==", "for": "x"}, admin)
    post(client, FOLDER + "configure", {"prefix": "f/", "max_versions": 3})
    Vault(client).put("secret/metadata/empty", {"max_versions": 5})
    payloads = database.secrets.distinct("versions.payload")

    assert RewrapResult(done=14, failed=0, left=0) == rotation.rewrap()

    old, found = (rotation.uses()[key_id] for key_id in (OLD, NEW))
    assert (0, 0, 0, 0, 0, False) == (
        old.versions,
        old.secret_tags,
        old.token_tags,
        old.grant_tags,
        old.approle_tags,
        old.canary,
    )
    assert (5, 6, 4, 2, 2, True) == (
        found.versions,
        found.secret_tags,
        found.token_tags,
        found.grant_tags,
        found.approle_tags,
        found.canary,
    )
    assert payloads == database.secrets.distinct("versions.payload")
    only_new = new()
    assert 200 == post(only_new, "/vault/token/whoami", None, session).status_code
    assert 200 == replace(role, client=only_new).log_in(secret_id).status_code
    assert 3 == post(only_new, FOLDER + "describe", {"prefix": "f/"}, admin).json["max_versions"]
    assert 0 == ask(only_new, "describe", admin, path="empty").json["version"]
    listed = post(only_new, "/vault/grant/list", {}, admin).json
    assert ([grant_id], []) == ([grant["grant_id"] for grant in listed["grants"]], listed["altered"])
    fetched = [
        post(only_new, FETCH, {"path": "a", "version": 1}, admin),
        post(only_new, FETCH, {"path": "a"}, admin),
        post(only_new, FETCH, {"secret_id": nameless}, admin),
    ]
    assert ["YQ==", "Yg==", "YQ=="] == [answer.json["secret"] for answer in fetched]
    assert "destroyed" in post(only_new, FETCH, {"path": "gone"}, admin).json["detail"]
    assert "expired" in post(only_new, WHOAMI, None, ended).json["detail"]


def test_a_second_run_finds_nothing_to_do(
    rotation: Rotation, client: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """No stored byte changes, and no wrap is made."""
    create(client, path="a")
    give("admin")
    rotation.rewrap()
    before = [list(database[name].find()) for name in ("secrets", "tokens", "meta")]

    assert RewrapResult(done=0, failed=0, left=0) == rotation.rewrap()

    assert before == [list(database[name].find()) for name in ("secrets", "tokens", "meta")]


def test_goes_through_more_than_one_batch(
    rotation: Rotation, client: FlaskClient, give: Callable[..., str]
) -> None:
    """Progress is reported after each batch."""
    for number in range(450):
        create(client, path=f"a/{number}")

    assert 450 == rotation.rewrap().done
    assert (450, [200, 400, 450]) == (rotation.watcher.total, rotation.watcher.done)


def test_a_record_of_an_earlier_implementation_is_converted(
    rotation: Rotation,
    client: FlaskClient,
    make_client: Callable[..., FlaskClient],
    database: Database,
    tmp_path: Path,
) -> None:
    """It has no data key to rewrap, so its value is encrypted again, bound to its secret and version."""
    (tmp_path / "v1").write_bytes(MASTER_KEY)
    (tmp_path / "v2").write_bytes(OTHER_MASTER_KEY)
    for number in range(25):
        record = bytes(12) + AESGCM(MASTER_KEY).encrypt(bytes(12), b"hello", None)
        database.secrets.insert_one(
            {"_id": legacy_id(number), "ciphertext": base64.b64encode(record).decode()}
        )
    # Under no key of the ring.
    record = bytes(12) + AESGCM(STRANGE).encrypt(bytes(12), b"hello", None)
    database.secrets.insert_one({"_id": legacy_id(99), "ciphertext": base64.b64encode(record).decode()})
    post(client, FETCH, {"secret_id": legacy_id(1)})

    assert RewrapResult(done=25, failed=1, left=1) == rotation.rewrap()

    assert [
        f"secret {legacy_id(99)}: value: tampered: no key of the ring decrypts it"
    ] == rotation.watcher.failures
    assert 25 == rotation.uses()[NEW].versions
    assert 1 == database.secrets.count_documents({"ciphertext": {"$exists": True}})
    both = make_client(MASTER_KEY=None, MASTER_KEYS_DIR=str(tmp_path), MASTER_KEY_PRIMARY="v2")
    assert "aGVsbG8=" == post(both, FETCH, {"secret_id": legacy_id(7)}).json["secret"]


def test_damaged_records_are_reported_and_left_unchanged(
    rotation: Rotation, client: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """Everything else is rewrapped; damaged records get no new tag or wrap that would legitimize them."""
    moved, flipped, unknown, odd, long, good = (create(client, path=path) for path in "abcdef")
    forged, widened = give("fetch:*"), make_grant(client)
    database.grants.update_one({"_id": widened}, {"$set": {"paths": ["*"]}})
    role = make_role(client, forged)
    accessor = id_of(role.secret_id(max_uses=1))
    database.approles.update_one({}, {"$set": {"scopes": ["admin"]}})
    database.approle_secret_ids.update_one({}, {"$set": {"max_uses": 2}})
    post(client, FOLDER + "configure", {"prefix": "f/", "max_versions": 20})
    database.secrets.update_one({"path": "f/"}, {"$set": {"max_versions": 1}})
    database.secrets.update_one({"_id": moved}, {"$set": {"path": "z"}})
    key = database.secrets.find_one({"_id": flipped})["versions"][0]["data_key"]
    database.secrets.update_one(
        {"_id": flipped}, {"$set": {"versions.0.data_key": key[:-1] + bytes([key[-1] ^ 1])}}
    )
    strange = b"\x01" + key_id_of(STRANGE) + key[9:]
    database.secrets.update_one({"_id": unknown}, {"$set": {"versions.0.data_key": strange}})
    too_long = b"\x01" + key_id_of(OTHER_MASTER_KEY) + bytes(100)
    database.secrets.update_one({"_id": long}, {"$set": {"versions.0.data_key": too_long}})
    database.secrets.update_one({"_id": odd}, {"$set": {"versions.0.version": "1"}})
    database.tokens.update_one({"_id": id_of(forged)}, {"$set": {"scopes": ["admin"]}})
    tag = database.tokens.find_one({"_id": id_of(forged)})["tag"]

    assert RewrapResult(done=1, failed=10, left=10) == rotation.rewrap()

    reported = {failure.split(": ")[0]: failure.split(": ")[1:3] for failure in rotation.watcher.failures}
    assert {
        f"secret {moved}": ["tag", "tampered"],
        f"secret {flipped}": ["tag", "tampered"],
        f"secret {unknown}": ["tag", "tampered"],
        f"secret {odd}": ["document", "tampered"],
        f"secret {long}": ["tag", "tampered"],
        "secret folder f/": ["tag", "tampered"],
        f"token {id_of(forged)}": ["tag", "tampered"],
        f"grant {widened}": ["tag", "tampered"],
        f"approle {role.role_id}": ["tag", "tampered"],
        f"secret id {accessor}": ["tag", "tampered"],
    } == reported
    found = {document["_id"]: document for document in database.secrets.find()}
    assert {strange, key[:-1] + bytes([key[-1] ^ 1])} == {
        found[secret_id]["versions"][0]["data_key"] for secret_id in (flipped, unknown)
    }
    assert OLD == found[moved]["tag"][1:9].hex()
    assert tag == database.tokens.find_one({"_id": id_of(forged)})["tag"]
    assert NEW == found[good]["versions"][0]["data_key"][1:9].hex()
    # The old key is needed while anything is under it; so the canary stays under it, too.
    assert rotation.uses()[OLD].canary


class Interrupted:
    """A real store, with a call right before each of the first ``times`` writes.

    A double, because a real database cannot be made to lose every race.
    """

    def __init__(self, real: Any, interrupt: Callable[[], object], times: int) -> None:
        self._real = real
        self._interrupt = interrupt
        self._times = times

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def rewrap(self, changes: Any) -> int:
        self._disturb()
        return self._real.rewrap(changes)

    def retag(self, changes: Any) -> int:
        self._disturb()
        return self._real.retag(changes)

    def swap(self, before: Any, after: Any) -> bool:
        self._disturb()
        return self._real.swap(before, after)

    def _disturb(self) -> None:
        if self._times:
            self._times -= 1
            self._interrupt()


def test_a_damaged_audit_key_is_reported(rotation: Rotation, client: FlaskClient, database: Database) -> None:
    """The old key is still needed, so one item is left."""
    create(client, path="a")
    database.meta.update_one({"_id": "audit_key"}, [{"$set": {"data_key": "broken"}}])

    assert RewrapResult(done=1, failed=1, left=1) == rotation.rewrap()
    assert ["audit key: document: tampered: the document is not a valid audit key"] == (
        rotation.watcher.failures
    )


def test_a_lost_race_is_read_again(rotation: Rotation, client: FlaskClient, store: Store) -> None:
    """What a caller wrote in between is kept, and is rewrapped as well."""
    create(client, path="a")
    rotation.rewrap_store = Interrupted(
        store.rewrap, lambda: post(client, UPDATE, {"path": "a", "secret": "Yg=="}), 3
    )

    assert RewrapResult(done=1, failed=0, left=0) == rotation.rewrap()

    assert 4 == rotation.uses()[NEW].versions
    assert 0 == rotation.uses()[OLD].versions


def test_a_concurrent_renewal_is_kept(
    rotation: Rotation,
    guarded: FlaskClient,
    give: Callable[..., str],
    new: Callable[[], FlaskClient],
    store: Store,
    database: Database,
) -> None:
    """The token's tag authenticates its new expiry."""
    token = give("admin", expires_in=600, renewable=True)
    ends: list[str] = []
    rotation.token_store = Interrupted(
        store.tokens,
        lambda: ends.append(post(guarded, "/vault/token/renew", {}, token).json["expires_at"]),
        1,
    )

    assert RewrapResult(done=1, failed=0, left=0) == rotation.rewrap()

    stored = database.tokens.find_one({})
    assert (ends[0], NEW) == (stored["expires_at"].isoformat(), stored["tag"][1:9].hex())
    assert 200 == post(new(), WHOAMI, None, token).status_code


def test_a_concurrent_deletion_is_kept(
    rotation: Rotation, client: FlaskClient, store: Store, database: Database
) -> None:
    """A rewrap does not bring a deleted grant back."""
    grant_id = make_grant(client)
    rotation.store.grants = Interrupted(
        store.grants, lambda: post(client, "/vault/grant/delete", {"grant_id": grant_id}), 1
    )

    assert RewrapResult(done=1, failed=0, left=0) == rotation.rewrap()

    stored = database.grants.find_one({})
    assert (True, NEW) == (stored["deleted_at"] is not None, stored["tag"][1:9].hex())


def test_what_another_replica_writes_under_the_old_key_is_counted_as_left(
    rotation: Rotation, client: FlaskClient, store: Store
) -> None:
    """If the run reported success, an operator would remove the old key."""
    create(client, path="a")
    interrupted = Interrupted(store.rewrap, lambda: None, 0)
    real = interrupted.tokens_not_under
    interrupted.tokens_not_under = lambda key, page: (create(client), real(key, page))[1]
    rotation.rewrap_store = interrupted

    result = rotation.rewrap()

    assert RewrapResult(done=1, failed=0, left=1) == result
    assert rotation.uses()[OLD].canary


def test_refuses_a_primary_key_that_no_replica_has_loaded(
    rotation: Rotation, client: FlaskClient, database: Database
) -> None:
    """No replica could decrypt any secret after the run."""
    secret_id = create(client)
    database.meta.delete_one({"_id": f"key {NEW}"})

    with pytest.raises(ConfigurationError, match=f"no replica has loaded master key {NEW}"):
        rotation.rewrap()
    assert "YQ==" == post(client, FETCH, {"secret_id": secret_id}).json["secret"]


def test_refuses_the_ring_of_another_database(rotation: Rotation, client: FlaskClient) -> None:
    """A single error names the keys, instead of one error per secret."""
    create(client)
    rotation.ring = make_ring(OTHER_MASTER_KEY)

    with pytest.raises(KeyRingMismatch, match=f"sealed under master key {OLD}"):
        rotation.rewrap()
