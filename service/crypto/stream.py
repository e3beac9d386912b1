"""A stream of any length under a passphrase, sealed and opened in memory that does not grow with it.

A sealed stream is a header, ``magic (16) ‖ format (1) ‖ cost (1) ‖ salt (16) ‖ prefix (7)``, and chunks of
64 KiB, the last one of 0 to 64 KiB, each with its tag (16).  The chunks follow the STREAM construction
(Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance, 2015): the nonce is ``prefix ‖ number of the chunk (4) ‖ whether it is the last (1)``, so
that none can be left out, repeated, moved, cut off or put behind the end.  Every chunk authenticates the
header as well.

The key comes from the passphrase by scrypt (RFC 7914) with N = 2**cost, r = 8, p = 1: 2**cost KiB of memory.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from functools import partial
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ..errors import Tampered
from .aead import KEY_BYTES, TAG_BYTES

# The first byte begins no text in UTF-8.
MAGIC = b"\x93secret-manager\n"
CHUNK_BYTES = 2**16
# What OWASP recommends (Password Storage Cheat Sheet): 128 MiB and less than a second.
COST = 17

# Append only: a number that has been in a file keeps its meaning for good.  A stream whose key is given
# and not made from a passphrase would be another one.
SCRYPT_AES_256_GCM = 1

_SALT_BYTES = 16
_PREFIX_BYTES = 7
_HEADER_BYTES = len(MAGIC) + 2 + _SALT_BYTES + _PREFIX_BYTES
# Whoever makes up a file must not make whoever opens it run out of memory: 1 GiB.
_MOST_COST = 20


def seal(pieces: Iterable[bytes], passphrase: bytes, *, cost: int = COST) -> Iterator[bytes]:
    """Seal what the pieces are together, up to 2**32 chunks; pieces of any length."""
    header = MAGIC + bytes([SCRYPT_AES_256_GCM, cost]) + secrets.token_bytes(_SALT_BYTES + _PREFIX_BYTES)
    cipher = _cipher(header, passphrase)
    yield header
    for number, (chunk, last) in enumerate(_chunks(pieces, CHUNK_BYTES)):
        yield cipher.encrypt(_nonce(header, number, last), chunk, header)


def open_(source: BinaryIO, passphrase: bytes) -> Iterator[bytes]:
    """Return what was sealed, piece by piece; only at the end is it sure that nothing was cut off.

    Raises:
        Tampered: another passphrase, or any byte differs from what was sealed, is missing or too much.
    """
    header = source.read(_HEADER_BYTES)
    if not header.startswith(MAGIC) or len(header) < _HEADER_BYTES:
        raise Tampered("it does not begin as what was sealed under a passphrase does")
    sealing, cost = header[len(MAGIC) : len(MAGIC) + 2]
    if sealing != SCRYPT_AES_256_GCM or not 1 <= cost <= _MOST_COST:
        raise Tampered("of no known format")
    cipher = _cipher(header, passphrase)
    sealed_bytes = CHUNK_BYTES + TAG_BYTES
    pieces = iter(partial(source.read, sealed_bytes), b"")
    for number, (chunk, last) in enumerate(_chunks(pieces, sealed_bytes)):
        try:
            opened = cipher.decrypt(_nonce(header, number, last), chunk, header)
        except InvalidTag:
            raise Tampered(
                f"it was altered or cut short after the first {number * CHUNK_BYTES} bytes"
                if number
                else "the passphrase is not the one that it was sealed under, or it was altered"
            ) from None
        yield opened


def _cipher(header: bytes, passphrase: bytes) -> AESGCM:
    cost, salt = header[len(MAGIC) + 1], header[len(MAGIC) + 2 : -_PREFIX_BYTES]
    return AESGCM(Scrypt(salt=salt, length=KEY_BYTES, n=2**cost, r=8, p=1).derive(passphrase))


def _nonce(header: bytes, number: int, last: bool) -> bytes:
    return header[-_PREFIX_BYTES:] + number.to_bytes(4) + bytes([last])


def _chunks(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut what the pieces are together into chunks of ``size`` bytes, and say of each whether it is the last.

    Only the last one is shorter; it is empty only where there is nothing else.
    """
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) > size:
            yield bytes(held[:size]), False
            del held[:size]
    yield bytes(held), True
