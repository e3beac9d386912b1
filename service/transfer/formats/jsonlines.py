"""JSON lines: each is the body of ``create``, and what ``export`` writes, ``import`` takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from ...secrets.create import CreateSecret
from .line import LineError, ParsedLine


def read(text: str) -> Iterator[ParsedLine | LineError]:
    """Return the secret or the problem of each line that is not blank."""
    # Not splitlines: a string in JSON may have other separators of lines in it.
    for number, one in enumerate(text.split("\n"), 1):
        if not one.strip():
            continue
        try:
            body = json.loads(one)
        except (ValueError, RecursionError):
            body = None
        yield (
            ParsedLine(number, body) if isinstance(body, dict) else LineError(number, "it is no JSON object")
        )


def write(secret: CreateSecret) -> bytes:
    """Return the line of a secret that was exported: its value is there, and its ends are moments."""
    body = {"path": secret.path, "secret": base64.b64encode(cast(bytes, secret.content)).decode()}
    options = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in secret.options.items()
    }
    return json.dumps(body | options).encode() + b"\n"
