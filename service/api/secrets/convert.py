"""Turns the bodies of requests about secrets into what the use cases are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from ...secrets import generate
from ...secrets.create import NewSecret
from ...secrets.generate import Recipe
from ...secrets.options import Content, Settings
from ...secrets.read import Wanted
from ...store.secret_queries import Name
from ..json_body import decode_base64

Body = Mapping[str, Any]

_AS_THEY_ARE = (
    "labels",
    "expires_at",
    "version_expires_at",
    "max_reads",
    "max_versions",
    "cas_required",
    "delete_version_after",
)


def name(body: Body) -> Name:
    """Return which secret is meant."""
    if "path" in body:
        return Name(body["path"], is_path=True)
    return Name(str(body["secret_id"]))


def wanted(body: Body) -> Wanted:
    """Return which value is meant."""
    return Wanted(name(body), body.get("version"))


def content(body: Body) -> Content | None:
    """Return the value, or how to make it; None where there is none.

    Raises:
        InvalidBase64: the value is no base64.
    """
    if "secret" in body:
        return decode_base64(body["secret"])
    if "generate" not in body:
        return None
    alphabet = generate.ALPHABETS[body["generate"].get("alphabet", generate.DEFAULT_ALPHABET)]
    return Recipe(
        length=body["generate"].get("length", generate.DEFAULT_LENGTH),
        characters=body["generate"].get("characters", alphabet),
    )


def settings(body: Body) -> Settings:
    """Return the settings that are there."""
    found = {field: body[field] for field in _AS_THEY_ARE if field in body}
    for field in ("expires", "version_expires"):
        if f"{field}_in" in body:
            seconds = body[f"{field}_in"]
            found[f"{field}_at"] = None if seconds is None else timedelta(seconds=seconds)
    return cast(Settings, found)


def new_secret(body: Body) -> NewSecret:
    """Return the secret to make.

    Raises:
        InvalidBase64: the value is no base64.
    """
    # The schema has made sure that there is one.
    return NewSecret(cast(Content, content(body)), body.get("path"), settings(body))
