"""store.tokens: a document is read as it was written, or reported as altered."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from service.errors import Tampered
from service.models import Action, Scope, StoredToken, Token, now
from service.store.store import Store

PRESENT = now()
STORED = StoredToken(
    Token(
        token_id="0f3a5b7c9d1e2f40",
        name="billing",
        scopes=(Scope(Action.FETCH, "team/app/*"), Scope(Action.TOKEN)),
        created_at=PRESENT,
        created_by="operator",
        expires_at=PRESENT + timedelta(hours=1),
        lifetime=3600,
        max_uses=2,
        networks=("10.0.0.0/8", "192.0.2.7"),
        rate_limit=60,
    ),
    digest=b"digest",
    tag=b"tag",
)
ID = STORED.token.token_id


def test_finds_what_was_inserted(store: Store) -> None:
    """Every field comes back as it was."""
    store.tokens.insert(STORED)

    assert STORED == store.tokens.find(ID)
    assert store.tokens.find("0" * 16) is None


def test_the_scope_for_the_log_of_paths_has_a_name_of_its_own(store: Store, database: Database) -> None:
    """Versions that know ``audit`` alone take no other name for it; a pattern where none belongs is odd."""
    scoped = replace(STORED, token=replace(STORED.token, scopes=(Scope(Action.AUDIT_PATHS, "team/*"),)))
    store.tokens.insert(scoped)

    assert scoped == store.tokens.find(ID)
    assert ["audit_paths:team/*"] == database.tokens.find_one({"_id": ID})["scopes"]
    for odd in ("audit:team/*", "token:*", "audit_paths", "fetch"):
        database.tokens.update_one({"_id": ID}, {"$set": {"scopes": [odd]}})
        with pytest.raises(Tampered):
            store.tokens.find(ID)


def test_finds_for_many_with_few_queries(store: Store, database: Database) -> None:
    """Each gets its own, or why it cannot be read; and one alone waits for nobody."""
    store.tokens.insert(STORED)
    database.tokens.insert_one({"_id": "f" * 16})
    database.command("profile", 2)
    try:
        with ThreadPoolExecutor(100) as pool:
            found = list(pool.map(store.tokens.find_with_others, [ID, "0" * 16] * 50))
            with pytest.raises(Tampered):
                store.tokens.find_with_others("f" * 16)
    finally:
        database.command("profile", 0)

    assert [STORED, None] * 50 == found
    assert database["system.profile"].count_documents({"ns": "vault.tokens", "op": "query"}) < 20


@pytest.mark.parametrize(
    "altered",
    [
        {"name": 5},
        {"scopes": "admin"},
        {"scopes": ["root"]},
        {"scopes": [5]},
        {"scopes": None},
        {"created_at": "2026-01-31"},
        {"created_by": None},
        {"expires_at": "2026-01-31"},
        {"lifetime": "3600"},
        {"max_uses": "2"},
        {"networks": ["everywhere"]},
        {"networks": [5]},
        {"networks": "10.0.0.0/8"},
        {"rate_limit": "60"},
        {"uses": "none"},
        {"revoked_at": False},
        {"digest": "digest"},
        {"tag": 5},
    ],
    ids=str,
)
def test_an_altered_document_is_tampered_with(
    store: Store, database: Database, altered: dict[str, Any]
) -> None:
    """Anyone who can write to the database can put anything there: it is an altered record, not a crash."""
    store.tokens.insert(STORED)
    database.tokens.update_one({"_id": ID}, {"$set": altered})

    with pytest.raises(Tampered):
        store.tokens.find(ID)


@pytest.mark.parametrize("missing", ["name", "scopes", "uses", "revoked_at", "networks", "digest", "tag"])
def test_a_document_that_lacks_a_field_is_tampered_with(
    store: Store, database: Database, missing: str
) -> None:
    """A missing limit does not mean that there is no limit."""
    store.tokens.insert(STORED)
    database.tokens.update_one({"_id": ID}, {"$unset": {missing: True}})

    with pytest.raises(Tampered):
        store.tokens.find(ID)


def test_swaps_only_if_unchanged(store: Store) -> None:
    """Of two writers, the second gets False and has changed nothing; so does one of a token that is gone."""
    store.tokens.insert(STORED)
    used = replace(STORED, token=replace(STORED.token, uses=1), tag=b"used")
    renewed = replace(STORED, token=replace(STORED.token, expires_at=PRESENT), tag=b"renewed")

    assert store.tokens.swap(STORED, used)
    assert not store.tokens.swap(STORED, renewed)
    assert used == store.tokens.find(ID)
    assert store.tokens.swap(used, renewed)
    assert renewed == store.tokens.find(ID)
    assert not store.tokens.swap(
        replace(STORED, token=replace(STORED.token, token_id="0" * 16)), replace(used, tag=b"x")
    )


def test_a_tag_replaces_only_the_one_that_was_read(store: Store) -> None:
    """In the state that was read: a revocation in between is not undone, nor tagged as if it were none."""
    store.tokens.insert(STORED)

    assert 1 == store.tokens.retag([(STORED, replace(STORED, tag=b"new"))])
    assert 0 == store.tokens.retag([(STORED, replace(STORED, tag=b"late"))])
    store.tokens.revoke([ID], PRESENT)
    assert 0 == store.tokens.retag([(replace(STORED, tag=b"new"), replace(STORED, tag=b"late"))])


def test_a_revoked_token_is_not_changed(store: Store) -> None:
    """The time of the first revocation stays."""
    store.tokens.insert(STORED)
    store.tokens.revoke([ID, "0" * 16], PRESENT)
    store.tokens.revoke([ID], PRESENT + timedelta(hours=1))

    assert not store.tokens.swap(STORED, replace(STORED, tag=b"new"))
    assert not store.tokens.is_alive(ID)
    found = store.tokens.find(ID)
    assert found is not None
    assert PRESENT == found.token.revoked_at


def test_knows_whether_there_is_an_administrator(store: Store) -> None:
    """Only tokens that can be used count: not expired, not revoked."""
    admin = replace(STORED.token, scopes=(Scope(Action.ADMIN),))
    store.tokens.insert(STORED)
    assert not store.tokens.has_administrator(PRESENT)
    store.tokens.insert(replace(STORED, token=replace(admin, token_id="1" * 16)))
    assert store.tokens.has_administrator(PRESENT)
    assert not store.tokens.has_administrator(PRESENT + timedelta(hours=2))
    store.tokens.revoke(["1" * 16], PRESENT)
    assert not store.tokens.has_administrator(PRESENT)
    store.tokens.insert(replace(STORED, token=replace(admin, token_id="2" * 16, expires_at=None)))
    assert store.tokens.has_administrator(PRESENT + timedelta(days=9999))
