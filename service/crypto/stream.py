"""A stream of any length, sealed and opened in memory that does not grow with it.

A sealed stream is a header and chunks of 64 KiB, the last one of 0 to 64 KiB, each with its tag (16).  The
chunks follow the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption
and its Nonce-Reuse Misuse-Resistance, 2015): the nonce is ``prefix ‖ number of the chunk (4) ‖ whether it is
the last (1)``, so that none can be left out, repeated, moved, cut off or put behind the end.  Every chunk
authenticates the header as well.

Under a passphrase the header is ``magic (16) ‖ format (1) ‖ cost (1) ‖ salt (16) ‖ prefix (7)``, and the key
comes from the passphrase by scrypt (RFC 7914) with N = 2**cost, r = 8, p = 1: 2**cost KiB of memory.

Under a key of its own it is ``magic (16) ‖ format (1) ‖ length (2) ‖ label ‖ prefix (7)``: the label is in
the clear and tells whoever opens it which key that is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
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

# Append only: a number that has been in a file keeps its meaning for good.
SCRYPT_AES_256_GCM = 1
AES_256_GCM_WITH_LABEL = 2

_SALT_BYTES = 16
_PREFIX_BYTES = 7
_HEADER_BYTES = len(MAGIC) + 2 + _SALT_BYTES + _PREFIX_BYTES
# Whoever makes up a file must not make whoever opens it run out of memory: 1 GiB.
_MAX_COST = 20


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a stream under a key of its own; nothing authenticates it before the first chunk."""

    raw: bytes
    label: bytes


def seal(pieces: Iterable[bytes], passphrase: bytes, *, cost: int = COST) -> Iterator[bytes]:
    """Seal what the pieces are together, up to 2**32 chunks; pieces of any length."""
    header = MAGIC + bytes([SCRYPT_AES_256_GCM, cost]) + secrets.token_bytes(_SALT_BYTES + _PREFIX_BYTES)
    return _seal(header, _cipher(header, passphrase), pieces)


def open_(source: BinaryIO, passphrase: bytes) -> Iterator[bytes]:
    """Return what was sealed, piece by piece; only at the end is it sure that nothing was cut off.

    Raises:
        Tampered: another passphrase, or any byte differs from what was sealed, is missing or too much.
    """
    header = source.read(_HEADER_BYTES)
    if not header.startswith(MAGIC) or len(header) < _HEADER_BYTES:
        raise Tampered("it does not begin as what was sealed under a passphrase does")
    sealing, cost = header[len(MAGIC) : len(MAGIC) + 2]
    if sealing != SCRYPT_AES_256_GCM or not 1 <= cost <= _MAX_COST:
        raise Tampered("of no known format")
    cipher = _cipher(header, passphrase)
    first = "the passphrase is not the one that it was sealed under, or it was altered"
    yield from _open(source, header, cipher, first)


def seal_under(key: bytes, label: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Seal what the pieces are together under 32 random bytes that seal nothing else; label up to 64 KiB."""
    prefix = secrets.token_bytes(_PREFIX_BYTES)
    header = MAGIC + bytes([AES_256_GCM_WITH_LABEL]) + len(label).to_bytes(2) + label + prefix
    return _seal(header, AESGCM(key), pieces)


def read_header(source: BinaryIO) -> Header:
    """Return the header of a stream under a key of its own.

    Raises:
        Tampered: it is none.
    """
    start = source.read(len(MAGIC) + 3)
    if not start.startswith(MAGIC) or len(start) < len(MAGIC) + 3:
        raise Tampered("it does not begin as what was sealed under a key does")
    if start[len(MAGIC)] != AES_256_GCM_WITH_LABEL:
        raise Tampered(
            "sealed in another way, an export under a passphrase perhaps, or in none that is known"
        )
    length = int.from_bytes(start[-2:])
    rest = source.read(length + _PREFIX_BYTES)
    if len(rest) < length + _PREFIX_BYTES:
        raise Tampered("it was cut short in its header")
    return Header(start + rest, rest[:length])


def open_under(key: bytes, header: Header, source: BinaryIO) -> Iterator[bytes]:
    """Return what was sealed behind the header, piece by piece, as ``open_`` does.

    Raises:
        Tampered: another key, or any byte differs from what was sealed, is missing or too much.
    """
    return _open(source, header.raw, AESGCM(key), "its header or its beginning was altered or cut short")


def _seal(header: bytes, cipher: AESGCM, pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield header
    for number, (chunk, last) in enumerate(_chunks(pieces, CHUNK_BYTES)):
        yield cipher.encrypt(_nonce(header, number, last), chunk, header)


def _open(source: BinaryIO, header: bytes, cipher: AESGCM, first: str) -> Iterator[bytes]:
    """Open the chunks; ``first`` says what may be wrong where the first one does not open."""
    sealed_bytes = CHUNK_BYTES + TAG_BYTES
    pieces = iter(partial(source.read, sealed_bytes), b"")
    for number, (chunk, last) in enumerate(_chunks(pieces, sealed_bytes)):
        try:
            opened = cipher.decrypt(_nonce(header, number, last), chunk, header)
        except InvalidTag:
            if last and _opens(cipher, _nonce(header, number, False), chunk, header):
                raise Tampered(
                    f"it was cut short after the first {(number + 1) * CHUNK_BYTES} bytes"
                ) from None
            raise Tampered(
                f"it was altered or cut short after the first {number * CHUNK_BYTES} bytes, or its parts are"
                " not in their order"
                if number
                else first
            ) from None
        yield opened


def _opens(cipher: AESGCM, nonce: bytes, chunk: bytes, header: bytes) -> bool:
    with suppress(InvalidTag):
        cipher.decrypt(nonce, chunk, header)
        return True
    return False


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
