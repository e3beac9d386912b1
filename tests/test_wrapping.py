"""wrapping: an answer is kept for one, encrypted, and as long as it says.

What clients see of it is in ``api/kv/test_wrapping.py``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo.database import Database

from service import wrapping
from service.audit.recorder import Entry
from service.errors import CannotDecrypt, SecretExpired, SecretNotFound, TokenRevoked, TooLarge
from service.models import Caller, now
from service.secrets.services import SecretServices
from service.tokens.tokens import TokenServices

ANSWER = b'{"data":{"password":"hunter2"}}'


@pytest.fixture
def entry() -> Entry:
    """The audit entry of a call by some token."""
    return Entry("fetch", Caller("192.0.2.7", "request"), actor="a0b1c2d3e4f5a6b7")


def test_the_answer_is_a_secret_for_a_single_read(
    vault: SecretServices, token_parts: TokenServices, entry: Entry, database: Database
) -> None:
    """Encrypted, without a path; its owner, the wrapping token, grants nothing and descends from none."""
    text, token = wrapping.wrap(vault, token_parts, entry, ANSWER, "secret/data/a", 60)

    assert ((), (), "a0b1c2d3e4f5a6b7", None) == (
        token.scopes,
        token.makers,
        token.created_by,
        token.lifetime,
    )
    assert timedelta(seconds=60) == (token.expires_at or now()) - token.created_at
    (stored,) = database.secrets.find({"owner": token.token_id})
    assert (None, 1, entry.secret_id) == (stored.get("path"), stored["max_reads"], stored["_id"])
    assert b"hunter2" not in bytes(stored["versions"][0]["payload"])
    assert ANSWER == wrapping.unwrap(vault, token_parts, entry, text)
    with pytest.raises(SecretNotFound, match=r"already read at .*, from 192\.0\.2\.7"):
        wrapping.unwrap(vault, token_parts, entry, text)


def test_it_ends_with_its_time(vault: SecretServices, token_parts: TokenServices, entry: Entry) -> None:
    """Whatever MongoDB has not removed yet."""
    text, _ = wrapping.wrap(vault, token_parts, entry, ANSWER, "secret/data/a", 60)
    later = replace(vault, clock=lambda: now() + timedelta(seconds=61))

    with pytest.raises(SecretExpired):
        wrapping.unwrap(later, token_parts, entry, text)


def test_a_revoked_wrapping_token_gives_nothing(
    vault: SecretServices, token_parts: TokenServices, entry: Entry
) -> None:
    """For a token that went to the wrong place."""
    text, token = wrapping.wrap(vault, token_parts, entry, ANSWER, "secret/data/a", 60)
    token_parts.store.revoke([token.token_id], now())

    for call in (wrapping.unwrap, wrapping.describe):
        with pytest.raises(TokenRevoked):
            call(vault, token_parts, entry, text)


def test_what_was_altered_is_no_answer(
    vault: SecretServices, token_parts: TokenServices, entry: Entry, database: Database
) -> None:
    """Nor is it used up."""
    text, _ = wrapping.wrap(vault, token_parts, entry, ANSWER, "secret/data/a", 60)
    (stored,) = database.secrets.find()
    database.secrets.update_one({"_id": stored["_id"]}, {"$set": {"versions.0.payload": b"\x01" * 80}})

    with pytest.raises(CannotDecrypt):
        wrapping.unwrap(vault, token_parts, entry, text)

    database.secrets.replace_one({"_id": stored["_id"]}, stored)
    assert ANSWER == wrapping.unwrap(vault, token_parts, entry, text)


def test_an_answer_that_is_too_large_is_not_kept(
    vault: SecretServices, token_parts: TokenServices, entry: Entry, database: Database
) -> None:
    """A list can be; whatever else is longer than the largest secret is not refused."""
    with pytest.raises(TooLarge, match="917504 bytes"):
        wrapping.wrap(vault, token_parts, entry, b"x" * 917_505, "secret/metadata", 60)

    assert 0 == database.secrets.count_documents({}) == database.tokens.count_documents({})
    wrapping.wrap(vault, token_parts, entry, b"x" * 917_504, "secret/metadata", 60)
