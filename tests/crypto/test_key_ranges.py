"""crypto.spans: everything under one key lies in its span, and nothing else does."""

from hypothesis import given
from hypothesis import strategies as st

from service.crypto import aead, key_ranges
from service.crypto.context import Context
from service.models import ByteRange
from tests.conftest import make_ring

CONTEXT = Context("3f0f7b52-7a3c-4b52-9a53-0a7d4bb2f7b1", 1)
keys = st.binary(min_size=32, max_size=32)


def holds(span: ByteRange, value: bytes) -> bool:
    """Compare as MongoDB does: the length first."""
    return len(value) == len(span.lowest) and span.lowest <= value <= span.highest


@given(one=keys, other=keys, data_key=keys)
def test_a_wrap_and_a_tag_lie_in_the_spans_of_their_own_key(
    one: bytes, other: bytes, data_key: bytes
) -> None:
    """And in those of another key only where that is the same."""
    ring = make_ring(one)
    own, others = (key_ranges.for_key(aead.key_id_of(key).hex()) for key in (one, other))
    wrapped, tag = ring.wrap(data_key, CONTEXT), ring.tag({"name": "value"})

    assert holds(own.data_keys, wrapped)
    assert holds(own.tags, tag)
    assert (one == other) == holds(others.data_keys, wrapped) == holds(others.tags, tag)
    assert not holds(own.tags, wrapped)
    assert not holds(own.data_keys, tag)
