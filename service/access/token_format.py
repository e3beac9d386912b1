"""What a token looks like: ``smt_<id>_<secret><checksum>``, hexadecimal throughout.

The id (64 bits) names the token and is no secret.  The secret is 256 random bits, of which only the
SHA-256 is kept: nobody guesses it, so a slow hash would protect nothing.  The checksum (CRC-32 of
everything before it) tells a typing error from a guess before the database is asked.  The prefix
lets secret scanners find tokens: ``smt_[0-9a-f]{16}_[0-9a-f]{72}``.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass, field

from ..errors import MalformedToken

_SECRET_BYTES = 32
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
# Half of the secret part is enough: nobody means to write that.
_WITHIN = re.compile(r"smt_[0-9a-f]{16}_[0-9a-f]{32}", re.ASCII | re.IGNORECASE)
_FORM = re.compile(r"(smt_([0-9a-f]{16})_([0-9a-f]{64}))([0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credential:
    """A token's id and its secret part (32 bytes)."""

    token_id: str
    secret: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the secret part."""
        return hashlib.sha256(self.secret).digest()

    @property
    def text(self) -> str:
        """The token as its holder sends it."""
        body = f"smt_{self.token_id}_{self.secret.hex()}"
        return body + _checksum(body)


def is_id(text: str) -> bool:
    """Return whether ``text`` has the form of a token's id."""
    return _ID.fullmatch(text) is not None


def is_within(text: str) -> bool:
    """Return whether there is a token in ``text``, or most of one: no place to keep it."""
    return _WITHIN.search(text) is not None


def new() -> Credential:
    """Make a credential that nobody has."""
    return Credential(secrets.token_hex(8), secrets.token_bytes(_SECRET_BYTES))


def parse(text: str) -> Credential:
    """Read a token.

    Raises:
        MalformedToken: it has another form, or its checksum is wrong.
    """
    found = _FORM.fullmatch(text)
    if not found or _checksum(found[1]) != found[4]:
        raise MalformedToken
    return Credential(found[2], bytes.fromhex(found[3]))


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
