"""The format of a token: ``smt_<id>_<secret><checksum>``, in hexadecimal; other credentials have it too.

The id (64 bits) names the token and is not secret.  The secret is 256 random bits, of which only the
SHA-256 is stored: it cannot be guessed, so a slow hash would add nothing.  The checksum (CRC-32 of
everything before it) detects a mistyped token without a database query.  The prefix lets secret
scanners find tokens: ``smt_[0-9a-f]{16}_[0-9a-f]{72}``.  An AppRole's secret id begins with ``sms`` instead
(its id is its accessor), a session with ``sme`` and a share's link with ``sml``, so that none is taken for
another.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass, field

from ..errors import MalformedToken

TOKEN, SECRET_ID, SESSION, SHARE = "smt", "sms", "sme", "sml"

_SECRET_BYTES = 32
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
# Half of the secret part is enough: no legitimate text contains it.
_WITHIN = re.compile(r"sm[tsel]_[0-9a-f]{16}_[0-9a-f]{32}", re.ASCII | re.IGNORECASE)
_CREDENTIAL = re.compile(r"((sm[tsel])_([0-9a-f]{16})_([0-9a-f]{64}))([0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Credential:
    """A token's id and its secret part (32 bytes), or those of another credential."""

    token_id: str
    secret: bytes = field(repr=False)
    prefix: str = TOKEN

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the secret part."""
        return hashlib.sha256(self.secret).digest()

    @property
    def text(self) -> str:
        """The token as its holder sends it."""
        body = f"{self.prefix}_{self.token_id}_{self.secret.hex()}"
        return body + _checksum(body)


def is_id(text: str) -> bool:
    """Return whether ``text`` has the format of a token's id."""
    return _ID.fullmatch(text) is not None


def is_within(text: str) -> bool:
    """Return whether ``text`` contains most of a token or the like: it must not be stored or logged."""
    return _WITHIN.search(text) is not None


def new(prefix: str = TOKEN) -> Credential:
    """Return a new random credential."""
    return Credential(secrets.token_hex(8), secrets.token_bytes(_SECRET_BYTES), prefix)


def parse(text: str, prefix: str = TOKEN) -> Credential:
    """Parse a token, or whatever else begins with ``prefix``.

    Raises:
        MalformedToken: it has another format, or its checksum is wrong.
    """
    match = _CREDENTIAL.fullmatch(text)
    if not match or match[2] != prefix or _checksum(match[1]) != match[5]:
        raise MalformedToken
    return Credential(match[3], bytes.fromhex(match[4]), prefix)


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
