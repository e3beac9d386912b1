"""Loads the master keys: one from ``MASTER_KEY``, or several from the files in ``MASTER_KEYS_DIR``."""

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
    """The keys by file name, or a single one as ``MASTER_KEY``; ``primary`` is one of these names."""

    primary: str
    keys: Mapping[str, bytes] = field(repr=False)


def load(environment: Environment) -> MasterKeys:
    """Return the keys as they are now; call it again to see files that were added since.

    Raises:
        ConfigurationError: there is no key, one is malformed, or the primary is missing or ambiguous.
    """
    named_keys = named(environment)
    return MasterKeys(primary=named_keys.keys[named_keys.primary], keys=tuple(named_keys.keys.values()))


def named(environment: Environment) -> NamedKeys:
    """Return the same keys with their names.

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
        raise ConfigurationError("MASTER_KEY_PRIMARY names a file in MASTER_KEYS_DIR, which is not set")
    if single is None:
        raise ConfigurationError(f"MASTER_KEY is not set; {HOW_TO_MAKE_ONE}")
    return NamedKeys("MASTER_KEY", {"MASTER_KEY": parse("MASTER_KEY", single)})


def parse(name: str, value: bytes) -> bytes:
    """Return the key: ``value`` is exactly 32 raw bytes, or base64 of 32 bytes.

    Raises:
        ConfigurationError: it is neither; the message contains ``name`` and the length, never the value.
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
        # Orchestrators swap the content of a mounted folder through hidden entries, which are not keys.
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
