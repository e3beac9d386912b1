"""vault.proof: a service with the wrong key adds nothing to the database."""

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
    """Return the proof of a ring of these keys."""
    store = Store(mongo.uri, 5)
    return KeyRingCheck(store.canaries, store.secrets, make_ring(*keys), store.keys, store.rewrap)


def test_seals_a_canary_into_an_empty_database(mongo: EmbeddedMongo, database: Database) -> None:
    """From then on only that key fits, alone or in a ring."""
    key_check(mongo, MASTER_KEY).check()

    key_check(mongo, MASTER_KEY).check()
    key_check(mongo, OTHER_MASTER_KEY, MASTER_KEY).check()
    assert 1 == database.meta.count_documents({"_id": "canary"})


def test_refuses_another_key_and_names_both(mongo: EmbeddedMongo, database: Database) -> None:
    """The operator can tell which key belongs to the database and which one was given."""
    key_check(mongo, MASTER_KEY).check()

    with pytest.raises(KeyRingMismatch) as caught:
        key_check(mongo, OTHER_MASTER_KEY).require()

    assert f"sealed under master key {key_id_of(MASTER_KEY).hex()}" in str(caught.value)
    assert f"key ring ({key_id_of(OTHER_MASTER_KEY).hex()})" in str(caught.value)


@pytest.mark.parametrize("altered", [{"payload": b"x" * 50}, {"data_key": b""}, {"payload": None}])
def test_refuses_an_altered_canary(
    mongo: EmbeddedMongo, database: Database, altered: dict[str, object]
) -> None:
    """A canary that does not open proves nothing."""
    key_check(mongo, MASTER_KEY).check()
    database.meta.update_one({"_id": "canary"}, {"$set": altered})

    with pytest.raises(KeyRingMismatch):
        key_check(mongo, MASTER_KEY).check()


def test_tries_older_data_before_it_seals_a_canary(mongo: EmbeddedMongo, database: Database) -> None:
    """Documents of an earlier implementation have no canary: what is there must open first."""
    record = bytes(12) + AESGCM(MASTER_KEY).encrypt(bytes(12), b"legacy", None)
    database.secrets.insert_one({"_id": "legacy", "ciphertext": base64.b64encode(record).decode()})

    with pytest.raises(KeyRingMismatch, match="no key of the ring decrypts it"):
        key_check(mongo, OTHER_MASTER_KEY).check()
    assert 0 == database.meta.count_documents({})

    key_check(mongo, MASTER_KEY).check()
    assert 1 == database.meta.count_documents({"_id": "canary"})


def test_is_given_once_and_then_remembered(mongo: EmbeddedMongo, database: Database) -> None:
    """A request does not pay for it again; readiness gives it anew and notices a change."""
    check = key_check(mongo, MASTER_KEY)
    check.require()
    database.meta.update_one({"_id": "canary"}, {"$set": {"payload": b"x" * 50}})

    check.require()
    with pytest.raises(KeyRingMismatch):
        check.check()
    with pytest.raises(KeyRingMismatch):
        check.require()


def test_looks_once_whether_anything_is_under_a_key_that_it_lacks(
    mongo: EmbeddedMongo, database: Database
) -> None:
    """Once it serves, another process that still has an old key takes nothing away from it."""
    store = Store(mongo.uri, 5)
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


def test_a_record_with_a_made_up_key_id_keeps_nobody_from_serving(
    mongo: EmbeddedMongo, database: Database
) -> None:
    """A flipped bit would otherwise take down every replica that starts."""
    key_check(mongo, MASTER_KEY).check()
    fill(database, make_ring(bytes(range(64, 96))), 1)
    database.secrets.update_one({}, {"$set": {"tag": b"\x02" + bytes(40)}})

    late = key_check(mongo, MASTER_KEY)
    late.require()

    assert 1 == database.secrets.count_documents({})


def test_the_canary_moves_to_the_primary_key(mongo: EmbeddedMongo, database: Database) -> None:
    """From then on the old key does not open it."""
    key_check(mongo, MASTER_KEY).check()

    key_check(mongo, OTHER_MASTER_KEY, MASTER_KEY).rewrap_canary()

    key_check(mongo, OTHER_MASTER_KEY).check()
    with pytest.raises(KeyRingMismatch):
        key_check(mongo, MASTER_KEY).check()
