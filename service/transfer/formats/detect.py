"""The formats that can be imported, and detection of the format of a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum

from ...errors import ImportFormatError
from . import (
    bitwarden,
    doppler,
    dotenv,
    entries,
    foreign,
    infisical,
    jsonlines,
    kubernetes,
    medusa,
    onepassword,
    vault_kv,
    yaml_documents,
)
from .dotenv import Dialect
from .line import Line


class Format(StrEnum):
    """The format of a file."""

    JSON_LINES = "jsonl"
    DOTENV = "env"
    KV = "kv"
    KUBERNETES = "kubernetes"
    MEDUSA = "medusa"
    INFISICAL = "infisical"
    DOPPLER = "doppler"
    ONE_PASSWORD = "1password"  # noqa: S105  # the name of a program
    BITWARDEN = "bitwarden"

    @property
    def unit(self) -> str:
        """What the numbers of its lines count."""
        return "entry" if self in _ENTRIES else "line"


# Formats whose secrets have fields, and formats that have more than values.
WITH_FIELDS = frozenset({Format.KV, Format.KUBERNETES, Format.MEDUSA, Format.ONE_PASSWORD})
WITH_EXTRAS = frozenset({Format.INFISICAL, Format.DOPPLER, Format.ONE_PASSWORD, Format.BITWARDEN})
# They may be on one line altogether.
_ENTRIES = frozenset({Format.MEDUSA, Format.INFISICAL, Format.DOPPLER, Format.BITWARDEN})
# By what a document says of itself; medusa's says nothing.
_RECOGNIZERS = (
    (Format.KUBERNETES, kubernetes.looks_like_it),
    (Format.INFISICAL, infisical.looks_like_it),
    (Format.DOPPLER, doppler.looks_like_it),
    (Format.ONE_PASSWORD, onepassword.looks_like_it),
    (Format.BITWARDEN, bitwarden.looks_like_it),
    (Format.KV, vault_kv.looks_like_it),
)


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
    """Return the format of a text, judging by its first document; an empty text is valid in any format.

    Raises:
        ImportFormatError: the format is not recognized; the message says what it looks like, if anything.
    """
    if not text.strip():
        return Format.JSON_LINES
    # In every format that SOPS writes, each value looks like this.
    what = foreign.SOPS if "ENC[AES256_GCM,data:" in text else None
    if what is None and text.lstrip()[0] in "{[":
        try:
            document, _ = json.JSONDecoder().raw_decode(text.lstrip())
        except (ValueError, RecursionError):
            return Format.JSON_LINES
        return _of_document(document)
    if what is None and dotenv.looks_like_it(text):
        return Format.DOTENV
    if what is None and foreign.is_yaml(text):
        first = next(yaml_documents.read(text), None)
        if isinstance(first, tuple) and (found := _recognized(first[1])):
            return found
        what = foreign.describe(first[1]) if isinstance(first, tuple) else None
    what = what or foreign.describe_text(text)
    if what is not None:
        raise ImportFormatError(f"this looks like {what}")
    raise ImportFormatError(
        "unknown format, as it begins neither with a JSON object nor with NAME=value: name it with --format,"
        " one of " + ", ".join(Format)
    )


def read(
    text: str, file_format: Format, *, split: bool, values_only: bool, dialect: Dialect | None = None
) -> list[Line]:
    """Return the secrets and the errors in a text, in order.

    ``split`` is for formats in ``WITH_FIELDS`` only, ``values_only`` for those in ``WITH_EXTRAS``, and
    ``dialect`` for .env.
    """
    if file_format is Format.DOTENV:
        return list(dotenv.read(text, dialect))
    return list(_lines(text, file_format, split=split, values_only=values_only))


def _lines(text: str, file_format: Format, *, split: bool, values_only: bool) -> Iterator[Line]:
    match file_format:
        case Format.KV:
            return vault_kv.read(text, split=split)
        case Format.KUBERNETES:
            return kubernetes.read(text, split=split)
        case Format.MEDUSA:
            return medusa.read(text, split=split)
        case Format.ONE_PASSWORD:
            return onepassword.read(text, split=split, values_only=values_only)
        case Format.INFISICAL:
            reader = infisical.looks_like_it, infisical.entries_of
        case Format.DOPPLER:
            reader = doppler.looks_like_it, doppler.entries_of
        case Format.BITWARDEN:
            reader = bitwarden.looks_like_it, bitwarden.entries_of
        case _:
            return jsonlines.read(text)
    return entries.read(text, *reader, values_only=values_only)


def _of_document(document: object) -> Format:
    """Return the format of a JSON document.

    Raises:
        ImportFormatError: it is in no format that can be imported.
    """
    if found := _recognized(document):
        return found
    what = foreign.describe(document)
    if what is None and not jsonlines.looks_like_it(document):
        what = foreign.describe_map(document)
    if what is None and isinstance(document, list):
        what = "a JSON array of no program that is known: make each secret a JSON line, with jq -c '.[]'"
    if what is not None:
        raise ImportFormatError(f"this looks like {what}")
    return Format.JSON_LINES


def _recognized(document: object) -> Format | None:
    return next((found for found, looks_like_it in _RECOGNIZERS if looks_like_it(document)), None)
