"""crypto.canonical: what is authenticated is encoded in one way only, and never like something else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto import canonical

TEXTS = st.dictionaries(st.text(), st.text())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=8,
)


@given(one=TEXTS, other=TEXTS)
def test_two_mappings_never_have_one_encoding(one: dict[str, str], other: dict[str, str]) -> None:
    """The encoding of pairs is injective."""
    assert (one == other) == (canonical.encode(one) == canonical.encode(other))


RECORDS = st.dictionaries(st.sampled_from("ab"), VALUES).map(lambda record: dict(sorted(record.items())))


@given(one=RECORDS, other=RECORDS)
def test_two_records_never_have_one_encoding(one: dict[str, object], other: dict[str, object]) -> None:
    """Text, numbers, flags and None are all different, at any depth."""
    # repr, because to Python 1 is equal to True.
    same = repr(one) == repr(other)
    assert same == (canonical.encode_record(one) == canonical.encode_record(other))


@given(pairs=TEXTS, record=TEXTS)
def test_no_record_is_encoded_like_pairs(pairs: dict[str, str], record: dict[str, object]) -> None:
    """So a tag of one kind is never the tag of the other."""
    assert canonical.encode(pairs)[:1] != canonical.encode_record(record)[:1]


def test_the_encoding_of_records_is_stable() -> None:
    """Stored tags must keep authenticating."""
    at = datetime(2026, 1, 31, 12, 30, 0, 120_000, tzinfo=UTC)
    record = {"path": "ä", "current": 2, "at": at, "key": b"\x00\xff", "labels": (("a", "b"),), "none": None}

    expected = (
        b'{"path":"\\u00e4","current":2,"at":"2026-01-31T12:30:00.120000+00:00","key":"00ff",'
        b'"labels":[["a","b"]],"none":null}'
    )
    assert expected == canonical.encode_record(record)


@pytest.mark.parametrize("value", [{1}, 1.5j, object()], ids=["set", "complex", "object"])
def test_what_has_no_encoding_is_refused(value: object) -> None:
    """Nothing is authenticated by its address or by an arbitrary order."""
    with pytest.raises(TypeError):
        canonical.encode_record({"field": value})
