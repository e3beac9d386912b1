"""secrets.history: versions keep the numbers, times and deletions that they had elsewhere."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.access import policy, scopes
from service.errors import Forbidden, InvalidFields, PathTaken, SecretDeleted, SecretDestroyed, TooLarge
from service.models import Action, Principal, now
from service.records import Secret
from service.secrets import history, lookup, modify, read
from service.secrets.history import PastVersion, SecretHistory
from service.secrets.modify import UpdateSecret
from service.secrets.options import SecretOptions
from service.secrets.read import SecretVersionRef
from service.secrets.services import SecretServices
from service.store.secret_queries import SecretRef
from tests.secrets.secrets import DAY, entry, keep

THEN = datetime(2024, 2, 29, 12, 30, 1, 123000, tzinfo=UTC)
REF = SecretRef("team/app", is_path=True)


def past(number: int, content: bytes | None = b"value", deleted_at: datetime | None = None) -> PastVersion:
    """Return a version that was created so many days after ``THEN``."""
    return PastVersion(number, THEN + number * DAY, content, deleted_at)


def create(vault: SecretServices, *versions: PastVersion, **options: Any) -> Secret:
    """Create the secret as the operator does."""
    request = SecretHistory("team/app", versions, THEN, THEN + 9 * DAY, SecretOptions(**options))
    return history.create_with_history(vault, entry(), policy.OPERATOR, request)


def value(vault: SecretServices, number: int | None = None) -> bytes:
    """Fetch a version as the operator does."""
    return read.fetch(vault, entry(), policy.OPERATOR, SecretVersionRef(REF, number)).plaintext


def stored(vault: SecretServices) -> Secret:
    """Return the secret as it is stored; its tag is verified."""
    return lookup.find_one(vault, entry(), policy.OPERATOR, Action.FETCH, REF, vault.secrets.find_whole)


def test_every_version_can_be_read_by_its_number(vault: SecretServices) -> None:
    """Numbers may begin above 1 and have gaps; the last one is current."""
    create(vault, past(3, b"three"), past(5, b"five"), past(6, b"six"), labels={"env": "prod"})

    assert (b"three", b"five", b"six", b"six") == (
        value(vault, 3),
        value(vault, 5),
        value(vault, 6),
        value(vault),
    )
    for gone in (1, 2, 4):
        with pytest.raises(SecretDestroyed, match="no details are kept"):
            value(vault, gone)


def test_times_and_settings_are_kept_as_they_were(vault: SecretServices) -> None:
    """And are authenticated like all others."""
    create(vault, past(1), past(2), labels={"env": "prod"}, max_versions=4, cas_required=True)
    secret = stored(vault)

    assert (THEN, THEN + 9 * DAY) == (secret.created_at, secret.updated_at)
    assert [THEN + DAY, THEN + 2 * DAY] == [version.created_at for version in secret.versions]
    assert ((("env", "prod"),), 4, True) == (secret.labels, secret.max_versions, secret.cas_required)
    assert {"operator"} == {secret.created_by, *(version.created_by for version in secret.versions)}


def test_a_version_whose_value_is_gone_is_destroyed(vault: SecretServices) -> None:
    """It says since when it was deleted, and cannot be restored; the others can be read."""
    create(vault, past(1, b"one"), past(2, None, THEN + 3 * DAY), past(3, None))
    secret = stored(vault)

    assert b"one" == value(vault, 1)
    assert [None, THEN + 3 * DAY, None] == [version.deleted_at for version in secret.versions]
    for number in (2, 3):
        with pytest.raises(SecretDestroyed, match=f"version {number} was destroyed at .* by operator"):
            value(vault, number)
        with pytest.raises(SecretDestroyed):
            modify.undelete(vault, entry(), policy.OPERATOR, REF, [number])


def test_a_deletion_that_is_still_to_come_comes(vault: SecretServices) -> None:
    """Until then the version can be read, and afterwards it can be restored."""
    create(vault, past(1, b"one", now() + timedelta(seconds=0.3)), past(2, b"two", now() + DAY))

    assert (b"one", b"two") == (value(vault, 1), value(vault, 2))
    later = replace(vault, clock=lambda: now() + timedelta(seconds=1))
    with pytest.raises(SecretDeleted):
        value(later, 1)
    modify.undelete(later, entry(), policy.OPERATOR, REF, [1])
    assert b"one" == value(later, 1)


def test_life_goes_on_with_the_next_number(vault: SecretServices) -> None:
    """Older versions are destroyed beyond ``max_versions``, as ever."""
    create(vault, past(7, b"seven"), past(8, b"eight"), max_versions=2)
    modify.update(vault, entry(), policy.OPERATOR, REF, UpdateSecret(b"nine", expected_version=8))

    assert (b"eight", b"nine") == (value(vault, 8), value(vault, 9))
    with pytest.raises(SecretDestroyed):
        value(vault, 7)


def test_a_secret_that_is_there_stays_as_it_is(indexed: None, vault: SecretServices) -> None:
    """Nothing is merged."""
    keep(vault, "team/app", b"here")

    with pytest.raises(PathTaken):
        create(vault, past(1), past(2))
    assert b"here" == value(vault)


def test_refuses_what_create_refuses(vault: SecretServices) -> None:
    """A token's scopes, the path's form, the limit of one value."""
    request = SecretHistory("team/app", [past(1, b"x" * (vault.max_secret_bytes + 1)), past(2)], THEN)
    with pytest.raises(TooLarge):
        history.create_with_history(vault, entry(), policy.OPERATOR, request)
    with pytest.raises(InvalidFields):
        history.create_with_history(vault, entry(), policy.OPERATOR, SecretHistory("a//b", [past(1)], THEN))
    reader = Principal("reader", (scopes.parse("fetch:*"),))
    with pytest.raises(Forbidden):
        history.create_with_history(vault, entry(), reader, SecretHistory("team/app", [past(1)], THEN))
