"""crypto.mac: a tag detects every change to fields stored in the clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import aead, mac
from service.crypto.keyring import KeyRing, MasterKeys
from service.errors import Tampered, UnknownKey
from tests.conftest import MASTER_KEY, OTHER_MASTER_KEY, make_ring

FIELDS = {
    "purpose": "secret",
    "secret_id": "3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1",
    "path": "team/app",
    "owner": "",
}

# Made with Python's hmac, independently of this package:
#   derived = HMAC-SHA256(key, "secret-manager record authentication")
#   tag = 02 ‖ HMAC-SHA256(key, "secret-manager key id")[:8] ‖ HMAC-SHA256(derived, encoding)
VECTORS = [
    (MASTER_KEY, {}, "02dd092ca655e3bce17db5ca61375cfaee53bea7deb5911e553f7196c79ce4adb90f6280ca4a83d33e"),
    (
        MASTER_KEY,
        FIELDS,
        "02dd092ca655e3bce176a71875635a6ed1f4b37617ac8019ef79c550dba0bc4e672543470ec7a0d135",
    ),
    (
        OTHER_MASTER_KEY,
        FIELDS,
        "02c601d5ef1523e3b22657d287ee275d9bfd613bd1207e5035345d6d94fff1cc2803d9717b67e66036",
    ),
]


@pytest.mark.parametrize(("key", "fields", "tag"), VECTORS)
def test_the_format_is_stable(key: bytes, fields: dict[str, str], tag: str) -> None:
    """Stored tags must keep authenticating."""
    assert tag == mac.tag(key, fields).hex()
    mac.verify(key, bytes.fromhex(tag), fields)


@pytest.mark.parametrize("place", range(41))
def test_detects_every_altered_byte(place: int) -> None:
    """In the format, the key id or the HMAC."""
    altered = bytearray(mac.tag(MASTER_KEY, FIELDS))
    altered[place] ^= 1

    with pytest.raises((Tampered, UnknownKey)):
        make_ring(MASTER_KEY).verify(bytes(altered), FIELDS)


@pytest.mark.parametrize(
    "altered",
    [
        FIELDS | {"path": "team/apple"},
        FIELDS | {"purpose": "token"},
        FIELDS | {"more": ""},
        {name: value for name, value in FIELDS.items() if name != "owner"},
        FIELDS | {"path": "", "owner": "team/app"},
        {},
    ],
    ids=str,
)
def test_detects_every_altered_field(altered: dict[str, str]) -> None:
    """A changed value, an added or removed field, exchanged values."""
    with pytest.raises(Tampered):
        mac.verify(MASTER_KEY, mac.tag(MASTER_KEY, FIELDS), altered)


@given(one=st.dictionaries(st.text(), st.text()), other=st.dictionaries(st.text(), st.text()))
def test_two_records_never_have_one_tag(one: dict[str, str], other: dict[str, str]) -> None:
    """The encoding of the fields is injective."""
    assert (one == other) == (mac.tag(MASTER_KEY, one) == mac.tag(MASTER_KEY, other))


@pytest.mark.parametrize("tag", [b"", b"\x02", bytes(41), b"\x01" + bytes(40), b"\x02" + bytes(41)], ids=repr)
def test_refuses_a_malformed_tag(tag: bytes) -> None:
    """Too short, too long, another format."""
    with pytest.raises(Tampered, match="not a tag"):
        make_ring(MASTER_KEY).verify(tag, FIELDS)


def test_shares_no_format_byte_with_sealed_values() -> None:
    """The format byte alone distinguishes a tag from a sealed value."""
    assert mac.HMAC_SHA256 not in aead.FORMATS


def test_an_older_key_of_the_ring_still_verifies() -> None:
    """After a change of the primary, old tags verify and new tags are made under the new key."""
    ring = make_ring(OTHER_MASTER_KEY, MASTER_KEY)

    ring.verify(mac.tag(MASTER_KEY, FIELDS), FIELDS)
    assert aead.key_id_of(OTHER_MASTER_KEY) == mac.key_id(ring.tag(FIELDS))


def test_names_both_sides_when_the_key_is_unknown() -> None:
    """A missing key is not reported as an altered record."""
    with pytest.raises(UnknownKey, match=aead.key_id_of(MASTER_KEY).hex()):
        make_ring(OTHER_MASTER_KEY).verify(mac.tag(MASTER_KEY, FIELDS), FIELDS)


def test_finds_a_key_that_was_added_since() -> None:
    """No restart is needed, as for data keys."""
    loads = [MasterKeys(MASTER_KEY, (MASTER_KEY,)), MasterKeys(MASTER_KEY, (MASTER_KEY, OTHER_MASTER_KEY))]
    ring = KeyRing(lambda: loads.pop(0), lambda _key_id: None)

    ring.verify(mac.tag(OTHER_MASTER_KEY, FIELDS), FIELDS)
    assert [] == loads


def test_refuses_a_tag_whose_key_id_names_another_key_of_the_ring() -> None:
    """The tag does not authenticate under that key."""
    tag = bytearray(mac.tag(MASTER_KEY, FIELDS))
    tag[1:9] = aead.key_id_of(OTHER_MASTER_KEY)

    with pytest.raises(Tampered):
        make_ring(MASTER_KEY, OTHER_MASTER_KEY).verify(bytes(tag), FIELDS)
