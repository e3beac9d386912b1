"""crypto.envelope: a value decrypts only as the version of the secret that it was sealed for."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.crypto import envelope
from service.crypto.context import Context
from service.crypto.keyring import KeyRing
from service.errors import CannotDecrypt, Tampered
from service.models import Envelope
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["envelope"]
# The fixtures are constants, so examples cannot influence each other.
with_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@with_fixtures
@given(plaintext=st.binary(max_size=70_000))
def test_opens_what_it_sealed(plaintext: bytes, ring: KeyRing, context: Context) -> None:
    """A value of any size, the empty one included, decrypts to itself."""
    assert plaintext == envelope.open_(envelope.seal(plaintext, context, ring), context, ring)


@with_fixtures
@given(data=st.data())
def test_refuses_every_flipped_bit_of_either_part(
    data: st.DataObject, ring: KeyRing, context: Context
) -> None:
    """A flipped bit anywhere in the payload or the wrapped key is detected."""
    sealed = envelope.seal(b"payload", context, ring)
    part = data.draw(st.sampled_from(["payload", "data_key"]))
    altered = bytearray(getattr(sealed, part))
    position = data.draw(st.integers(0, len(altered) * 8 - 1))
    altered[position // 8] ^= 1 << position % 8

    with pytest.raises(CannotDecrypt):
        envelope.open_(replace(sealed, **{part: bytes(altered)}), context, ring)


@with_fixtures
@given(secret_id=st.uuids().map(str), version=st.integers(1, 1000))
def test_refuses_every_other_context(secret_id: str, version: int, ring: KeyRing, context: Context) -> None:
    """A value that was moved to another secret or version does not decrypt."""
    other = Context(secret_id, version)
    sealed = envelope.seal(b"payload", context, ring)

    if other != context:
        with pytest.raises(Tampered):
            envelope.open_(sealed, other, ring)


def test_refuses_the_ciphertext_of_an_older_version(ring: KeyRing, context: Context) -> None:
    """Restoring an old ciphertext after an update does not restore the old value."""
    yesterday = envelope.seal(b"old", context, ring)

    with pytest.raises(Tampered):
        envelope.open_(yesterday, replace(context, version=2), ring)


def test_refuses_a_payload_with_another_envelopes_data_key(ring: KeyRing, context: Context) -> None:
    """Parts of two envelopes with the same context cannot be combined."""
    one, other = (envelope.seal(value, context, ring) for value in (b"one", b"other"))

    with pytest.raises(Tampered):
        envelope.open_(Envelope(one.payload, other.data_key), context, ring)


def test_never_seals_twice_under_one_data_key(ring: KeyRing, context: Context) -> None:
    """Every call uses a new data key: the key ids in the headers differ."""
    sealed = [envelope.seal(b"same", context, ring) for _ in range(100)]

    assert 100 == len({one.payload[1:9] for one in sealed})


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_opens_what_earlier_releases_sealed(vector: dict[str, str]) -> None:
    """Envelopes in existing databases stay readable."""
    sealed = Envelope(bytes.fromhex(vector["payload"]), bytes.fromhex(vector["data_key"]))
    ring = make_ring(bytes.fromhex(vector["master_key"]))

    opened = envelope.open_(sealed, Context(vector["secret_id"], int(vector["version"])), ring)

    assert vector["plaintext"] == opened.hex()
    assert vector["key_id"] == envelope.master_key_id(sealed)


def test_opens_a_record_of_an_earlier_implementation() -> None:
    """It is nonce ‖ ciphertext ‖ tag directly under any master key of the ring, without a context."""
    nonce = bytes(12)
    record = nonce + AESGCM(MASTER_KEY).encrypt(nonce, b"legacy", None)

    assert envelope.open_legacy(record, make_ring(OTHER_MASTER_KEY, MASTER_KEY)) == b"legacy"
    with pytest.raises(Tampered):
        envelope.open_legacy(record, make_ring(OTHER_MASTER_KEY))
    with pytest.raises(Tampered):
        envelope.open_legacy(record[:20], make_ring(MASTER_KEY))


def test_a_wrapped_key_does_not_pass_for_a_record_of_an_earlier_implementation(
    ring: KeyRing, context: Context
) -> None:
    """A wrapped key cannot be passed off as a legacy record to obtain the data key."""
    sealed = envelope.seal(b"payload", context, ring)

    with pytest.raises(Tampered):
        envelope.open_legacy(sealed.data_key[9:], ring)
