"""The format of a token: ``smt_<id>_<secret><checksum>``, in hexadecimal.

The id (64 bits) names the token and is not secret.  The secret is 256 random bits, of which only the
SHA-256 is stored: it cannot be guessed, so a slow hash would add nothing.  The checksum (CRC-32 of
everything before it) detects a mistyped token without a database query.  The prefix lets secret
scanners find tokens: ``smt_[0-9a-f]{16}_[0-9a-f]{72}``.
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
# Half of the secret part is enough: no legitimate text contains it.
_WITHIN = re.compile(r"smt_[0-9a-f]{16}_[0-9a-f]{32}", re.ASCII | re.IGNORECASE)
_TOKEN = re.compile(r"(smt_([0-9a-f]{16})_([0-9a-f]{64}))([0-9a-f]{8})", re.ASCII)


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
    """Return whether ``text`` has the format of a token's id."""
    return _ID.fullmatch(text) is not None


def is_within(text: str) -> bool:
    """Return whether ``text`` contains a token or most of one, and so must not be stored or logged."""
    return _WITHIN.search(text) is not None


def new() -> Credential:
    """Return a new random credential."""
    return Credential(secrets.token_hex(8), secrets.token_bytes(_SECRET_BYTES))


def parse(text: str) -> Credential:
    """Parse a token.

    Raises:
        MalformedToken: it has another format, or its checksum is wrong.
    """
    match = _TOKEN.fullmatch(text)
    if not match or _checksum(match[1]) != match[4]:
        raise MalformedToken
    return Credential(match[2], bytes.fromhex(match[3]))


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
