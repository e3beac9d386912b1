"""Finds the master keys: one in ``MASTER_KEY``, or a ring of files in ``MASTER_KEYS_DIR``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..crypto.aead import KEY_BYTES, key_id_of
from ..crypto.keyring import MasterKeys
from ..environment import Environment, read_file
from ..errors import ConfigurationError

HOW_TO_MAKE_ONE = "make one with: openssl rand -base64 32"


@dataclass(frozen=True, slots=True)
class NamedKeys:
    """The keys by the names of their files; ``primary`` is one of these. One alone is ``MASTER_KEY``."""

    primary: str
    keys: Mapping[str, bytes] = field(repr=False)


def load(environment: Environment) -> MasterKeys:
    """Return the keys as they are now; call it again to see files that were added since.

    Raises:
        ConfigurationError: no key, a malformed one, or no telling which one is the primary.
    """
    found = named(environment)
    return MasterKeys(primary=found.keys[found.primary], keys=tuple(found.keys.values()))


def named(environment: Environment) -> NamedKeys:
    """Return the keys as ``load`` does, each with its name.

    Raises:
        ConfigurationError: as ``load``.
    """
    single = environment.read_bytes("MASTER_KEY")
    folder = environment.text("MASTER_KEYS_DIR", "")
    primary = environment.text("MASTER_KEY_PRIMARY", "")

    if single is not None and folder:
        raise ConfigurationError("MASTER_KEY and MASTER_KEYS_DIR are both set: remove one of them")
    if folder:
        return _load_folder(Path(folder), primary)
    if primary:
        raise ConfigurationError("MASTER_KEY_PRIMARY names a file of MASTER_KEYS_DIR, which is not set")
    if single is None:
        raise ConfigurationError(f"MASTER_KEY is not set; {HOW_TO_MAKE_ONE}")
    return NamedKeys("MASTER_KEY", {"MASTER_KEY": parse("MASTER_KEY", single)})


def parse(name: str, value: bytes) -> bytes:
    """Return the 32 bytes of a key written as exactly 32 raw bytes or as base64 of 32 bytes.

    Raises:
        ConfigurationError: it is neither; the message names ``name`` and the length, never the value.
    """
    if len(value) == KEY_BYTES:
        return value
    try:
        decoded = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != KEY_BYTES:
        found = f"base64 of {len(decoded)} bytes" if decoded else f"{len(value)} bytes"
        raise ConfigurationError(
            f"{name} takes base64 of {KEY_BYTES} bytes or exactly {KEY_BYTES} raw bytes, "
            f"but holds {found}; {HOW_TO_MAKE_ONE}"
        )
    return decoded


def _load_folder(folder: Path, primary: str) -> NamedKeys:
    try:
        # Hidden entries are how orchestrators swap a mounted folder's content; they are no keys.
        files = [file for file in sorted(folder.iterdir()) if file.is_file() and file.name[0] != "."]
    except OSError as error:
        raise ConfigurationError(f"MASTER_KEYS_DIR: cannot read {folder}: {error.strerror}") from None
    keys = {
        file.name: parse(f"{file.name} in MASTER_KEYS_DIR", read_file("MASTER_KEYS_DIR", file))
        for file in files
    }
    if not keys:
        raise ConfigurationError(f"MASTER_KEYS_DIR: {folder} holds no key; {HOW_TO_MAKE_ONE}")
    if len({key_id_of(key) for key in keys.values()}) < len(keys):
        raise ConfigurationError(f"MASTER_KEYS_DIR: two files in {folder} hold the same key: remove one")
    if not primary and len(keys) == 1:
        (primary,) = keys
    if primary not in keys:
        raise ConfigurationError(
            f"MASTER_KEY_PRIMARY must name the key that wraps; MASTER_KEYS_DIR holds {', '.join(keys)}"
        )
    return NamedKeys(primary, keys)
