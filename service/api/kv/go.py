"""Times and durations as Go writes them."""

from __future__ import annotations

import re
from datetime import datetime

from ...strict_json import Number

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h|d)", re.ASCII)
_DURATION = re.compile(rf"([+-]?)((?:{_PART.pattern})+)", re.ASCII)
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)


def time(at: datetime | None) -> str:
    """Return a time in UTC as RFC 3339 with ``Z``, which older Java needs; None is empty."""
    return "" if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: int | None) -> str:
    """Return a duration such as ``1h30m0s``."""
    hours, rest = divmod(seconds or 0, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def parse_duration(value: object) -> int:
    """Return the whole seconds of a duration: a number, ``"90"``, ``"90m"``, ``"1h30m"``; it may be negative.

    Raises:
        ValueError: it is malformed.
    """
    text = value.text if isinstance(value, Number) else value
    if not isinstance(text, str):
        raise ValueError("not a duration")
    if _NUMBER.fullmatch(text):
        return int(text)
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("not a duration")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(match[2]))
    return -int(seconds) if match[1] == "-" else int(seconds)
