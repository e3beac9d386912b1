"""Encrypts and decrypts streams of any length in constant memory.

A sealed stream is a header and chunks of 64 KiB, the last one of 0 to 64 KiB, each with its tag (16).  The
chunks follow the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption
and its Nonce-Reuse Misuse-Resistance, 2015): the nonce is ``prefix ‖ chunk number (4) ‖ is last (1)``, so
that no chunk can be omitted, repeated, reordered, cut off or appended.  Every chunk also authenticates the
header.

Under a passphrase the header is ``magic (16) ‖ format (1) ‖ cost (1) ‖ salt (16) ‖ prefix (7)``, and the key
comes from the passphrase by scrypt (RFC 7914) with N = 2**cost, r = 8, p = 1: 2**cost KiB of memory.

Under a key of its own it is ``magic (16) ‖ format (1) ‖ length (2) ‖ label ‖ prefix (7)``: the label is in
the clear and identifies the key.
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

# No UTF-8 text starts with this byte.
MAGIC = b"\x93secret-manager\n"
CHUNK_BYTES = 2**16
# As OWASP recommends (Password Storage Cheat Sheet): 128 MiB, less than a second.
COST = 17

# Append only: a number that has been in a file never changes its meaning.
SCRYPT_AES_256_GCM = 1
AES_256_GCM_WITH_LABEL = 2

_SALT_BYTES = 16
_PREFIX_BYTES = 7
_HEADER_BYTES = len(MAGIC) + 2 + _SALT_BYTES + _PREFIX_BYTES
# 1 GiB: a forged header must not exhaust the memory of the process that reads it.
_MAX_COST = 20


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a stream under a key of its own; not authenticated until the first chunk is decrypted."""

    raw: bytes
    label: bytes


def seal(pieces: Iterable[bytes], passphrase: bytes, *, cost: int = COST) -> Iterator[bytes]:
    """Encrypt the concatenated pieces, of any length each, up to 2**32 chunks in all."""
    header = MAGIC + bytes([SCRYPT_AES_256_GCM, cost]) + secrets.token_bytes(_SALT_BYTES + _PREFIX_BYTES)
    return _seal(header, _cipher(header, passphrase), pieces)


def open_(source: BinaryIO, passphrase: bytes) -> Iterator[bytes]:
    """Yield the plaintext in pieces; only when the iterator ends is it certain that nothing was cut off.

    Raises:
        Tampered: wrong passphrase, or a byte was altered, removed or added.
    """
    header = source.read(_HEADER_BYTES)
    if not header.startswith(MAGIC) or len(header) < _HEADER_BYTES:
        raise Tampered("it does not start with the header of a stream sealed under a passphrase")
    format_, cost = header[len(MAGIC) : len(MAGIC) + 2]
    if format_ != SCRYPT_AES_256_GCM or not 1 <= cost <= _MAX_COST:
        raise Tampered("unknown format")
    cipher = _cipher(header, passphrase)
    yield from _open(source, header, cipher, "wrong passphrase, or it was altered or cut short")


def seal_under(key: bytes, label: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Encrypt the pieces under ``key``: 32 random bytes, used for this stream only; label up to 64 KiB."""
    prefix = secrets.token_bytes(_PREFIX_BYTES)
    header = MAGIC + bytes([AES_256_GCM_WITH_LABEL]) + len(label).to_bytes(2) + label + prefix
    return _seal(header, AESGCM(key), pieces)


def read_header(source: BinaryIO) -> Header:
    """Read the header of a stream under a key of its own.

    Raises:
        Tampered: it is not such a header.
    """
    start = source.read(len(MAGIC) + 3)
    if not start.startswith(MAGIC) or len(start) < len(MAGIC) + 3:
        raise Tampered("it does not start with the header of a stream sealed under a key")
    if start[len(MAGIC)] != AES_256_GCM_WITH_LABEL:
        raise Tampered("unknown format, or sealed under a passphrase, as an export is")
    length = int.from_bytes(start[-2:])
    rest = source.read(length + _PREFIX_BYTES)
    if len(rest) < length + _PREFIX_BYTES:
        raise Tampered("it was cut short within its header")
    return Header(start + rest, rest[:length])


def open_under(key: bytes, header: Header, source: BinaryIO) -> Iterator[bytes]:
    """Yield the plaintext after the header in pieces, as ``open_`` does.

    Raises:
        Tampered: wrong key, or a byte was altered, removed or added.
    """
    return _open(source, header.raw, AESGCM(key), "its header or its beginning was altered or cut short")


def _seal(header: bytes, cipher: AESGCM, pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield header
    for number, (chunk, last) in enumerate(_chunks(pieces, CHUNK_BYTES)):
        yield cipher.encrypt(_nonce(header, number, last), chunk, header)


def _open(source: BinaryIO, header: bytes, cipher: AESGCM, first_error: str) -> Iterator[bytes]:
    """Decrypt the chunks; ``first_error`` is the message if the first one does not authenticate."""
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
                f"it was altered or cut short after the first {number * CHUNK_BYTES} bytes, or its chunks"
                " were reordered"
                if number
                else first_error
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
    """Cut the concatenated pieces into chunks of ``size`` bytes; yield each with whether it is the last.

    Only the last chunk may be shorter; it is empty only if there is no data at all.
    """
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) > size:
            yield bytes(buffer[:size]), False
            del buffer[:size]
    yield bytes(buffer), True
