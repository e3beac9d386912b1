"""JSON lines: each line is the body of ``create``; ``export`` writes them, and ``import`` reads them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from ... import strict_json
from ...secrets.create import CreateSecret
from ...strict_json import RepeatedName
from .documents import repeated
from .line import Line, LineError, ParsedLine

_NO_OBJECT = "not a JSON object"


def looks_like_it(document: object) -> bool:
    """Return whether a document has a field that says so."""
    return isinstance(document, dict) and not document.keys().isdisjoint({"path", "secret", "generate"})


def read(text: str) -> Iterator[Line]:
    """Yield the secret or the error in each line that is not blank; an object over several lines is one."""
    # Not splitlines: a JSON string may contain other line separators.
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        found, length = _line(at + 1, lines, at)
        at += length
        if found is not None:
            yield found


def write(secret: CreateSecret) -> bytes:
    """Return the line for an exported secret, which has its value and absolute times."""
    body = {"path": secret.path, "secret": base64.b64encode(cast(bytes, secret.content)).decode()}
    options = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in secret.options.items()
    }
    return json.dumps(body | options).encode() + b"\n"


def _line(number: int, lines: list[str], at: int) -> tuple[Line | None, int]:
    """Return the secret or the error that begins in a line, if any, and how many lines it takes."""
    line = lines[at].rstrip()
    if not line:
        return None, 1
    try:
        body = strict_json.loads(line)
    except RepeatedName as error:
        return LineError(number, repeated(error)), 1
    except json.JSONDecodeError as error:
        # It is cut off, so it may go on in the next line.
        if error.pos >= len(line):
            return _over_lines(number, "\n".join(lines[at:]))
        return LineError(number, _NO_OBJECT), 1
    except (ValueError, RecursionError):
        return LineError(number, _NO_OBJECT), 1
    return ParsedLine(number, body) if isinstance(body, dict) else LineError(number, _NO_OBJECT), 1


def _over_lines(number: int, text: str) -> tuple[LineError, int]:
    """Return one error for an object over several lines, and how many these are."""
    start = len(text) - len(text.lstrip())
    try:
        _, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        if text.split("\n", 1)[0].strip() not in ("{", "["):
            return LineError(number, _NO_OBJECT), 1
        where = f" (line {number - 1 + error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        error_text = f"{_NO_OBJECT}{where}; the rest of the file was not read"
        return LineError(number, error_text), text.count("\n") + 1
    length = text.count("\n", 0, end) + 1
    error_text = f"one object over {length} lines: write each object on a line of its own, with jq -c ."
    return LineError(number, error_text), length
