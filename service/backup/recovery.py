"""Which master keys a backup needs when nothing but it is left, and which of them is the primary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from ..crypto.aead import key_id_of
from ..crypto.keyring import KeyRing, MasterKeys
from ..errors import ConfigurationError, UnknownKey
from .archive import Archive


def primary_key(source: BinaryIO, keys: Mapping[str, bytes]) -> str:
    """Return which of ``keys`` (at least one, by name) was the primary when the backup was made.

    The manifest inside the backup says so, and only a holder of the primary key can have written that.

    Raises:
        ConfigurationError: one of them is not named by the backup, or one that it names is missing.
        Tampered: the backup was altered.
    """
    names = {key_id_of(key).hex(): name for name, key in keys.items()}
    ring = KeyRing(lambda: MasterKeys(next(iter(keys.values())), tuple(keys.values())), lambda _key_id: None)
    try:
        manifest = Archive(source, ring).read_manifest()
    except UnknownKey as error:
        raise ConfigurationError(
            f"none of these keys opens the backup ({error}): name that key's file"
        ) from None
    needed = {manifest.key_id, *manifest.key_ids}
    if foreign := sorted(names.keys() - needed):
        raise ConfigurationError(
            f"the backup does not name {names[foreign[0]]} ({foreign[0]}), but {', '.join(sorted(needed))}:"
            " leave this file out"
        )
    if missing := sorted(needed - names.keys()):
        raise ConfigurationError(
            f"records in the backup are under master key {', '.join(missing)}: name its file, too"
        )
    return names[manifest.key_id]
