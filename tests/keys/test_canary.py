"""keys.canary: a service with the wrong key adds nothing to the database."""

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pymongo.database import Database

from service.crypto.aead import key_id_of
from service.dev.mongod import EmbeddedMongo
from service.errors import KeyRingMismatch
from service.keys.canary import KeyRingCheck
from service.store.store import Store
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring
from tests.filling import fill


def key_check(mongo: EmbeddedMongo, *keys: bytes) -> KeyRingCheck:
    """Return the check of a ring with these keys."""
    store = Store(mongo.uri, 20)
    return KeyRingCheck(store.canaries, store.secrets, make_ring(*keys), store.keys, store.rewrap)


def test_seals_a_canary_into_an_empty_database(mongo: EmbeddedMongo, database: Database) -> None:
    """From then on only rings with that key fit."""
    key_check(mongo, MASTER_KEY).check()

    key_check(mongo, MASTER_KEY).check()
    key_check(mongo, OTHER_MASTER_KEY, MASTER_KEY).check()
    assert 1 == database.meta.count_documents({"_id": "canary"})


def test_refuses_another_key_and_names_both(mongo: EmbeddedMongo, database: Database) -> None:
    """The message names the key of the database and the key that was given."""
    key_check(mongo, MASTER_KEY).check()

    with pytest.raises(KeyRingMismatch) as caught:
        key_check(mongo, OTHER_MASTER_KEY).require()

    assert f"sealed under master key {key_id_of(MASTER_KEY).hex()}" in str(caught.value)
    assert f"key ring ({key_id_of(OTHER_MASTER_KEY).hex()})" in str(caught.value)


@pytest.mark.parametrize("altered", [{"payload": b"x" * 50}, {"data_key": b""}, {"payload": None}])
def test_refuses_an_altered_canary(
    mongo: EmbeddedMongo, database: Database, altered: dict[str, object]
) -> None:
    """A canary that cannot be decrypted fails the check."""
    key_check(mongo, MASTER_KEY).check()
    database.meta.update_one({"_id": "canary"}, {"$set": altered})

    with pytest.raises(KeyRingMismatch):
        key_check(mongo, MASTER_KEY).check()


def test_decrypts_older_data_before_it_seals_a_canary(mongo: EmbeddedMongo, database: Database) -> None:
    """An earlier implementation stored data without a canary: the ring must decrypt that data first."""
    record = bytes(12) + AESGCM(MASTER_KEY).encrypt(bytes(12), b"legacy", None)
    database.secrets.insert_one({"_id": "legacy", "ciphertext": base64.b64encode(record).decode()})

    with pytest.raises(KeyRingMismatch, match="no key of the ring decrypts it"):
        key_check(mongo, OTHER_MASTER_KEY).check()
    assert 0 == database.meta.count_documents({})

    key_check(mongo, MASTER_KEY).check()
    assert 1 == database.meta.count_documents({"_id": "canary"})


def test_require_checks_once(mongo: EmbeddedMongo, database: Database) -> None:
    """Requests do not pay for the check again; readiness repeats it and detects a change."""
    check = key_check(mongo, MASTER_KEY)
    check.require()
    database.meta.update_one({"_id": "canary"}, {"$set": {"payload": b"x" * 50}})

    check.require()
    with pytest.raises(KeyRingMismatch):
        check.check()
    with pytest.raises(KeyRingMismatch):
        check.require()


def test_looks_once_for_data_under_a_key_that_it_lacks(mongo: EmbeddedMongo, database: Database) -> None:
    """A process that already serves keeps serving if another one still writes under an old key."""
    store = Store(mongo.uri, 20)
    key_check(mongo, MASTER_KEY, OTHER_MASTER_KEY).check()
    check = key_check(mongo, MASTER_KEY)
    check.check()
    fill(database, make_ring(OTHER_MASTER_KEY), 1)

    check.check()
    late = key_check(mongo, MASTER_KEY)
    with pytest.raises(KeyRingMismatch, match=r"stored data needs master key .* add that key"):
        late.check()
    with pytest.raises(KeyRingMismatch):
        late.require()

    database.secrets.delete_many({})
    late.require()
    assert {key_id_of(key).hex() for key in (MASTER_KEY, OTHER_MASTER_KEY)} == store.keys.registered().keys()


def test_a_record_with_an_unknown_key_id_does_not_fail_the_check(
    mongo: EmbeddedMongo, database: Database
) -> None:
    """Otherwise a flipped bit would keep every replica from starting."""
    key_check(mongo, MASTER_KEY).check()
    fill(database, make_ring(bytes(range(64, 96))), 1)
    database.secrets.update_one({}, {"$set": {"tag": b"\x02" + bytes(40)}})

    late = key_check(mongo, MASTER_KEY)
    late.require()

    assert 1 == database.secrets.count_documents({})


def test_the_canary_is_rewrapped_under_the_primary_key(mongo: EmbeddedMongo, database: Database) -> None:
    """From then on the old key does not decrypt it."""
    key_check(mongo, MASTER_KEY).check()

    key_check(mongo, OTHER_MASTER_KEY, MASTER_KEY).renew_canary()

    key_check(mongo, OTHER_MASTER_KEY).check()
    with pytest.raises(KeyRingMismatch):
        key_check(mongo, MASTER_KEY).check()
