"""Encrypts and decrypts the values of secrets."""

from __future__ import annotations

from dataclasses import replace

from ..errors import Tampered
from ..models import Envelope
from ..records import LegacyValue, Secret, Version
from . import envelope
from .context import Context
from .keyring import KeyRing


def seal(secret: Secret, value: bytes, ring: KeyRing) -> Envelope:
    """Return the value encrypted as the secret's next version."""
    return envelope.seal(value, Context(secret.secret_id, secret.current + 1), ring)


def open_(secret: Secret, version: Version, ring: KeyRing) -> bytes:
    """Return a version's value.

    Raises:
        UnknownKey: no key of the ring has the record's key id.
        Tampered: a byte, the secret's id or the version differs from what was sealed, or it has no value.
    """
    if isinstance(version.sealed, LegacyValue):
        return envelope.open_legacy(version.sealed.ciphertext, ring)
    if version.sealed is None:
        raise Tampered("its value is missing")
    return envelope.open_(version.sealed, Context(secret.secret_id, version.version), ring)


def reseal_legacy(secret: Secret, ring: KeyRing) -> Secret:
    """Return the secret with values of an earlier implementation encrypted in the current format.

    The old format does not bind a value to its secret, so it is not safe for a secret with a path.

    Raises:
        Tampered: no key of the ring decrypts one of them.
    """

    def reseal(version: Version) -> Version:
        if not isinstance(version.sealed, LegacyValue):
            return version
        context = Context(secret.secret_id, version.version)
        return replace(version, sealed=envelope.seal(open_(secret, version, ring), context, ring))

    return replace(secret, versions=tuple(reseal(version) for version in secret.versions))
