"""Create and fetch.  Every use case is given the audit entry that its door has opened, and who asks."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from ..audit.recorder import Entry
from ..crypto import envelope
from ..crypto.context import Context
from ..crypto.keyring import KeyRing
from ..errors import InvalidFields, SecretHidden, SecretNotFound, Tampered, TooLarge, Unopenable
from ..models import Action, FetchedSecret, LegacySecret, Principal, SealedVersion, now
from ..store.secrets import Name, SecretStore
from . import paths, policy
from .proof import KeyProof, open_stored

# What the values of one batch may come to; each of a process's threads may hold as much.
_MOST_BATCH_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Vault:
    """What the use cases work with; ``max_secret_bytes`` bounds one value."""

    secrets: SecretStore
    ring: KeyRing
    proof: KeyProof
    max_secret_bytes: int


def create(
    vault: Vault, entry: Entry, principal: Principal, plaintext: bytes, path: str | None = None
) -> SealedVersion:
    """Seal a value as version 1 of a new secret and keep it.

    With no path it belongs to the token that makes it.

    Raises:
        Forbidden: the caller may not create this.
        InvalidFields: the path is none.
        TooLarge: the value is longer than the limit.
        PathTaken: another secret has the path.
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: the secret may or may not have been kept.
    """
    if path is None:
        policy.require(principal, Action.CREATE)
    else:
        paths.require_path(path)
        entry.path = path
        policy.require_path(principal, Action.CREATE, path)
    if len(plaintext) > vault.max_secret_bytes:
        raise TooLarge(f"a secret may have up to {vault.max_secret_bytes} bytes")
    vault.proof.require()

    context = Context(secret_id=str(uuid.uuid4()), version=1)
    entry.secret_id = context.secret_id
    owner = principal.actor if path is None and principal.token else None
    sealed = SealedVersion(
        secret_id=context.secret_id,
        version=context.version,
        envelope=envelope.seal(plaintext, context, vault.ring),
        created_at=now(),
        path=path,
        owner=owner,
        tag=vault.ring.tag(_tag_fields(context.secret_id, path, owner)) if path or owner else None,
    )
    vault.secrets.insert(sealed)
    return sealed


def fetch(vault: Vault, entry: Entry, principal: Principal, name: Name) -> FetchedSecret:
    """Return the current version of a secret.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not know of it.
        InvalidFields: the path is none.
        KeyRingUnproven: the key ring does not fit the data.
        Tampered, UnknownKey: what is stored does not open.
        StoreUnavailable: the database did not answer.
    """
    _note(entry, name)
    (found,) = _fetch(vault, principal, [name])
    if isinstance(found, FetchedSecret):
        entry.secret_id, entry.path = found.secret_id, found.path
        return found
    raise found


def fetch_several(
    vault: Vault, entry: Entry, principal: Principal, names: Sequence[Name]
) -> list[FetchedSecret | SecretNotFound | Unopenable]:
    """Return the current version of each secret, or what ``fetch`` would raise for it, in their order.

    Raises:
        InvalidFields: a path is none, or the values might be more than a process should hold at once.
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    most = max(1, _MOST_BATCH_BYTES // vault.max_secret_bytes)
    if len(names) > most:
        raise InvalidFields({"secrets": [f"with secrets as large as here, fetch up to {most} at once"]})
    parts = []
    for name in names:
        parts.append(entry.part())
        _note(parts[-1], name)
    found = _fetch(vault, principal, names)
    for part, one in zip(parts, found, strict=True):
        if isinstance(one, FetchedSecret):
            part.secret_id, part.path = one.secret_id, one.path
        else:
            part.reason = one.reason
    return found


def _note(entry: Entry, name: Name) -> None:
    if not name.is_path:
        entry.secret_id = name.text
    elif paths.is_path(name.text):
        # What is none could be anything, a value in the wrong field included.
        entry.path = name.text


def _fetch(
    vault: Vault, principal: Principal, names: Sequence[Name]
) -> list[FetchedSecret | SecretNotFound | Unopenable]:
    for name in names:
        if name.is_path:
            paths.require_path(name.text)
    vault.proof.require()
    stored = vault.secrets.find(names, policy.reach(principal, Action.FETCH))
    missing = [name for name in names if name not in stored]
    # Asked for secrets that are hidden from the caller and for those that are not there alike, so that
    # both take the same time; only the audit log is told which it was.
    hidden = vault.secrets.existing(missing) if missing else frozenset()
    return [
        _open(vault, stored[name])
        if name in stored
        else SecretHidden()
        if name in hidden
        else SecretNotFound()
        for name in names
    ]


def _open(vault: Vault, stored: SealedVersion | LegacySecret | Tampered) -> FetchedSecret | Unopenable:
    if isinstance(stored, Tampered):
        return stored
    try:
        if isinstance(stored, LegacySecret):
            return FetchedSecret(
                stored.secret_id, 1, open_stored(stored, vault.ring), created_at=stored.created_at
            )
        _verify_place(vault.ring, stored)
        return FetchedSecret(
            stored.secret_id,
            stored.version,
            open_stored(stored, vault.ring),
            created_at=stored.created_at,
            path=stored.path,
        )
    except Unopenable as error:
        return error


def _verify_place(ring: KeyRing, stored: SealedVersion) -> None:
    """Return where the secret's path and owner are those that it was given.

    Otherwise whoever can write to the database could put another secret where a caller looks for
    theirs.

    Raises:
        Tampered, UnknownKey: they are not, or that cannot be told.
    """
    if stored.path is None and stored.owner is None:
        return
    if stored.tag is None:
        raise Tampered("its path or owner does not authenticate")
    ring.verify(stored.tag, _tag_fields(stored.secret_id, stored.path, stored.owner))


def _tag_fields(secret_id: str, path: str | None, owner: str | None) -> dict[str, str]:
    return {"purpose": "secret", "secret_id": secret_id, "path": path or "", "owner": owner or ""}
