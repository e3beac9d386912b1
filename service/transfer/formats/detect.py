"""Which formats can be imported, and which one a text is in."""

from __future__ import annotations

import json
from enum import StrEnum

from ...errors import ImportFormatError
from . import dotenv, jsonlines, vault_kv
from .line import LineError, ParsedLine


class Format(StrEnum):
    """How a file is written."""

    JSON_LINES = "jsonl"
    DOTENV = "env"
    KV = "kv"


def text(content: bytes) -> str:
    """Return the text of a file.

    Raises:
        ImportFormatError: it is none.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportFormatError("it is no UTF-8 text, nor what export writes") from None


def detect(text: str) -> Format:
    """Return the format that the beginning of a text shows; what is empty holds no secret in any format.

    Raises:
        ImportFormatError: it shows none.
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
        "it begins neither with a JSON object nor with NAME=value: say with --format what it is, one of "
        + ", ".join(Format)
    )


def read(text: str, written: Format, *, split: bool) -> list[ParsedLine | LineError]:
    """Return the secrets and the problems of a text, in its order; ``split`` is for KV alone."""
    match written:
        case Format.KV:
            return list(vault_kv.read(text, split=split))
        case Format.DOTENV:
            return list(dotenv.read(text))
    return list(jsonlines.read(text))
