"""The key ring: all master keys that the service holds.  The primary wraps; every key unwraps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ..errors import ConfigurationError, UnknownKey
from . import aead, mac
from .context import WrapContext


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The keys as loaded, 32 bytes each; ``primary`` is one of ``keys``."""

    primary: bytes = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)


class KeyRing:
    """Wraps and unwraps data keys, and makes and verifies tags.

    ``load`` returns the current master keys; it is called again if a record names a key that the ring
    lacks, because the key may have been added since.  ``on_wrap`` is called with the master key's id
    before every wrap, to count them (a key may wrap at most 2**32 times); if it raises, nothing is wrapped.
    """

    def __init__(self, load: Callable[[], MasterKeys], on_wrap: Callable[[str], None]) -> None:
        self._load = load
        self._on_wrap = on_wrap
        self._use(load())

    def _use(self, loaded: MasterKeys) -> None:
        by_id: Mapping[bytes, bytes] = {aead.key_id_of(key): key for key in loaded.keys}
        # A single assignment, so that no thread sees the primary of one load with the keys of another.
        self._held = (aead.key_id_of(loaded.primary), by_id)

    @property
    def key_ids(self) -> list[str]:
        """The ids of all keys in hex, the primary first."""
        primary, by_id = self._held
        return [primary.hex(), *sorted(key_id.hex() for key_id in by_id if key_id != primary)]

    @property
    def keys(self) -> list[bytes]:
        """The keys themselves, for records that do not say which key sealed them."""
        return list(self._held[1].values())

    def wrap(self, data_key: bytes, context: WrapContext) -> bytes:
        """Wrap a data key under the primary master key."""
        primary, by_id = self._held
        self._on_wrap(primary.hex())
        return aead.seal(by_id[primary], data_key, context.for_data_key(primary))

    def unwrap(self, wrapped: bytes, context: WrapContext) -> bytes:
        """Return the data key.

        Raises:
            UnknownKey: no key of the ring has the wrap's key id, even after a reload.
            Tampered: a byte or the context differs from what was wrapped.
        """
        key_id = aead.key_id(wrapped)
        return aead.open_(self._key(key_id), wrapped, context.for_data_key(key_id))

    def rewrap(self, wrapped: bytes, context: WrapContext) -> bytes:
        """Return the data key wrapped under the primary master key, unchanged if it already is.

        Raises:
            UnknownKey, Tampered: as ``unwrap``.
        """
        data_key = self.unwrap(wrapped, context)
        primary, _ = self._held
        return wrapped if aead.key_id(wrapped) == primary else self.wrap(data_key, context)

    def tag(self, content: bytes) -> bytes:
        """Return the tag of a record that is stored in the clear, under the primary master key."""
        primary, by_id = self._held
        return mac.tag(by_id[primary], content)

    def verify(self, tag: bytes, content: bytes) -> None:
        """Check that ``tag`` is the tag of this content.

        Raises:
            UnknownKey: no key of the ring has the tag's key id, even after a reload.
            Tampered: a byte of the content or of the tag differs.
        """
        mac.verify(self._key(mac.key_id(tag)), tag, content)

    def _key(self, key_id: bytes) -> bytes:
        key = self._held[1].get(key_id) or self._reloaded().get(key_id)
        if key is None:
            raise UnknownKey(
                f"sealed under master key {key_id.hex()}; the key ring holds {', '.join(self.key_ids)}"
            )
        return key

    def _reloaded(self) -> Mapping[bytes, bytes]:
        # If a key file is only half written now, keep the keys that work.
        with suppress(ConfigurationError):
            self._use(self._load())
        return self._held[1]
