"""crypto.context: different contexts never have the same encoding."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.crypto.canonical import encode
from service.crypto.context import Context

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["context"]
pairs = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4)


@given(one=pairs, other=pairs)
def test_is_injective(one: dict[str, str], other: dict[str, str]) -> None:
    """Equal encodings mean equal pairs."""
    assert (one == other) == (encode(one) == encode(other))


def test_moving_a_boundary_changes_the_encoding() -> None:
    """Lengths keep ``ab`` + ``c`` apart from ``a`` + ``bc``."""
    assert encode({"ab": "c"}) != encode({"a": "bc"})


def test_does_not_depend_on_the_order_of_the_pairs() -> None:
    """The encoding is canonical."""
    assert encode({"a": "1", "b": "2"}) == encode({"b": "2", "a": "1"})


@given(version=st.integers(1, 2**31), other=st.integers(1, 2**31))
def test_distinguishes_purposes_versions_and_keys(version: int, other: int) -> None:
    """The encodings of payload and wrap differ, and so do those of two versions or two keys."""
    context = Context("id", version)

    assert context.for_payload() != context.for_data_key(b"\0" * 8)
    assert context.for_data_key(b"\1" * 8) != context.for_data_key(b"\0" * 8)
    assert (version == other) == (context.for_payload() == Context("id", other).for_payload())


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_encodes_as_earlier_releases_did(vector: dict[str, str]) -> None:
    """If the associated data changed, no stored value could be decrypted."""
    context = Context(vector["secret_id"], int(vector["version"]))

    assert vector["payload"] == context.for_payload().hex()
    assert vector["data_key"] == context.for_data_key(bytes.fromhex(vector["key_id"])).hex()
