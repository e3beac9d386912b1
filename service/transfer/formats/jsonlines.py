"""JSON lines: each line is the body of ``create``; ``export`` writes them, and ``import`` reads them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from ...secrets.create import CreateSecret
from .line import LineError, ParsedLine


def read(text: str) -> Iterator[ParsedLine | LineError]:
    """Yield the secret or the error in each line that is not blank."""
    # Not splitlines: a JSON string may contain other line separators.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            body = json.loads(line)
        except (ValueError, RecursionError):
            body = None
        yield ParsedLine(number, body) if isinstance(body, dict) else LineError(number, "not a JSON object")


def write(secret: CreateSecret) -> bytes:
    """Return the line for an exported secret, which has its value and absolute times."""
    body = {"path": secret.path, "secret": base64.b64encode(cast(bytes, secret.content)).decode()}
    options = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in secret.options.items()
    }
    return json.dumps(body | options).encode() + b"\n"
