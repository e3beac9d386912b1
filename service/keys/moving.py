"""What a record becomes under the primary master key; what does not open stays as it is.

Each function returns the record as it is to be, and for every part of it that does not open what it is
and why: nothing is wrapped or tagged anew that was not shown to be right before.
"""

from __future__ import annotations

from dataclasses import replace

from ..crypto import secret_values, tags
from ..crypto.context import Context
from ..crypto.keyring import KeyRing
from ..errors import Unopenable
from ..models import StoredToken
from ..records import Secret, Wrapped
from ..tokens.authentication import tag_fields

Problems = list[tuple[str, Unopenable]]


def legacy(secret: Secret, ring: KeyRing) -> tuple[Secret, Problems]:
    """Seal the value of a record of an earlier implementation as this one does."""
    try:
        return secret_values.sealed_anew(secret, ring), []
    except Unopenable as error:
        return secret, [("value", error)]


def secret(found: Wrapped, ring: KeyRing) -> tuple[Wrapped, Problems]:
    """Wrap each data key and make the tag of the secret's place anew; no value is opened."""
    problems: Problems = []
    placed = found.secret
    try:
        placed = tags.tagged_anew(placed, ring)
    except Unopenable as error:
        problems.append(("path or owner", error))
    data_keys = []
    for version, data_key in zip(placed.versions, found.data_keys, strict=True):
        if data_key is not None:
            try:
                data_key = ring.rewrap(data_key, Context(placed.secret_id, version.version))
            except Unopenable as error:
                problems.append((f"version {version.version}", error))
        data_keys.append(data_key)
    return Wrapped(placed, tuple(data_keys)), problems


def token(stored: StoredToken, ring: KeyRing) -> tuple[StoredToken, Problems]:
    """Make a token's tag anew."""
    try:
        return replace(stored, tag=ring.retag(stored.tag, tag_fields(stored.token, stored.digest))), []
    except Unopenable as error:
        return stored, [("tag", error)]
