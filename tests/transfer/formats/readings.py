"""What a reader made of a text, in short."""

import base64
from collections.abc import Iterable

from service.transfer.formats import detect
from service.transfer.formats.line import Line, LineError, NullLine


def shorten(lines: Iterable[Line]) -> list[tuple[str, bytes | None]]:
    """Return paths and values, None for null; there must be no errors."""
    found = list(lines)
    assert [] == [line for line in found if isinstance(line, LineError)]
    return [
        (line.path, None)
        if isinstance(line, NullLine)
        else (line.body["path"], base64.b64decode(line.body["secret"]))
        for line in found
        if not isinstance(line, LineError)
    ]


def read(text: str, *, split: bool = False, values_only: bool = False) -> list[tuple[str, bytes | None]]:
    """Return the same for a text whose format is detected."""
    return shorten(detect.read(text, detect.detect(text), split=split, values_only=values_only))


def errors(lines: Iterable[Line]) -> list[str]:
    """Return the texts of the errors; nothing in them may be a value."""
    texts = [line.text for line in lines if isinstance(line, LineError)]
    assert "hunter2" not in repr(texts)
    return texts
