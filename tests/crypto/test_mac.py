"""crypto.mac: a tag detects every change to fields stored in the clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import aead, mac
from service.crypto.canonical import encode
from service.crypto.keyring import KeyRing, MasterKeys
from service.errors import Tampered, UnknownKey
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring

FIELDS = {
    "purpose": "secret",
    "secret_id": "3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1",
    "path": "team/app",
    "owner": "",
}

CONTENT = b'{"path":"team/app","purpose":"secret","versions":[]}'

# Made with Python's hmac, independently of this package:
#   derived = HMAC-SHA256(key, "secret-manager record authentication"), in format 3
#             HMAC-SHA256(key, "secret-manager whole record authentication")
#   tag = format ‖ HMAC-SHA256(key, "secret-manager key id")[:8] ‖ HMAC-SHA256(derived, content)
ANOTHER_KEY = bytes(range(32, 64))
VECTORS = [
    (
        MASTER_KEY,
        encode({}),
        "02dd092ca655e3bce17db5ca61375cfaee53bea7deb5911e553f7196c79ce4adb90f6280ca4a83d33e",
    ),
    (
        MASTER_KEY,
        encode(FIELDS),
        "02dd092ca655e3bce176a71875635a6ed1f4b37617ac8019ef79c550dba0bc4e672543470ec7a0d135",
    ),
    (
        ANOTHER_KEY,
        encode(FIELDS),
        "02c601d5ef1523e3b22657d287ee275d9bfd613bd1207e5035345d6d94fff1cc2803d9717b67e66036",
    ),
    (
        MASTER_KEY,
        CONTENT,
        "03dd092ca655e3bce1358e27b0d90fb142d7a5350d9221f6d3b7f03e7fc322d558a75d8be7cf0c2ada",
    ),
    (
        ANOTHER_KEY,
        CONTENT,
        "03c601d5ef1523e3b256ff5c456ada248706bb0a30753259f4a4d21c9baa74be72977f0f762cd9e48b",
    ),
]


@pytest.mark.parametrize(("key", "content", "tag"), VECTORS)
def test_the_format_is_stable(key: bytes, content: bytes, tag: str) -> None:
    """Stored tags must keep authenticating; new ones are whole."""
    mac.verify(key, bytes.fromhex(tag), content)
    if not mac.is_partial(bytes.fromhex(tag)):
        assert tag == mac.tag(key, content).hex()


@pytest.mark.parametrize("place", range(41))
def test_detects_every_altered_byte(place: int) -> None:
    """In the format, the key id or the HMAC."""
    altered = bytearray(mac.tag(MASTER_KEY, CONTENT))
    altered[place] ^= 1

    with pytest.raises((Tampered, UnknownKey)):
        make_ring(MASTER_KEY).verify(bytes(altered), CONTENT)


@given(one=st.binary(), other=st.binary())
def test_two_contents_never_have_one_tag(one: bytes, other: bytes) -> None:
    """Only the content itself verifies."""
    assert (one == other) == (mac.tag(MASTER_KEY, one) == mac.tag(MASTER_KEY, other))


@pytest.mark.parametrize(
    "tag", [b"", b"\x02", bytes(41), b"\x01" + bytes(40), b"\x04" + bytes(40), b"\x02" + bytes(41)], ids=repr
)
def test_refuses_a_malformed_tag(tag: bytes) -> None:
    """Too short, too long, another format."""
    with pytest.raises(Tampered, match="not a tag"):
        make_ring(MASTER_KEY).verify(tag, CONTENT)


def test_shares_no_format_byte_with_sealed_values() -> None:
    """The format byte alone distinguishes a tag from a sealed value."""
    assert not set(mac.FORMATS) & set(aead.FORMATS)


def test_an_older_key_of_the_ring_still_verifies() -> None:
    """After a change of the primary, old tags verify and new tags are made under the new key."""
    ring = make_ring(OTHER_MASTER_KEY, MASTER_KEY)

    ring.verify(mac.tag(MASTER_KEY, CONTENT), CONTENT)
    assert aead.key_id_of(OTHER_MASTER_KEY) == mac.key_id(ring.tag(CONTENT))


def test_names_both_sides_when_the_key_is_unknown() -> None:
    """A missing key is not reported as an altered record."""
    with pytest.raises(UnknownKey, match=aead.key_id_of(MASTER_KEY).hex()):
        make_ring(OTHER_MASTER_KEY).verify(mac.tag(MASTER_KEY, CONTENT), CONTENT)


def test_finds_a_key_that_was_added_since() -> None:
    """No restart is needed, as for data keys."""
    loads = [MasterKeys(MASTER_KEY, (MASTER_KEY,)), MasterKeys(MASTER_KEY, (MASTER_KEY, OTHER_MASTER_KEY))]
    ring = KeyRing(lambda: loads.pop(0), lambda _key_id: None)

    ring.verify(mac.tag(OTHER_MASTER_KEY, CONTENT), CONTENT)
    assert [] == loads


def test_refuses_a_tag_whose_key_id_names_another_key_of_the_ring() -> None:
    """The tag does not authenticate under that key."""
    tag = bytearray(mac.tag(MASTER_KEY, CONTENT))
    tag[1:9] = aead.key_id_of(OTHER_MASTER_KEY)

    with pytest.raises(Tampered):
        make_ring(MASTER_KEY, OTHER_MASTER_KEY).verify(bytes(tag), CONTENT)
