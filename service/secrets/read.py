"""Fetches values and describes secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from ..audit.recorder import Entry
from ..crypto import secret_values
from ..errors import InvalidFields, SecretNotFound, Unavailable, Unopenable, VaultError
from ..models import Action, Principal
from ..records import FetchedSecret, Secret, State
from ..store.secret_queries import Name
from ..store.secrets import SecretStore
from . import batch, lifecycle, lookup, state
from .modify import keep
from .vault import Vault

# What the values of one batch may come to; each of a process's threads may hold as much.
_MOST_BATCH_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that is asked for: of this version, or of the current one."""

    name: Name
    version: int | None = None


def fetch(vault: Vault, entry: Entry, principal: Principal, wanted: Wanted) -> FetchedSecret:
    """Return a value; where reads are limited, this is one of them.

    It is one also where the answer does not reach anybody: a value is given out at most as often as
    it may be.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not know of it; to whoever may, the
            message tells whether it was deleted, has expired, was destroyed or was already read.
        InvalidFields: the path is none.
        KeyRingUnproven: the key ring does not fit the data.
        Tampered, UnknownKey: what is stored does not open, and no read is used up.
        StoreUnavailable: the database did not answer; a read may be used up.
    """
    lookup.note(entry, wanted.name)
    (found,) = _find(vault, principal, [wanted])
    return _give(vault, entry, principal, wanted, found)


def fetch_several(
    vault: Vault, entry: Entry, principal: Principal, wanted: Sequence[Wanted]
) -> list[FetchedSecret | VaultError]:
    """Return each value, or what ``fetch`` would raise for it, in their order.

    Raises:
        InvalidFields: a path is none, or the values might be more than a process should hold at once.
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    parts = _parts(vault, entry, wanted)
    done: list[FetchedSecret | VaultError] = []
    for part, one, found in zip(parts, wanted, _find(vault, principal, wanted), strict=True):
        try:
            done.append(_give(vault, part, principal, one, found))
        except (SecretNotFound, Unopenable, Unavailable) as error:
            part.reason = error.reason
            done.append(error)
    return done


def fetch_all(
    vault: Vault, entry: Entry, principal: Principal, wanted: Sequence[Wanted]
) -> list[FetchedSecret]:
    """Return every one of these values, as they were at one time, or none; then no read is used up.

    Raises:
        BatchFailed: one cannot be had, for one of the reasons that ``fetch`` has.
        InvalidFields, KeyRingUnproven, StoreUnavailable: as ``fetch_several``.
    """
    parts = _parts(vault, entry, wanted)

    def give(store: SecretStore) -> list[FetchedSecret]:
        inside = replace(vault, secrets=store)
        done = []
        for part, one, found in zip(parts, wanted, _find(inside, principal, wanted), strict=True):
            with batch.part_of(parts, part):
                done.append(_give(inside, part, principal, one, found))
        return done

    return vault.secrets.together(give)


def describe(vault: Vault, entry: Entry, principal: Principal, name: Name) -> Secret:
    """Return everything but values, of secrets in use and of deleted ones.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not know of it; to whoever may, the
            message tells whether it has expired, was destroyed or was already read.
        InvalidFields: the path is none.
        KeyRingUnproven: the key ring does not fit the data.
        Tampered, UnknownKey: it is not in the place that it was given.
        StoreUnavailable: the database did not answer.
    """
    secret = lookup.find_one(vault, entry, principal, Action.LIST, name, vault.secrets.find_without_values)
    state.require(secret, vault.clock(), State.LIVE, State.DELETED)
    return secret


def most_at_once(vault: Vault) -> int:
    """Return how many values a process may hold at once."""
    return max(1, _MOST_BATCH_BYTES // vault.max_secret_bytes)


def _parts(vault: Vault, entry: Entry, wanted: Sequence[Wanted]) -> list[Entry]:
    if len(wanted) > (most := most_at_once(vault)):
        raise InvalidFields({"secrets": [f"with secrets as large as here, fetch up to {most} at once"]})
    parts = [entry.part() for _ in wanted]
    for part, one in zip(parts, wanted, strict=True):
        lookup.note(part, one.name)
    return parts


def _find(
    vault: Vault, principal: Principal, wanted: Sequence[Wanted]
) -> list[Secret | SecretNotFound | Unopenable]:
    """Look for all secrets of which the same version is wanted at once: mostly, that is all of them."""
    found: dict[Wanted, Secret | SecretNotFound | Unopenable] = {}
    for number in dict.fromkeys(one.version for one in wanted):
        alike = [one for one in wanted if one.version == number]
        read = partial(vault.secrets.find_with_value, number=number)
        names = [one.name for one in alike]
        found |= zip(alike, lookup.find(vault, principal, Action.FETCH, names, read), strict=True)
    return [found[one] for one in wanted]


def _give(
    vault: Vault,
    entry: Entry,
    principal: Principal,
    wanted: Wanted,
    found: Secret | SecretNotFound | Unopenable,
) -> FetchedSecret:
    if not isinstance(found, Secret):
        raise found
    lookup.note_found(entry, found)
    while found.max_reads is not None:
        # Opened first, so that what does not open uses up no read; counted before the value leaves, and
        # by one caller only: whoever comes second looks again.
        found = lookup.find_one(vault, entry, principal, Action.FETCH, wanted.name, vault.secrets.find_whole)
        at = vault.clock()
        fetched = _open(vault, found, wanted.version, at)
        if found.max_reads is not None:
            read = lifecycle.take_read(found, at, principal.actor, entry.caller.client_ip)
            if keep(vault, found, read, at):
                return replace(fetched, reads_left=read.reads_left)
    return _open(vault, found, wanted.version, vault.clock())


def _open(vault: Vault, secret: Secret, number: int | None, at: datetime) -> FetchedSecret:
    version = state.readable(secret, number, at)
    ends = (state.ends_at(secret), version.expires_at, version.deleted_at)
    return FetchedSecret(
        secret_id=secret.secret_id,
        version=version.version,
        plaintext=secret_values.open_(secret, version, vault.ring),
        created_at=version.created_at,
        path=secret.path,
        expires_at=min((end for end in ends if end is not None), default=None),
        reads_left=secret.reads_left,
    )
