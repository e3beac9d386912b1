"""Gives out all secrets of a folder, each as it would be created elsewhere with its current value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from ..audit.recorder import Entry
from ..crypto import secret_values
from ..errors import SecretNotFound, Unopenable
from ..models import Action, Principal
from ..records import MAX_VERSIONS, Secret, Version
from ..secrets import listing, lookup, state
from ..secrets import read as reading
from ..secrets.create import NewSecret
from ..secrets.options import Settings
from ..secrets.vault import Vault
from ..store.secret_queries import Name

LIMITED = "limited in reads"
UNNAMED = "without a path"


@dataclass(frozen=True, slots=True)
class Page:
    """What there is at some paths: secrets to give out, and those that are not in their place.

    ``left_out`` counts what stays, by the reason: what was deleted or is over; what can be read only so
    many times, because two copies could be read twice as often; what has no path to be found by.
    """

    found: list[tuple[str, Secret | Unopenable]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Unopened:
    """A secret that cannot be given out, and why."""

    path: str
    error: Unopenable


def pages(vault: Vault, principal: Principal, folder: str) -> Iterator[Page]:
    """Find everything below a folder, which ends with its slash, in the order of the paths; below "" is all.

    What changes meanwhile is found as it was or as it is.

    Raises:
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    if not folder:
        yield Page(left_out=+Counter({UNNAMED: vault.listing.count_unnamed()}))
    start, end = listing.below(folder)
    while paths := vault.listing.paths((start, end), reading.most_at_once(vault)):
        yield _page(vault, principal, paths)
        start = listing.behind(paths[-1])


def open_(vault: Vault, entry: Entry, page: Page) -> list[NewSecret | Unopened]:
    """Return what was found with its values; none of them may leave before the audit entry is closed."""
    return [_open(vault, entry.part(), path, found) for path, found in page.found]


def _page(vault: Vault, principal: Principal, paths: Sequence[str]) -> Page:
    names = [Name(path, is_path=True) for path in paths]
    read = partial(vault.secrets.find_with_value, number=None)
    at = vault.clock()
    page = Page()
    for path, found in zip(paths, lookup.find(vault, principal, Action.FETCH, names, read), strict=True):
        if (why := _stays(found, at)) is not None:
            page.left_out[why] += 1
        elif not isinstance(found, SecretNotFound):
            page.found.append((path, found))
    return page


def _stays(found: Secret | SecretNotFound | Unopenable, at: datetime) -> str | None:
    """Return why a secret is left out, None where it is not."""
    try:
        if isinstance(found, SecretNotFound):
            raise found
        if isinstance(found, Secret):
            state.readable(found, None, at)
            return None if found.max_reads is None else LIMITED
    except SecretNotFound as gone:
        return gone.reason
    return None


def _open(vault: Vault, entry: Entry, path: str, found: Secret | Unopenable) -> NewSecret | Unopened:
    entry.path = path
    try:
        if isinstance(found, Unopenable):
            raise found
        entry.secret_id = found.secret_id
        (version,) = (one for one in found.versions if one.version == found.current)
        value = secret_values.open_(found, version, vault.ring)
    except Unopenable as error:
        entry.reason = error.reason
        return Unopened(path, error)
    return NewSecret(value, path, _settings(found, version))


def _settings(secret: Secret, version: Version) -> Settings:
    """Return the settings that a new secret does not have by itself."""
    settings = Settings()
    if secret.labels:
        settings["labels"] = dict(secret.labels)
    if secret.expires_at is not None:
        settings["expires_at"] = secret.expires_at
    if version.expires_at is not None:
        settings["version_expires_at"] = version.expires_at
    if secret.max_versions != MAX_VERSIONS:
        settings["max_versions"] = secret.max_versions
    if secret.cas_required:
        settings["cas_required"] = True
    if secret.delete_version_after is not None:
        settings["delete_version_after"] = secret.delete_version_after
    return settings
