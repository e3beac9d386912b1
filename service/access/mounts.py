"""Mounts: the names under which Vault's clients find the secrets below a prefix of paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ConfigurationError
from . import paths

# Vault's own names at the place of a mount.
RESERVED = frozenset({"sys", "auth", "cubbyhole", "identity"})


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount; ``prefix`` is a folder with its slash, or empty for all paths."""

    name: str
    prefix: str


def parse(entries: Sequence[str], variable: str) -> tuple[Mount, ...]:
    """Return the mounts of entries such as ``secret=`` and ``kv=legacy``, longer names first.

    Raises:
        ConfigurationError: an entry is malformed, or two have the same name; the message names ``variable``.
    """
    mounts: list[Mount] = []
    for entry in entries:
        name, equals, prefix = entry.partition("=")
        if not equals or not paths.is_path(name) or (prefix and not paths.is_path(prefix)):
            raise ConfigurationError(
                f"{variable} takes entries such as secret= or kv=legacy/app, separated by commas: a mount's"
                " name, an equals sign, and the path below which its secrets are, or nothing for all"
            )
        if name.partition("/")[0] in RESERVED:
            raise ConfigurationError(
                f"{variable} has a mount whose name begins with one of {', '.join(sorted(RESERVED))}:"
                " Vault uses these itself, choose another name"
            )
        if any(name == mount.name for mount in mounts):
            raise ConfigurationError(f"{variable} has a mount twice: give each name once")
        mounts.append(Mount(name, f"{prefix}/" if prefix else ""))
    return tuple(sorted(mounts, key=lambda mount: -len(mount.name)))


def find(mounts: Sequence[Mount], path: str) -> tuple[Mount, str] | None:
    """Return the mount that a client's path begins with, and what follows its name and a slash."""
    for mount in mounts:
        if f"{path}/".startswith(f"{mount.name}/"):
            return mount, path[len(mount.name) + 1 :]
    return None
