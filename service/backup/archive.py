"""The file that a backup is: what stands in it, and in which form.

It is a stream under a key of its own (``crypto.stream``), which the label has, wrapped under the primary
master key.  What is sealed are frames, ``kind (1) ‖ length (4) ‖ body``: first those of documents, ``length
of the collection's name (1) ‖ name ‖ BSON``, the latter compressed (zlib); last of all the manifest, in JSON.
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
from .manifest import FORMAT, Manifest, Tally

_DOCUMENTS, _MANIFEST = b"d", b"m"
_HEAD_BYTES = 5
# What a collection gives at once is 16 MiB at most, and compressing makes it hardly longer.
_MAX_BODY_BYTES = 2**25
# More saves little: what is sealed cannot be compressed.
_LEVEL = 1


def seal(frames: Iterable[bytes], backup_id: str, ring: KeyRing) -> Iterator[bytes]:
    """Seal frames under a new key, itself wrapped under the primary master key."""
    data_key = secrets.token_bytes(aead.KEY_BYTES)
    wrapped = ring.wrap(data_key, BackupContext(backup_id))
    label = {"backup": FORMAT, "backup_id": backup_id, "data_key": base64.b64encode(wrapped).decode()}
    return stream.seal_under(data_key, json.dumps(label).encode(), frames)


def documents_frame(collection: str, documents: bytes) -> bytes:
    """Return the frame of some documents of a collection."""
    name = collection.encode()
    return _frame(_DOCUMENTS, bytes([len(name)]) + name + zlib.compress(documents, _LEVEL))


def manifest_frame(manifest: Manifest) -> bytes:
    """Return the frame that is the last one."""
    return _frame(_MANIFEST, json.dumps(asdict(manifest)).encode())


class Watcher(Protocol):
    """Whom a backup, a restore or a drill tells how it goes, in documents."""

    def begin(self, doing: str, total: int) -> None:
        """Take note of a step of about so many."""

    def add(self, doing: str, count: int) -> None:
        """Take note of so many more of a step."""


class Archive:
    """A backup as it is read: first ``batches`` to their end, then ``manifest``.

    Raises:
        Tampered: it is no backup, of a format that this version does not know, or was altered.
        UnknownKey: no key of the ring has the id of the one that it was sealed under.
    """

    def __init__(self, source: BinaryIO, ring: KeyRing) -> None:
        header = stream.read_header(source)
        self.backup_id, wrapped = _read_label(header.label)
        try:
            data_key = ring.unwrap(wrapped, BackupContext(self.backup_id))
        except Tampered:
            raise Tampered("its header was altered") from None
        self.key_id = aead.key_id(wrapped).hex()
        self._pieces = stream.open_under(data_key, header, source)
        self._held = bytearray()
        self._manifest: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """The manifest, which was compared with all that was read."""
        if self._manifest is None:
            raise RuntimeError("the batches were not read to their end")
        return self._manifest

    def batches(self) -> Iterator[tuple[str, bytes]]:
        """Yield collections and their documents; only at the end is it sure that none was left out.

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
                    manifest.format == FORMAT and manifest.backup_id == self.backup_id, "another's manifest"
                )
                _require(
                    manifest.parts == tally.parts(), "its manifest tells of something else than is in it"
                )
                self._manifest = manifest
                return
            _require(kind == _DOCUMENTS and len(body) > 1, "it has a part of no known kind")
            name = body[1 : 1 + body[0]].decode()
            try:
                documents = zlib.decompress(body[1 + body[0] :])
            except zlib.error:
                raise Tampered("a part of it cannot be decompressed") from None
            tally.add(name, documents)
            yield name, documents
        raise Tampered("it ends without its manifest")

    def _frame(self) -> tuple[bytes, bytes] | None:
        if not self._fill(1):
            return None
        _require(self._fill(_HEAD_BYTES), "it ends in the middle of a part")
        kind, length = bytes(self._held[:1]), int.from_bytes(self._held[1:_HEAD_BYTES])
        _require(length <= _MAX_BODY_BYTES, "a part of it is longer than any")
        _require(self._fill(_HEAD_BYTES + length), "it ends in the middle of a part")
        body = bytes(self._held[_HEAD_BYTES : _HEAD_BYTES + length])
        del self._held[: _HEAD_BYTES + length]
        return kind, body

    def _fill(self, length: int) -> bool:
        while len(self._held) < length:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._held += piece
        return True

    def _require_end(self) -> None:
        # The last chunk has to be met: before that, nobody knows whether something was cut off.
        _require(not self._fill(1), "something is behind its manifest")


def new_id() -> str:
    """Return an id for a backup."""
    return str(uuid.uuid4())


def _frame(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4) + body


def _read_label(label: bytes) -> tuple[str, bytes]:
    try:
        fields = json.loads(label)
        made_as, backup_id = fields["backup"], fields["backup_id"]
        wrapped = base64.b64decode(fields["data_key"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Tampered("it is no backup, or its header was altered") from None
    if made_as != FORMAT or not isinstance(backup_id, str):
        raise Tampered(
            f"a backup of format {made_as}, and this version reads format {FORMAT}: use the one that made it"
        )
    return backup_id, wrapped


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Tampered(otherwise)
