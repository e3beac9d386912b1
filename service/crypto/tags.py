"""Ties a secret to its place: its path, or the token that it belongs to.

Otherwise whoever can write to the database could put another secret where a caller looks for theirs,
or a note that theirs was destroyed.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import Tampered
from ..records import Secret
from .keyring import KeyRing


def tagged(secret: Secret, ring: KeyRing) -> Secret:
    """Return the secret with the tag of its place, or with none where it has no place."""
    return replace(secret, tag=ring.tag(_fields(secret)) if _has_place(secret) else None)


def tagged_anew(secret: Secret, ring: KeyRing) -> Secret:
    """Return the secret with its tag under the primary master key.

    Raises:
        Tampered, UnknownKey: it is not in the place that it was given.
    """
    return secret if secret.tag is None else replace(secret, tag=ring.retag(secret.tag, _fields(secret)))


def verify(secret: Secret, ring: KeyRing) -> None:
    """Return where the secret is in the place that it was given.

    Raises:
        Tampered, UnknownKey: it is not, or that cannot be told.
    """
    if not _has_place(secret):
        return
    if secret.tag is None:
        raise Tampered("its path or owner does not authenticate")
    ring.verify(secret.tag, _fields(secret))


def differs(one: Secret, other: Secret) -> bool:
    """Return whether the two are in different places."""
    return _fields(one) != _fields(other)


def _has_place(secret: Secret) -> bool:
    return any(value is not None for value in (secret.path, secret.former_path, secret.owner))


def _fields(secret: Secret) -> dict[str, str]:
    fields = {
        "purpose": "secret",
        "secret_id": secret.secret_id,
        "path": secret.path or "",
        "owner": secret.owner or "",
    }
    return fields if secret.former_path is None else {**fields, "former_path": secret.former_path}
