"""Values on their way in and out: made, measured, sealed, opened."""

from __future__ import annotations

from dataclasses import replace

from ..errors import Tampered, TooLarge
from ..models import Envelope
from ..records import LegacyValue, Secret, Version
from ..secrets import generate
from ..secrets.generate import Recipe
from . import envelope
from .context import Context
from .keyring import KeyRing


def content(wanted: bytes | Recipe, most_bytes: int) -> bytes:
    """Return the value itself, made first where it is a recipe.

    Raises:
        TooLarge: it is longer than ``most_bytes``.
    """
    value = generate.make(wanted) if isinstance(wanted, Recipe) else wanted
    if len(value) > most_bytes:
        raise TooLarge(f"a secret may have up to {most_bytes} bytes")
    return value


def seal_next(secret: Secret, value: bytes, ring: KeyRing) -> Envelope:
    """Seal a value as the version that comes next, for that place alone."""
    return envelope.seal(value, Context(secret.secret_id, secret.current + 1), ring)


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


def sealed_anew(secret: Secret, ring: KeyRing) -> Secret:
    """Return the secret with values of an earlier implementation sealed as this one does.

    Nothing ties those to their place: they could not stay as they are beside a path.

    Raises:
        Tampered: no key of the ring opens one.
    """

    def anew(version: Version) -> Version:
        if not isinstance(version.sealed, LegacyValue):
            return version
        context = Context(secret.secret_id, version.version)
        return replace(version, sealed=envelope.seal(open_(secret, version, ring), context, ring))

    return replace(secret, versions=tuple(anew(version) for version in secret.versions))
