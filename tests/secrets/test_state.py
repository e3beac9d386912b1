"""secrets.state: the state of a secret or a version, and the error that describes it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.errors import (
    AlreadyRead,
    NoSuchVersion,
    SecretDeleted,
    SecretDestroyed,
    SecretExpired,
    SecretNotFound,
)
from service.records import State, ends_at
from service.secrets import lifecycle, state
from tests.secrets.secrets import DAY, NOW, SEALED, SECOND, secret


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, State.LIVE),
        ({"expires_at": NOW + SECOND}, State.LIVE),
        ({"expires_at": NOW}, State.EXPIRED),
        ({"deleted_at": NOW}, State.DELETED),
        ({"deleted_at": NOW - timedelta(days=30) + SECOND}, State.DELETED),
        ({"deleted_at": NOW - timedelta(days=30)}, State.EXPIRED),
        ({"deleted_at": NOW, "expires_at": NOW}, State.EXPIRED),
        ({"destroyed_at": NOW, "deleted_at": NOW, "expires_at": NOW}, State.DESTROYED),
        ({"destroyed_at": NOW - 40 * DAY}, State.DESTROYED),
    ],
    ids=str,
)
def test_a_secret_is_in_one_state(fields: dict[str, object], expected: State) -> None:
    """Destroyed takes precedence over expired, expired over deleted; 30 days after deletion it expires."""
    assert expected == state.of(replace(secret(), **fields), NOW)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, State.LIVE),
        ({"expires_at": NOW + SECOND, "deleted_at": NOW + SECOND}, State.LIVE),
        ({"expires_at": NOW}, State.EXPIRED),
        ({"deleted_at": NOW}, State.DELETED),
        ({"deleted_at": NOW, "expires_at": NOW}, State.EXPIRED),
        ({"destroyed_at": NOW, "deleted_at": NOW, "expires_at": NOW}, State.DESTROYED),
    ],
    ids=str,
)
def test_a_version_is_in_one_state(fields: dict[str, object], expected: State) -> None:
    """The same precedence applies; a scheduled deletion has no effect yet."""
    assert expected == state.of_version(replace(secret().versions[0], **fields), NOW)


def test_a_secret_ends_when_the_first_thing_ends_it() -> None:
    """Its own expiry, 30 days after its deletion, or the last of its versions' expiries."""
    plain, day = secret(2), NOW + DAY
    one, two = plain.versions
    assert ends_at(plain) is None
    assert day == ends_at(replace(plain, expires_at=day, deleted_at=NOW))
    assert NOW + 30 * DAY == ends_at(replace(plain, deleted_at=NOW, expires_at=NOW + 31 * DAY))
    assert NOW + 30 * DAY == ends_at(replace(plain, destroyed_at=NOW, expires_at=day))

    ending = replace(one, expires_at=day)
    assert ends_at(replace(plain, versions=(ending, two))) is None
    later = replace(two, expires_at=day + DAY)
    assert day + DAY == ends_at(replace(plain, versions=(ending, later)))
    gone = replace(two, destroyed_at=NOW)
    assert day == ends_at(replace(plain, versions=(ending, gone)))
    assert ends_at(replace(plain, versions=(gone,))) is None


def test_reads_the_current_version_unless_another_is_asked_for() -> None:
    """Every stored version can be read."""
    assert 3 == state.readable(secret(3), None, NOW).version
    assert 1 == state.readable(secret(3), 1, NOW).version


def refusal(found: pytest.ExceptionInfo[SecretNotFound]) -> tuple[type, str]:
    """Return the error's class and its message."""
    return found.type, str(found.value).removeprefix("Secret not found: ")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"deleted_at": NOW, "deleted_by": "ann"},
            (
                SecretDeleted,
                "it was deleted at 2026-01-31T12:00:00+00:00 by ann; undelete restores it",
            ),
        ),
        (
            {"expires_at": NOW},
            (SecretExpired, "it expired at 2026-01-31T12:00:00+00:00"),
        ),
        (
            {"destroyed_at": NOW, "destroyed_by": "ann"},
            (
                SecretDestroyed,
                "it was destroyed at 2026-01-31T12:00:00+00:00 by ann",
            ),
        ),
    ],
    ids=str,
)
def test_says_what_happened_to_the_secret(fields: dict[str, object], expected: tuple[type, str]) -> None:
    """The message says when it happened, and who did it."""
    with pytest.raises(SecretNotFound) as found:
        state.readable(replace(secret(), **fields), None, NOW)

    assert expected == refusal(found)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"deleted_at": NOW},
            (
                SecretDeleted,
                (
                    "version 1 was deleted at 2026-01-31T12:00:00+00:00 by delete_version_after;"
                    " undelete restores it"
                ),
            ),
        ),
        (
            {"expires_at": NOW},
            (SecretExpired, "version 1 expired at 2026-01-31T12:00:00+00:00"),
        ),
        (
            {"destroyed_at": NOW, "destroyed_by": "max_versions"},
            (
                SecretDestroyed,
                "version 1 was destroyed at 2026-01-31T12:00:00+00:00 by max_versions",
            ),
        ),
    ],
    ids=str,
)
def test_says_what_happened_to_a_version(fields: dict[str, object], expected: tuple[type, str]) -> None:
    """Other versions can still be read."""
    whole = secret(2)
    whole = replace(whole, versions=(replace(whole.versions[0], **fields), whole.versions[1]))

    with pytest.raises(SecretNotFound) as found:
        state.readable(whole, 1, NOW)

    assert expected == refusal(found)
    assert 2 == state.readable(whole, None, NOW).version


def test_distinguishes_a_version_that_never_existed_from_a_dropped_one() -> None:
    """Numbers above the current one never existed."""
    with pytest.raises(NoSuchVersion, match="there is no version 4 yet; the current one is 3"):
        state.readable(secret(3), 4, NOW)

    dropped = replace(secret(3), versions=secret(3).versions[1:])
    with pytest.raises(SecretDestroyed, match="version 1 was destroyed; no details are kept of versions"):
        state.readable(dropped, 1, NOW)


def test_says_who_used_up_the_reads() -> None:
    """When, from where and by whom: so a recipient learns that someone else read it first."""
    read = lifecycle.take_read(replace(secret(), max_reads=1, reads_left=1), NOW, "bob", "192.0.2.7")

    with pytest.raises(AlreadyRead) as found:
        state.readable(read, None, NOW)

    assert str(found.value).startswith(
        "Secret not found: it was already read at 2026-01-31T12:00:00+00:00, from 192.0.2.7, by bob"
    )
    assert SEALED not in [version.sealed for version in read.versions]
