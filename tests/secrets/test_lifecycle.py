"""secrets.lifecycle: what each change does to a secret."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import (
    InvalidFields,
    NoSuchVersion,
    SecretDeleted,
    SecretDestroyed,
    SecretExpired,
    VersionConflict,
)
from service.records import State
from service.secrets import lifecycle, state
from service.secrets.options import SecretOptions, resolve
from tests.secrets.secrets import DAY, NOW, SEALED, SECOND, secret


def test_every_value_is_a_version_of_its_own() -> None:
    """It has its own number, creator, time and expiry."""
    added = lifecycle.add(secret(1), SEALED, {"version_expires_at": NOW + DAY}, NOW, "ann")

    newest = added.versions[-1]
    assert (2, 2) == (added.current, newest.version)
    assert (NOW, "ann", NOW + DAY, None) == (
        newest.created_at,
        newest.created_by,
        newest.expires_at,
        newest.deleted_at,
    )


def test_a_version_is_deleted_after_a_set_time() -> None:
    """``delete_version_after`` schedules the deletion; it can be undone like any other."""
    added = lifecycle.add(secret(1, delete_version_after=60), SEALED, {}, NOW, "ann")
    later = NOW + timedelta(seconds=60)

    assert State.LIVE == state.of_version(added.versions[-1], later - SECOND)
    assert State.DELETED == state.of_version(added.versions[-1], later)
    assert 2 == state.readable(lifecycle.undelete(added, (2,), later), None, later).version


def test_keeps_as_many_versions_as_it_should() -> None:
    """The oldest are destroyed, by ``max_versions``; versions destroyed before do not count."""
    five = secret(5, max_versions=3)

    assert [None, None, SEALED, SEALED, SEALED] == [version.sealed for version in five.versions]
    assert ["max_versions", "max_versions", None, None, None] == [
        version.destroyed_by for version in five.versions
    ]
    without = lifecycle.destroy(five, (4,), NOW, "ann")
    assert lifecycle.tidy(lifecycle.add(without, SEALED, {}, NOW, "ann"), NOW).versions[2].sealed == SEALED


def test_drops_the_oldest_destroyed_entries() -> None:
    """A document does not grow without limit, and no readable version is dropped."""
    many = secret(1, max_versions=2)
    for _ in range(150):
        many = lifecycle.add(many, SEALED, {}, NOW, "ann")
        many = lifecycle.tidy(lifecycle.destroy(many, (many.current,), NOW, "ann"), NOW)

    assert (151, 100) == (many.current, len(many.versions))
    assert (1, SEALED) == (many.versions[0].version, many.versions[0].sealed)


def test_what_has_expired_loses_its_value_at_the_next_change() -> None:
    """It can no longer be read."""
    expiring = lifecycle.add(secret(1), SEALED, {"version_expires_at": NOW + SECOND}, NOW, "ann")

    tidied = lifecycle.tidy(lifecycle.add(expiring, SEALED, {}, NOW + SECOND, "ann"), NOW + SECOND)

    assert [SEALED, None, SEALED] == [version.sealed for version in tidied.versions]
    assert "expiry" == tidied.versions[1].destroyed_by


def test_an_expected_version_is_the_current_one() -> None:
    """The error names the current version; an expected version of 0 means that there is no secret yet."""
    lifecycle.expect(secret(3), 3)
    lifecycle.expect(secret(3), None)
    for wrong in (0, 2, 4):
        with pytest.raises(VersionConflict) as found:
            lifecycle.expect(secret(3), wrong)
        assert 3 == found.value.current_version


def test_sets_the_given_options_and_leaves_the_others() -> None:
    """None removes an optional setting."""
    options: SecretOptions = {
        "labels": {"b": "2", "a": "1"},
        "expires_at": timedelta(days=1),
        "max_reads": 3,
        "cas_required": True,
    }
    limited = lifecycle.configure(secret(), resolve(options, NOW))

    assert ((("a", "1"), ("b", "2")), NOW + DAY, 3, 3, True, 10) == (
        limited.labels,
        limited.expires_at,
        limited.max_reads,
        limited.reads_left,
        limited.cas_required,
        limited.max_versions,
    )
    assert limited == lifecycle.configure(limited, {})
    freed = lifecycle.configure(limited, {"expires_at": None, "max_reads": None})
    assert (None, None, None) == (freed.expires_at, freed.max_reads, freed.reads_left)


def test_limiting_reads_again_resets_the_count() -> None:
    """The new limit counts from now on."""
    read = lifecycle.take_read(replace(secret(), max_reads=5, reads_left=5), NOW, "bob", "192.0.2.7")

    assert (4, 5) == (read.reads_left, lifecycle.configure(read, {"max_reads": 5}).reads_left)


@pytest.mark.parametrize("moment", [NOW, NOW - DAY, NOW + 40_000 * DAY, timedelta(0)], ids=str)
def test_an_expiry_must_be_within_a_hundred_years(moment: object) -> None:
    """An expiry in the past, or more than a hundred years away, is a mistake."""
    with pytest.raises(InvalidFields):
        resolve({"expires_at": moment}, NOW)


def test_the_expiry_of_the_current_version_can_be_changed() -> None:
    """It can also be removed; but a version that has expired stays expired."""
    ending = lifecycle.add(secret(1), SEALED, {"version_expires_at": NOW + DAY}, NOW, "ann")

    assert NOW + 2 * DAY == lifecycle.extend(ending, NOW + 2 * DAY, NOW).versions[-1].expires_at
    assert lifecycle.extend(ending, None, NOW).versions[-1].expires_at is None
    with pytest.raises(SecretExpired):
        lifecycle.extend(ending, None, NOW + DAY)


def test_a_deletion_can_be_undone() -> None:
    """The secret is as it was before; deleting twice keeps the first time."""
    whole = secret(2)
    deleted = lifecycle.delete(whole, (), NOW, "ann")

    assert State.DELETED == state.of(deleted, NOW)
    assert deleted == lifecycle.delete(deleted, (), NOW + DAY, "bob")
    assert whole == lifecycle.undelete(deleted, (), NOW + DAY) == lifecycle.undelete(whole, (), NOW)
    with pytest.raises(SecretExpired):
        lifecycle.undelete(deleted, (), NOW + 30 * DAY)


def test_versions_are_deleted_by_their_numbers() -> None:
    """Other versions, and those deleted or destroyed before, are unchanged."""
    three = lifecycle.destroy(secret(3), (1,), NOW, "ann")

    deleted = lifecycle.delete(three, (1, 3), NOW, "bob")

    assert [State.DESTROYED, State.LIVE, State.DELETED] == [
        state.of_version(version, NOW) for version in deleted.versions
    ]
    assert deleted == lifecycle.delete(deleted, (3,), NOW + DAY, "carl")
    assert three == lifecycle.undelete(deleted, (2, 3), NOW)
    with pytest.raises(SecretDestroyed):
        lifecycle.undelete(deleted, (1,), NOW)


@pytest.mark.parametrize("numbers", [(4,), (1, 4)])
def test_a_version_that_never_existed_cannot_be_changed(numbers: tuple[int, ...]) -> None:
    """Then no version is changed."""
    for change in (
        lambda: lifecycle.delete(secret(3), numbers, NOW, "ann"),
        lambda: lifecycle.undelete(secret(3), numbers, NOW),
        lambda: lifecycle.destroy(secret(3), numbers, NOW, "ann"),
    ):
        with pytest.raises(NoSuchVersion):
            change()


def test_a_destroyed_secret_has_no_value_and_no_path() -> None:
    """It records who destroyed it, and when; its path is free."""
    destroyed = lifecycle.destroy(lifecycle.destroy(secret(2), (1,), NOW, "ann"), (), NOW + DAY, "bob")

    assert [None, None] == [version.sealed for version in destroyed.versions]
    assert ["ann", "bob"] == [version.destroyed_by for version in destroyed.versions]
    assert (None, "team/app") == (destroyed.path, destroyed.former_path)
    assert destroyed == lifecycle.destroy(destroyed, (), NOW + 2 * DAY, "carl")
    for change in (lifecycle.delete, lifecycle.destroy):
        with pytest.raises(SecretDestroyed):
            change(destroyed, (1,), NOW, "ann")
    with pytest.raises(SecretDestroyed):
        lifecycle.undelete(destroyed, (), NOW)


def test_a_deleted_secret_can_be_destroyed_and_nothing_else() -> None:
    """The whole secret or single versions of it."""
    deleted = lifecycle.delete(secret(2), (), NOW, "ann")

    assert State.DESTROYED == state.of(lifecycle.destroy(deleted, (), NOW, "ann"), NOW)
    assert lifecycle.destroy(deleted, (1,), NOW, "ann").versions[0].sealed is None
    with pytest.raises(SecretDeleted):
        lifecycle.delete(deleted, (1,), NOW, "ann")
    with pytest.raises(SecretDeleted):
        lifecycle.undelete(deleted, (1,), NOW)


@given(reads=st.integers(1, 20))
def test_the_last_read_destroys(reads: int) -> None:
    """Not earlier, and not later."""
    limited = lifecycle.configure(secret(2), {"max_reads": reads})
    for left in range(reads - 1, -1, -1):
        assert State.LIVE == state.of(limited, NOW)
        limited = lifecycle.take_read(limited, NOW, "bob", "192.0.2.7")
        assert left == limited.reads_left

    assert State.DESTROYED == state.of(limited, NOW)
    assert ("max_reads", "bob", "192.0.2.7") == (limited.destroyed_by, limited.read_by, limited.read_from)
