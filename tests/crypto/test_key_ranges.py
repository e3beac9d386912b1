"""crypto.key_ranges: every value under a key lies in a range of that key, and no other value does."""

from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import aead, key_ranges, mac
from service.crypto.context import Context
from service.models import ByteRange
from tests.conftest import make_ring

CONTEXT = Context("3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1", 1)
KEY_ID = bytes(range(8))
keys = st.binary(min_size=32, max_size=32)


def contains(byte_range: ByteRange, value: bytes) -> bool:
    """Compare as MongoDB does: the length first."""
    return len(value) == len(byte_range.lowest) and byte_range.lowest <= value <= byte_range.highest


@given(one=keys, other=keys, data_key=keys)
def test_a_wrap_and_a_tag_lie_in_the_ranges_of_their_own_key(
    one: bytes, other: bytes, data_key: bytes
) -> None:
    """They lie in the ranges of another key only if the keys are equal."""
    ring = make_ring(one)
    own, others = (key_ranges.for_key(aead.key_id_of(key).hex()) for key in (one, other))
    wrapped, tag = ring.wrap(data_key, CONTEXT), ring.tag(b"{}")

    assert contains(own.data_keys, wrapped)
    assert contains(own.tags, tag)
    assert (one == other) == contains(others.data_keys, wrapped) == contains(others.tags, tag)
    assert not contains(own.tags, wrapped)
    assert not contains(own.data_keys, tag)


@pytest.mark.parametrize("number", [*aead.FORMATS, *mac.FORMATS])
def test_every_format_has_one_range(number: int) -> None:
    """A format without a range of its own would stay under the old master key after a rewrap, unnoticed.

    If this fails because you added a format: the comment at ``aead.FORMATS`` lists what it needs.
    """
    prefix = bytes([number]) + KEY_ID
    lowest_highest = astuple(key_ranges.for_key(KEY_ID.hex()))

    assert 1 == sum(
        lowest.startswith(prefix) and highest.startswith(prefix) for lowest, highest in lowest_highest
    )
