"""Values of secrets: sealed on their way in, opened on their way out."""

from __future__ import annotations

from dataclasses import replace

from ..errors import Tampered
from ..models import Envelope
from ..records import LegacyValue, Secret, Version
from . import envelope, tags
from .context import Context
from .keyring import KeyRing


def seal(secret: Secret, value: bytes, ring: KeyRing) -> tuple[Secret, Envelope]:
    """Sign a secret's path and encrypt a value as its next version, for that place alone."""
    sealed = envelope.seal(value, Context(secret.secret_id, secret.current + 1), ring)
    return tags.sign_path(secret, ring), sealed


def open_(secret: Secret, version: Version, ring: KeyRing) -> bytes:
    """Return a version's value.

    Raises:
        UnknownKey: no key of the ring has the record's key id.
        Tampered: a byte or the record's place differs from what was sealed.
    """
    if isinstance(version.sealed, LegacyValue):
        return envelope.open_legacy(version.sealed.ciphertext, ring)
    if version.sealed is None:
        raise Tampered("its value is missing")
    return envelope.open_(version.sealed, Context(secret.secret_id, version.version), ring)


def reseal_legacy(secret: Secret, ring: KeyRing) -> Secret:
    """Return the secret with values of an earlier implementation sealed as this one does.

    Nothing ties those to their place: they could not stay as they are beside a path.

    Raises:
        Tampered: no key of the ring opens one.
    """

    def reseal(version: Version) -> Version:
        if not isinstance(version.sealed, LegacyValue):
            return version
        context = Context(secret.secret_id, version.version)
        return replace(version, sealed=envelope.seal(open_(secret, version, ring), context, ring))

    return replace(secret, versions=tuple(reseal(version) for version in secret.versions))
