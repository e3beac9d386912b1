"""Makes values that nobody has to see."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

MOST_CHARACTERS = 1024
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
    """How to make a value: ``length`` characters, drawn from ``characters`` (two at least, each once)."""

    length: int
    characters: str


def make(recipe: Recipe) -> bytes:
    """Return a value as UTF-8, every character of it drawn evenly by the system's secure generator."""
    return "".join(secrets.choice(recipe.characters) for _ in range(recipe.length)).encode()
