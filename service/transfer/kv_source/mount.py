"""A KV version 2 mount: its folders, what it knows of each secret, and the values.

The shapes are those of HashiCorp's documentation of the KV version 2 API, and what OpenBao 2.7 answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from ...strict_json import Number
from .client import Answer, Client
from .errors import NotReadable, SourceUnusable

Parsed = TypeVar("Parsed")

# What Vault keeps if neither the mount nor the secret says how many.
_DEFAULT_MAX_VERSIONS = 10
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
# A server might clean such a path, and then the walk would have no end.
_NOT_WALKED = {"/", "./", "../"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a mount or a secret says about versions; 0 and None say nothing.

    ``delete_version_after`` is in seconds.
    """

    max_versions: int = 0
    cas_required: bool = False
    delete_version_after: int | None = None

    def within(self, mount: Settings, limit: int) -> Settings:
        """Return what holds for a secret with these settings, as Vault combines the two.

        ``limit`` is the highest possible ``max_versions``.
        """
        ends = [end for end in (self.delete_version_after, mount.delete_version_after) if end is not None]
        return Settings(
            min(max(self.max_versions, mount.max_versions) or _DEFAULT_MAX_VERSIONS, limit),
            self.cas_required or mount.cas_required,
            min(ends, default=None),
        )


@dataclass(frozen=True, slots=True)
class KvVersion:
    """What the mount knows of a version; ``deleted_at`` may be in the future."""

    number: int
    created_at: datetime
    deleted_at: datetime | None
    destroyed: bool

    def has_value(self, at: datetime) -> bool:
        """Return whether its value can be read at that time."""
        return not self.destroyed and (self.deleted_at is None or self.deleted_at > at)


@dataclass(frozen=True, slots=True)
class KvMetadata:
    """What the mount knows of a secret; ``versions`` are ordered by number."""

    created_at: datetime
    updated_at: datetime
    labels: Mapping[str, Any] = field(repr=False)
    settings: Settings
    versions: tuple[KvVersion, ...]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A folder whose secrets could not be listed, and why."""

    folder: str
    why: str


class Mount:
    """A mount of a server.

    Every method raises ``SourceUnavailable`` and ``SourceUnusable`` as ``Client`` does.
    """

    def __init__(self, client: Client, name: str) -> None:
        """Check that this is a KV version 2 mount.

        Raises:
            SourceUnusable: it is not, or the token has no rights there.
        """
        self._client = client
        self._name = name.strip("/")
        answer = client.get(f"sys/internal/ui/mounts/{self._name}")
        if answer.status != 200:
            raise SourceUnusable(
                f"there is no mount {self._name}, or the token may read nothing of it: {answer.error}"
            )
        data = answer.document.get("data") or {}
        version = (data.get("options") or {}).get("version")
        if data.get("type") not in {"kv", "generic"}:
            raise SourceUnusable(f"the mount {self._name} holds no KV secrets")
        if version != "2":
            raise SourceUnusable(
                f"the mount {self._name} is of KV version 1, which has no versions: import what `vault kv get"
                " -format=json` prints of it, or an export of medusa"
            )
        if data.get("path") != f"{self._name}/":
            raise SourceUnusable(
                f"the mount is {data.get('path')}: name that with --mount, and a folder in it with --folder"
            )

    def settings(self) -> Settings:
        """Return the settings of the mount.

        Raises:
            NotReadable: the token may not read them.
        """
        return _parse(self._read(f"{self._name}/config"), _settings)

    def walk(self, folder: str) -> Iterator[str | Unlisted]:
        """Yield the path of every secret below a folder, and the folders that could not be listed.

        Paths are within the mount.  The secrets of a folder come in order, and before those of the folders
        below it.  Nothing is remembered but the folders that are still to be listed.
        """
        folders = [folder]
        while folders:
            folder = folders.pop()
            try:
                names = self._list(folder)
            except NotReadable as error:
                yield Unlisted(folder, str(error))
                continue
            below = []
            for name in names:
                if name in _NOT_WALKED or not name:
                    yield Unlisted(folder + name, "a folder without a proper name is not looked into")
                elif name.endswith("/"):
                    below.append(folder + name)
                else:
                    yield folder + name
            folders += reversed(below)

    def metadata(self, path: str) -> KvMetadata:
        """Return what the mount knows of a secret.

        Raises:
            NotReadable: it is gone, or the token may not read this.
        """
        return _parse(self._read(f"{self._name}/metadata/{path}"), _metadata)

    def fields(self, path: str, number: int) -> Mapping[str, Any]:
        """Return the fields of a version; numbers are ``Number``.

        Raises:
            NotReadable: it has been deleted meanwhile, or the token may not read it.
        """
        return _parse(self._read(f"{self._name}/data/{path}", f"version={number}"), _fields)

    def _list(self, folder: str) -> list[str]:
        answer = self._client.get(f"{self._name}/metadata/{folder}", "list=true")
        # Without a reason: there is nothing.
        if answer.status == 404 and not answer.document.get("errors"):
            return []
        self._require(answer, f"{self._name}/metadata/{folder}", "list")
        return _parse(answer, lambda data: sorted(map(_text, data["keys"])))

    def _read(self, path: str, query: str = "") -> Answer:
        answer = self._client.get(path, query)
        self._require(answer, path, "read")
        return answer

    def _require(self, answer: Answer, path: str, right: str) -> None:
        if answer.status == 403:
            first = "/".join(path.split("/")[: self._name.count("/") + 2])
            raise NotReadable(f"the token may not {right} it: its policy needs {right} on {first}/…")
        if answer.status == 404:
            raise NotReadable("it was deleted meanwhile: run the command again")
        if answer.status != 200:
            raise NotReadable(answer.error)


def _parse(answer: Answer, parse: Callable[[Any], Parsed]) -> Parsed:
    try:
        return parse(answer.document["data"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise NotReadable("the answer does not have the form that KV version 2 gives it") from None


def _settings(data: Mapping[str, Any]) -> Settings:
    return Settings(
        _number(data["max_versions"]),
        data["cas_required"] is True,
        _whole_seconds(_text(data["delete_version_after"])),
    )


def _metadata(data: Mapping[str, Any]) -> KvMetadata:
    versions = [
        KvVersion(
            int(number),
            _time(version["created_time"]),
            _time(version["deletion_time"]) if version["deletion_time"] else None,
            version["destroyed"] is True,
        )
        for number, version in data["versions"].items()
    ]
    return KvMetadata(
        _time(data["created_time"]),
        _time(data["updated_time"]),
        dict(data.get("custom_metadata") or {}),
        _settings(data),
        tuple(sorted(versions, key=lambda version: version.number)),
    )


def _fields(data: Mapping[str, Any]) -> Mapping[str, Any]:
    fields = data["data"]
    if not isinstance(fields, dict):
        raise TypeError("not an object")
    return fields


def _number(value: object) -> int:
    if not isinstance(value, Number):
        raise TypeError("not a number")
    return int(value.text)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _time(value: object) -> datetime:
    """Return a time with the database's precision: in UTC, in whole milliseconds."""
    at = datetime.fromisoformat(_text(value)).astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _whole_seconds(text: str) -> int | None:
    """Return a duration as Go writes it (time.Duration.String), rounded up; None if it is not above 0."""
    if text.startswith("-"):
        return None
    parts = _DURATION.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        raise ValueError("not a duration")
    return math.ceil(sum(float(number) * _SECONDS[unit] for number, unit in parts)) or None
