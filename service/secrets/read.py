"""Fetches values and describes secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from ..audit.recorder import Entry
from ..crypto import aead, secret_values
from ..errors import CannotDecrypt, InvalidFields, NoSuchVersion, SecretNotFound, Unavailable, VaultError
from ..models import Action, Envelope, Principal
from ..records import FetchedSecret, Secret, State, Version, readable_until
from ..store.secret_queries import SecretRef
from ..store.secrets import SecretStore
from . import batch, lifecycle, lookup, state
from .modify import save_if_unchanged
from .services import SecretServices

# The total size of the values that one batch may return, and of those that one look-up may load.
_MAX_BATCH_BYTES = 16 * 2**20
_TOO_LARGE = f"too large: one call returns values of {_MAX_BATCH_BYTES} bytes together; fetch fewer at a time"


@dataclass(frozen=True, slots=True)
class SecretVersionRef:
    """A version of a secret; None is the current one."""

    secret: SecretRef
    version: int | None = None


def fetch(
    services: SecretServices, entry: Entry, principal: Principal, request: SecretVersionRef
) -> FetchedSecret:
    """Return a value; if the secret's reads are limited, this uses one up.

    The read is used up even if the response does not arrive, so a value is never returned too often.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not know of it; to a caller who may, the
            message says whether it was deleted, has expired, was destroyed or was already read.
        InvalidFields: the path is malformed.
        KeyRingMismatch: the key ring does not fit the data.
        Tampered, UnknownKey: the stored value cannot be decrypted; no read is used up.
        StoreUnavailable: the database did not answer in time; a read may have been used up.
    """
    read = partial(services.secrets.find_with_value, number=request.version)
    found = lookup.find_one(services, entry, principal, Action.FETCH, request.secret, read)
    return _read(services, entry, principal, request, found)


def fetch_each(
    services: SecretServices, entry: Entry, principal: Principal, requests: Sequence[SecretVersionRef]
) -> list[FetchedSecret | VaultError]:
    """Return, in the order of ``requests``, each value or the error that ``fetch`` would raise.

    Raises:
        InvalidFields: a path is malformed, or the values are too large together; no read is used up.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: the database did not answer in time.
    """
    items = _items(entry, requests)
    results: list[FetchedSecret | VaultError] = []
    for item, request, found in zip(items, requests, _find(services, principal, requests), strict=True):
        try:
            results.append(_read_found(services, item, principal, request, found))
        except (SecretNotFound, CannotDecrypt, Unavailable) as error:
            item.reason = error.reason
            results.append(error)
    return results


def fetch_all(
    services: SecretServices, entry: Entry, principal: Principal, requests: Sequence[SecretVersionRef]
) -> list[FetchedSecret]:
    """Return all of these values from one snapshot, or fail without using up any read.

    Raises:
        BatchFailed: one cannot be read, for a reason listed at ``fetch``.
        InvalidFields, KeyRingMismatch, StoreUnavailable: as ``fetch_each``.
    """
    items = _items(entry, requests)

    def read_all(store: SecretStore) -> list[FetchedSecret]:
        in_session = replace(services, secrets=store)
        results = []
        for item, request, found in zip(items, requests, _find(in_session, principal, requests), strict=True):
            with batch.all_or_nothing(items, item):
                results.append(_read_found(in_session, item, principal, request, found))
        return results

    return services.secrets.in_transaction(read_all)


def describe(services: SecretServices, entry: Entry, principal: Principal, ref: SecretRef) -> Secret:
    """Return a live or deleted secret without its values.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not know of it; to a caller who may, the
            message says whether it has expired, was destroyed or was already read.
        InvalidFields: the path is malformed.
        KeyRingMismatch: the key ring does not fit the data.
        Tampered, UnknownKey: its document does not authenticate.
        StoreUnavailable: the database did not answer in time.
    """
    secret = lookup.find_one(
        services, entry, principal, Action.LIST, ref, services.secrets.find_without_values
    )
    state.require(secret, services.clock(), State.LIVE, State.DELETED)
    return secret


def find_version(
    services: SecretServices, entry: Entry, principal: Principal, request: SecretVersionRef
) -> tuple[Secret, Version]:
    """Return a version without its value, even if it was deleted or destroyed; for callers who may fetch it.

    Raises:
        SecretNotFound: there is no such secret or version, none is known of any more, or the caller may not
            know of it.
        InvalidFields, KeyRingMismatch, Tampered, UnknownKey, StoreUnavailable: as ``describe``.
    """
    secret = lookup.find_one(
        services, entry, principal, Action.FETCH, request.secret, services.secrets.find_without_values
    )
    state.require(secret, services.clock(), State.LIVE, State.DELETED)
    number = secret.current if request.version is None else request.version
    for version in secret.versions:
        if version.version == number and version.destroyed_by != state.BY_AGE:
            return secret, version
    raise NoSuchVersion(f"version {number} is not kept")


def max_lookup_size(services: SecretServices) -> int:
    """Return how many values one look-up may load, so that together they fit into ``_MAX_BATCH_BYTES``."""
    return max(1, _MAX_BATCH_BYTES // services.max_secret_bytes)


def _items(entry: Entry, requests: Sequence[SecretVersionRef]) -> list[Entry]:
    items = [entry.add_item() for _ in requests]
    for item, request in zip(items, requests, strict=True):
        lookup.audit_target(item, request.secret)
    return items


def _find(
    services: SecretServices, principal: Principal, requests: Sequence[SecretVersionRef]
) -> list[Secret | SecretNotFound | CannotDecrypt]:
    """Find the secrets, with look-ups by version number: usually all requests name the same (None).

    Raises:
        InvalidFields: their values have more than ``_MAX_BATCH_BYTES`` together.
    """
    found: dict[SecretVersionRef, Secret | SecretNotFound | CannotDecrypt] = {}
    bytes_left, size = _MAX_BATCH_BYTES, max_lookup_size(services)
    for number in dict.fromkeys(request.version for request in requests):
        group = [request for request in requests if request.version == number]
        read = partial(services.secrets.find_with_value, number=number)
        for start in range(0, len(group), size):
            part = group[start : start + size]
            refs = [request.secret for request in part]
            results = lookup.find(services, principal, Action.FETCH, refs, read)
            bytes_left -= sum(_value_bytes(result) for result in results)
            if bytes_left < 0:
                raise InvalidFields({"secrets": [_TOO_LARGE]})
            found |= zip(part, results, strict=True)
    return [found[request] for request in requests]


def _value_bytes(found: Secret | SecretNotFound | CannotDecrypt) -> int:
    """Return how many bytes the values have that were loaded with a secret."""
    if not isinstance(found, Secret):
        return 0
    sealed = [version.sealed for version in found.versions]
    return sum(aead.plaintext_bytes(each.payload or b"") for each in sealed if isinstance(each, Envelope))


def _read_found(
    services: SecretServices,
    item: Entry,
    principal: Principal,
    request: SecretVersionRef,
    found: Secret | SecretNotFound | CannotDecrypt,
) -> FetchedSecret:
    if not isinstance(found, Secret):
        raise found
    lookup.audit_found(item, found)
    return _read(services, item, principal, request, found)


def _read(
    services: SecretServices, entry: Entry, principal: Principal, request: SecretVersionRef, found: Secret
) -> FetchedSecret:
    while found.max_reads is not None:
        # Decrypted first, so that a damaged value uses up no read.  Counted before the value is returned,
        # by compare-and-swap: a concurrent reader finds the secret changed and starts over.
        found = lookup.find_one(
            services, entry, principal, Action.FETCH, request.secret, services.secrets.find_whole
        )
        at = services.clock()
        fetched = open_version(services, found, request.version, at)
        if found.max_reads is not None:
            counted = lifecycle.take_read(found, at, principal.actor, entry.caller.client_ip)
            if save_if_unchanged(services, found, counted, at):
                return replace(fetched, reads_left=counted.reads_left)
    return open_version(services, found, request.version, services.clock())


def open_version(services: SecretServices, secret: Secret, number: int | None, at: datetime) -> FetchedSecret:
    """Return the value of version ``number``, or of the current one if None.

    Raises:
        SecretNotFound: it cannot be read; the message says why.
        Tampered, UnknownKey: the stored value cannot be decrypted.
    """
    version = state.readable(secret, number, at)
    return FetchedSecret(
        secret_id=secret.secret_id,
        version=version.version,
        plaintext=secret_values.open_(secret, version, services.ring),
        created_at=version.created_at,
        path=secret.path,
        expires_at=readable_until(secret, version),
        reads_left=secret.reads_left,
        labels=secret.labels,
    )
