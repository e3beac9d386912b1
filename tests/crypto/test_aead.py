"""crypto.aead: only unaltered values decrypt, with the right key and context."""

import hmac
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import aead
from service.errors import Tampered

KEY = bytes(range(32))
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["aead"]


@given(plaintext=st.binary(max_size=4096), context=st.binary(max_size=64))
def test_opens_what_it_sealed(plaintext: bytes, context: bytes) -> None:
    """A value of any size decrypts to itself."""
    assert plaintext == aead.open_(KEY, aead.seal(KEY, plaintext, context), context)


@given(plaintext=st.binary(max_size=64), data=st.data())
def test_refuses_every_flipped_bit(plaintext: bytes, data: st.DataObject) -> None:
    """A flipped bit anywhere, header included, is detected."""
    sealed = bytearray(aead.seal(KEY, plaintext, b"context"))
    position = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[position // 8] ^= 1 << position % 8

    with pytest.raises(Tampered):
        aead.open_(KEY, bytes(sealed), b"context")


def test_refuses_every_flipped_byte_of_one_value() -> None:
    """Every byte of a sealed value is authenticated."""
    sealed = aead.seal(KEY, b"payload", b"context")

    for position in range(len(sealed)):
        altered = bytearray(sealed)
        altered[position] ^= 0xFF
        with pytest.raises(Tampered):
            aead.open_(KEY, bytes(altered), b"context")


@given(length=st.integers(0, 60))
def test_refuses_a_value_that_was_cut(length: int) -> None:
    """A prefix of a sealed value does not decrypt."""
    sealed = aead.seal(KEY, b"x" * 24, b"context")

    with pytest.raises(Tampered):
        aead.open_(KEY, sealed[:length], b"context")


@given(context=st.binary(max_size=64).filter(lambda context: context != b"context"))
def test_refuses_another_context(context: bytes) -> None:
    """A value decrypts only with the context it was sealed with."""
    with pytest.raises(Tampered):
        aead.open_(KEY, aead.seal(KEY, b"payload", b"context"), context)


def test_refuses_another_key() -> None:
    """A wrong key is recognized by its id, before decryption."""
    with pytest.raises(Tampered, match="another key"):
        aead.open_(bytes(32), aead.seal(KEY, b"payload", b""), b"")


def test_never_uses_a_nonce_twice() -> None:
    """Sealing the same value again uses a new nonce."""
    sealed = {aead.seal(KEY, b"same", b"same") for _ in range(1000)}

    assert 1000 == len({value[9:21] for value in sealed})


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_opens_what_earlier_releases_sealed(vector: dict[str, str]) -> None:
    """The format on disk stays readable: these bytes were committed once and never change."""
    key, sealed, context = (bytes.fromhex(vector[name]) for name in ("key", "sealed", "context"))

    assert bytes.fromhex(vector["plaintext"]) == aead.open_(key, sealed, context)
    assert vector["key_id"] == aead.key_id(sealed).hex() == aead.key_id_of(key).hex()


def test_writes_the_documented_format() -> None:
    """Format byte, key id, nonce, ciphertext and tag, assembled here without the module under test."""
    sealed = aead.seal(KEY, b"payload", b"context")

    nonce = sealed[9:21]
    key_id = hmac.digest(KEY, b"secret-manager key id", "sha256")[:8]
    assert b"\x01" + key_id + nonce + AESGCM(KEY).encrypt(nonce, b"payload", b"context") == sealed
