"""The format of a backup file.

It is a stream under its own data key (``crypto.stream``); the label has that key, wrapped under the primary
master key.  The plaintext consists of frames, ``kind (1) ‖ length (4) ‖ body``: first frames of documents,
``length of the collection's name (1) ‖ name ‖ zlib-compressed BSON``, and last the manifest, in JSON.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import BinaryIO, Protocol

from ..crypto import aead, stream
from ..crypto.context import BackupContext
from ..crypto.keyring import KeyRing
from ..errors import Tampered
from .manifest import FORMAT, FORMATS, Manifest, Tally

_DOCUMENTS, _MANIFEST = b"d", b"m"
_HEAD_BYTES = 5
# A batch of documents has at most 16 MiB, and compression makes it at most slightly longer.
_MAX_BODY_BYTES = 2**25
# A higher level saves little: encrypted values cannot be compressed.
_LEVEL = 1


def seal(frames: Iterable[bytes], backup_id: str, ring: KeyRing) -> Iterator[bytes]:
    """Seal frames under a new data key, which is wrapped under the primary master key."""
    data_key = secrets.token_bytes(aead.KEY_BYTES)
    wrapped = ring.wrap(data_key, BackupContext(backup_id))
    label = {"backup": FORMAT, "backup_id": backup_id, "data_key": base64.b64encode(wrapped).decode()}
    return stream.seal_under(data_key, json.dumps(label).encode(), frames)


def documents_frame(collection: str, documents: bytes) -> bytes:
    """Return the frame of some documents of a collection."""
    name = collection.encode()
    return _frame(_DOCUMENTS, bytes([len(name)]) + name + zlib.compress(documents, _LEVEL))


def manifest_frame(manifest: Manifest) -> bytes:
    """Return the frame of the manifest, the last one."""
    return _frame(_MANIFEST, json.dumps(asdict(manifest)).encode())


class Watcher(Protocol):
    """Receives the progress of a backup, a restore or a drill, in documents."""

    def begin(self, doing: str, total: int) -> None:
        """Start a step with about ``total`` documents."""

    def add(self, doing: str, count: int) -> None:
        """Add ``count`` documents to the progress of a step."""


class Archive:
    """Reads a backup: first ``batches`` to their end, then ``manifest``.

    Raises:
        Tampered: it is not a backup, is in a format that this version does not know, or was altered.
        UnknownKey: the ring does not have the key that it was sealed under.
    """

    def __init__(self, source: BinaryIO, ring: KeyRing) -> None:
        header = stream.read_header(source)
        self._format, self.backup_id, wrapped = _read_label(header.label)
        try:
            data_key = ring.unwrap(wrapped, BackupContext(self.backup_id))
        except Tampered:
            raise Tampered("its header was altered") from None
        self.key_id = aead.key_id(wrapped).hex()
        self._pieces = stream.open_under(data_key, header, source)
        self._buffer = bytearray()
        self._manifest: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """The manifest, which has been compared with everything read."""
        if self._manifest is None:
            raise RuntimeError("the batches were not read to their end")
        return self._manifest

    def read_manifest(self) -> Manifest:
        """Read all of the backup and return its manifest.

        Raises:
            Tampered: as ``batches``.
        """
        for _ in self.batches():
            pass
        return self.manifest

    def batches(self) -> Iterator[tuple[str, bytes]]:
        """Yield collections and their documents; only reaching the end shows that none is missing.

        Raises:
            Tampered: the file was altered, cut short, or has its parts in another order.
        """
        tally = Tally()
        while (frame := self._frame()) is not None:
            kind, body = frame
            if kind == _MANIFEST:
                manifest = Manifest.from_json(body)
                self._require_end()
                _require(
                    manifest.format == self._format and manifest.backup_id == self.backup_id,
                    "its manifest belongs to another backup",
                )
                _require(manifest.parts == tally.parts(), "its manifest does not match its documents")
                self._manifest = manifest
                return
            _require(kind == _DOCUMENTS and len(body) > 1, "it has a part of an unknown kind")
            name = body[1 : 1 + body[0]].decode()
            try:
                documents = zlib.decompress(body[1 + body[0] :])
            except zlib.error:
                raise Tampered("one of its parts cannot be decompressed") from None
            tally.add(name, documents)
            yield name, documents
        raise Tampered("it ends without its manifest")

    def _frame(self) -> tuple[bytes, bytes] | None:
        if not self._fill(1):
            return None
        _require(self._fill(_HEAD_BYTES), "it ends in the middle of a part")
        kind, length = bytes(self._buffer[:1]), int.from_bytes(self._buffer[1:_HEAD_BYTES])
        _require(length <= _MAX_BODY_BYTES, "one of its parts is too long")
        _require(self._fill(_HEAD_BYTES + length), "it ends in the middle of a part")
        body = bytes(self._buffer[_HEAD_BYTES : _HEAD_BYTES + length])
        del self._buffer[: _HEAD_BYTES + length]
        return kind, body

    def _fill(self, length: int) -> bool:
        while len(self._buffer) < length:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._buffer += piece
        return True

    def _require_end(self) -> None:
        # Only the last chunk shows that nothing was cut off, so it has to be read.
        _require(not self._fill(1), "there is data after its manifest")


def new_id() -> str:
    """Return an id for a new backup."""
    return str(uuid.uuid4())


def _frame(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4) + body


def _read_label(label: bytes) -> tuple[int, str, bytes]:
    try:
        fields = json.loads(label)
        file_format, backup_id = fields["backup"], fields["backup_id"]
        wrapped = base64.b64decode(fields["data_key"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Tampered("it is not a backup, or its header was altered") from None
    if file_format not in FORMATS or not isinstance(backup_id, str):
        raise Tampered(
            f"a backup of format {file_format}, and this version reads formats up to {FORMAT}: use the"
            " version that made it"
        )
    return file_format, backup_id, wrapped


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise Tampered(message)
