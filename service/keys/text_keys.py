"""Finds master keys that are text: a hex string or a passphrase of 32 bytes instead of 32 random bytes.

Data may be under such a key, so it goes on working; start, ``/readyz`` and a metric warn of it.
"""

from __future__ import annotations

from ..crypto.aead import key_id_of
from ..crypto.keyring import KeyRing

# No key id: it is derived from the key, and with it anyone could try guesses.
WARNING = (
    "a master key looks like text, such as a passphrase or a hex string: it may be guessed; `key status` says"
    " which it is: rotate to 32 random bytes"
)


def looks_like_text(key: bytes) -> bool:
    """Return whether a key is UTF-8 of nothing but printable characters and white space.

    Of 2 * 10^10 random keys, about one is (counted over all characters of Unicode 14).
    """
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


def text_key_ids(ring: KeyRing) -> list[str]:
    """Return the ids of the keys that look like text."""
    return [key_id_of(key).hex() for key in ring.keys if looks_like_text(key)]
