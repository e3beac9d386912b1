"""The formats that can be imported, and detection of the format of a file."""

from __future__ import annotations

import json
from enum import StrEnum

from ...errors import ImportFormatError
from . import dotenv, jsonlines, vault_kv
from .line import Line


class Format(StrEnum):
    """The format of a file."""

    JSON_LINES = "jsonl"
    DOTENV = "env"
    KV = "kv"


def text(content: bytes) -> str:
    """Decode the content of a file, with or without a byte order mark.

    Raises:
        ImportFormatError: it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportFormatError("neither UTF-8 text nor an encrypted export") from None


def detect(text: str) -> Format:
    """Return the format of a text, judging by its beginning; an empty text is valid in any format.

    Raises:
        ImportFormatError: the format is not recognized.
    """
    if not text.strip():
        return Format.JSON_LINES
    if text.lstrip().startswith("{"):
        try:
            document, _ = json.JSONDecoder().raw_decode(text.lstrip())
        except (ValueError, RecursionError):
            document = None
        return Format.KV if vault_kv.looks_like_it(document) else Format.JSON_LINES
    if dotenv.looks_like_it(text):
        return Format.DOTENV
    raise ImportFormatError(
        "unknown format, as it begins neither with a JSON object nor with NAME=value: name it with --format,"
        " one of " + ", ".join(Format)
    )


def read(text: str, file_format: Format, *, split: bool) -> list[Line]:
    """Return the secrets and the errors in a text, in order; ``split`` is for KV only."""
    match file_format:
        case Format.KV:
            return list(vault_kv.read(text, split=split))
        case Format.DOTENV:
            return list(dotenv.read(text))
    return list(jsonlines.read(text))
