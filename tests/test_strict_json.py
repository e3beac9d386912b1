"""strict_json: names occur once, and numbers keep their text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import strict_json
from service.strict_json import Number, RepeatedName

TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = ("0.1234567890123456789", "81111e1", "1.10", "1e400", "-0", "12345678901234567890123")
JSON = st.recursive(
    st.none() | st.booleans() | TEXT | st.sampled_from(NUMBERS).map(Number),
    lambda children: st.lists(children) | st.dictionaries(TEXT, children),
    max_leaves=8,
)


@given(value=JSON)
def test_reads_back_what_it_wrote(value: object) -> None:
    """Any document, with the text of its numbers."""
    text = strict_json.write(value)

    assert (value, len(text)) == strict_json.read(text, 0)
    json.loads(text)


def test_writes_in_one_way() -> None:
    """Sorted, without white space and with letters as they are, so that equal documents are equal bytes."""
    document, _ = strict_json.read('{ "b": [1.10, null, true],\n "a": {"é": "\\n"} }', 0)

    assert '{"a":{"é":"\\n"},"b":[1.10,null,true]}' == strict_json.write(document)


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 1}', '{"b": [{"a": 1, "c": 2, "a": 3}]}', '{"a": 1, "\\u0061": 2}']
)
def test_refuses_a_name_twice(text: str) -> None:
    """At any depth, and however the name is written."""
    with pytest.raises(RepeatedName) as refused:
        strict_json.loads(text)
    with pytest.raises(RepeatedName):
        strict_json.read(text, 0)

    assert "a" == refused.value.name


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_reads_only_numbers_of_json(text: str) -> None:
    """JSON has neither NaN nor Infinity."""
    with pytest.raises(ValueError, match="not JSON"):
        strict_json.read(text, 0)


@given(value=JSON)
def test_loads_what_the_standard_library_loads(value: object) -> None:
    """With numbers of Python's, from bytes in each of JSON's encodings."""
    text = strict_json.write(value)

    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert json.loads(text) == strict_json.loads(text.encode(encoding))


def test_quotes_only_plain_words() -> None:
    """Anything else in the place of a name may be a value."""
    assert "`lables`" == strict_json.describe_name("lables")
    for name in ("hunter2", "a b", "é", "", "x" * 41, "\x1b[2J", "a\n"):
        assert "one that is not a plain word" == strict_json.describe_name(name)
