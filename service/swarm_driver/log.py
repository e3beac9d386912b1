"""The log: one JSON document per line on standard output, which the engine copies to its own log."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from datetime import UTC, datetime

_MAX_CHARACTERS = 512
# Half of a token's secret part is enough: no other text contains it.
_TOKEN = re.compile(r"smt_[0-9a-f]{16}_[0-9a-f]{32,}", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[^ -~]")


def clean(text: str) -> str:
    """Return text from outside as it may be logged: no token, printable ASCII, up to 512 characters.

    Whoever creates a secret or a service chooses its name and labels, and may paste a token there.
    """
    return _UNPRINTABLE.sub("?", _TOKEN.sub("smt_***", text))[:_MAX_CHARACTERS]


class Log:
    """Writes lines to the file ``descriptor``, and loses a line rather than wait for its reader.

    The engine reads the other end of the pipe; while it does not, the secrets of tasks must not wait.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def write(self, event: str, **fields: object) -> None:
        """Write a line; texts among ``fields`` are cleaned, and a field that is None is left out."""
        line: dict[str, object] = {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": event,
        }
        for name, value in fields.items():
            if value is not None:
                line[name] = clean(value) if isinstance(value, str) else value
        with suppress(OSError):
            os.write(self._descriptor, json.dumps(line).encode() + b"\n")
