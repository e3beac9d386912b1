"""Exports all secrets of a folder, each as the request that creates it elsewhere with its current value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from ..access.paths import is_path
from ..audit.recorder import Entry
from ..crypto import secret_values
from ..errors import CannotDecrypt, SecretNotFound, Tampered
from ..models import Action, Principal
from ..records import INHERIT, MAX_VERSIONS, Secret, State, Version
from ..secrets import listing, lookup, state
from ..secrets.create import CreateSecret
from ..secrets.options import SecretOptions
from ..secrets.read import max_lookup_size
from ..secrets.services import SecretServices
from ..store.secret_queries import SecretRef

LIMITED = "limited in reads"
UNNAMED = "without a path"
NO_VALUE = "without a value"


@dataclass(frozen=True, slots=True)
class ExportPage:
    """The secrets at some paths, in ``found``, with errors in place of those that cannot be opened.

    ``left_out`` counts the secrets that are not exported, by reason: deleted or expired; limited in reads,
    because two copies could be read twice as often; without a path to find them by; without a value yet.
    """

    found: list[tuple[str, Secret | CannotDecrypt]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Unopened:
    """A secret that cannot be exported, and why."""

    path: str
    error: CannotDecrypt


def pages(services: SecretServices, principal: Principal, folder: str) -> Iterator[ExportPage]:
    """Yield everything below a folder, ordered by path; ``folder`` ends with a slash, and "" means all.

    A secret that changes during this is found either as it was or as it is.

    Raises:
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    if not folder:
        yield ExportPage(left_out=+Counter({UNNAMED: services.listing.count_unnamed()}))
    start, end = listing.below(folder)
    while paths := services.listing.paths((start, end), max_lookup_size(services)):
        yield _page(services, principal, paths)
        start = listing.successor(paths[-1])


def open_(services: SecretServices, entry: Entry, page: ExportPage) -> list[CreateSecret | Unopened]:
    """Return the page's secrets with values; they must not be sent before the audit entry is closed."""
    return [_open(services, entry.add_item(), path, found) for path, found in page.found]


def _page(services: SecretServices, principal: Principal, paths: Sequence[str]) -> ExportPage:
    well_formed = [path for path in paths if is_path(path)]
    refs = [SecretRef(path, is_path=True) for path in well_formed]
    read = partial(services.secrets.find_with_value, number=None)
    at = services.clock()
    page = ExportPage(
        [(path, Tampered("its path is malformed")) for path in paths if path not in well_formed]
    )
    results = lookup.find(services, principal, Action.FETCH, refs, read)
    for path, found in zip(well_formed, results, strict=True):
        if (reason := _reason_to_leave_out(found, at)) is not None:
            page.left_out[reason] += 1
        elif not isinstance(found, SecretNotFound):
            page.found.append((path, found))
    return page


def _reason_to_leave_out(found: Secret | SecretNotFound | CannotDecrypt, at: datetime) -> str | None:
    """Return why a secret is left out, or None if it is not."""
    try:
        if isinstance(found, SecretNotFound):
            raise found
        if isinstance(found, Secret):
            state.require(found, at, State.LIVE)
            if not found.current:
                return NO_VALUE
            state.readable(found, None, at)
            return None if found.max_reads is None else LIMITED
    except SecretNotFound as error:
        return error.reason
    return None


def _open(
    services: SecretServices, entry: Entry, path: str, found: Secret | CannotDecrypt
) -> CreateSecret | Unopened:
    # A malformed one may contain anything, so no record gets it.
    entry.path = path if is_path(path) else None
    try:
        if isinstance(found, CannotDecrypt):
            raise found
        entry.secret_id = found.secret_id
        (version,) = (version for version in found.versions if version.version == found.current)
        value = secret_values.open_(found, version, services.ring)
    except CannotDecrypt as error:
        entry.reason = error.reason
        return Unopened(path, error)
    return CreateSecret(value, path, _settings(found, version))


def _settings(secret: Secret, version: Version) -> SecretOptions:
    """Return the settings that differ from a new secret's defaults."""
    options = SecretOptions()
    if secret.labels:
        options["labels"] = dict(secret.labels)
    if secret.expires_at is not None:
        options["expires_at"] = secret.expires_at
    if version.expires_at is not None:
        options["version_expires_at"] = version.expires_at
    if secret.max_versions not in (INHERIT, MAX_VERSIONS):
        options["max_versions"] = secret.max_versions
    if secret.cas_required:
        options["cas_required"] = True
    if secret.delete_version_after is not None:
        options["delete_version_after"] = secret.delete_version_after
    return options
