"""Finds the secrets that a caller names, and tells nobody of those that they may not know of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..access import paths, policy
from ..audit.recorder import Entry
from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..errors import SecretHidden, SecretNotFound, Tampered, Unopenable
from ..models import Action, Principal, Reach
from ..records import Secret
from ..store.secret_queries import Name
from ..store.secrets import Found
from .vault import Vault

Read = Callable[[Sequence[Name], Reach], Found]


def note(entry: Entry, name: Name) -> None:
    """Say in the audit entry what was asked for, as far as it can be written down."""
    if not name.is_path:
        entry.secret_id = name.text
    elif paths.is_path(name.text):
        # What is none could be anything, a value in the wrong field included.
        entry.path = name.text


def note_found(entry: Entry, secret: Secret) -> None:
    """Say in the audit entry which secret it is."""
    entry.secret_id, entry.path = secret.secret_id, secret.path or secret.former_path


def find_one(
    vault: Vault, entry: Entry, principal: Principal, action: Action, name: Name, read: Read
) -> Secret:
    """Return the secret, whatever its state.

    Raises:
        SecretNotFound: there is no such secret, or the caller may not know of it.
        InvalidFields: the path is none.
        KeyRingUnproven: the key ring does not fit the data.
        Tampered, UnknownKey: it is not in the place that it was given.
        StoreUnavailable: the database did not answer.
    """
    note(entry, name)
    (found,) = find(vault, principal, action, [name], read)
    if not isinstance(found, Secret):
        raise found
    note_found(entry, found)
    return found


def find(
    vault: Vault, principal: Principal, action: Action, names: Sequence[Name], read: Read
) -> list[Secret | SecretNotFound | Unopenable]:
    """Return each secret, or what ``find_one`` would raise for it, in their order.

    At a path where there is none now, the one that was destroyed there last is found.

    Raises:
        InvalidFields: a path is none.
        KeyRingUnproven: the key ring does not fit the data.
        StoreUnavailable: the database did not answer.
    """
    for name in names:
        if name.is_path:
            paths.require_path(name.text)
    vault.proof.require()
    reach = policy.reach(principal, action)
    found = read(names, reach)
    missing = [name for name in names if name not in found]
    # Asked for secrets that are hidden from the caller and for those that are not there alike, so that
    # both take the same time; only the audit log is told which it was.
    hidden = vault.secrets.existing(missing) if missing else frozenset()
    if any(name.is_path for name in missing):
        found |= vault.secrets.find_destroyed(missing, reach)
    return [
        _proven(found[name], vault.ring)
        if name in found
        else SecretHidden()
        if name in hidden
        else SecretNotFound()
        for name in names
    ]


def _proven(found: Secret | Tampered, ring: KeyRing) -> Secret | Unopenable:
    if isinstance(found, Tampered):
        return found
    try:
        tags.verify(found, ring)
    except Unopenable as error:
        return error
    return found
