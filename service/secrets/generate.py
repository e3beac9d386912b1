"""Generates random values."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

from ..errors import TooLarge

MAX_CHARACTERS = 1024
DEFAULT_LENGTH = 32

ALPHABETS = {
    "alphanumeric": string.ascii_letters + string.digits,
    "hex": string.digits + "abcdef",
    "digits": string.digits,
    "base64url": string.ascii_letters + string.digits + "-_",
    # Every visible ASCII character.
    "printable": string.ascii_letters + string.digits + string.punctuation,
}
DEFAULT_ALPHABET = "alphanumeric"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to generate a value: ``length`` characters from ``characters`` (at least two, no repetition)."""

    length: int
    characters: str


# A value to store, or how to generate one.
Content = bytes | Recipe


def value_of(content: Content, max_bytes: int) -> bytes:
    """Return the value, generated first if ``content`` is a recipe.

    Raises:
        TooLarge: the value is longer than ``max_bytes``.
    """
    value = generate(content) if isinstance(content, Recipe) else content
    if len(value) > max_bytes:
        raise TooLarge(f"a secret may have up to {max_bytes} bytes (MAX_SECRET_BYTES)")
    return value


def generate(recipe: Recipe) -> bytes:
    """Return a value as UTF-8; each character is drawn uniformly by the system's secure generator."""
    return "".join(secrets.choice(recipe.characters) for _ in range(recipe.length)).encode()
