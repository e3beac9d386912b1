"""transfer.formats.yaml_documents: every value has one meaning, or is refused."""

import pytest
import yaml

from service.strict_json import Number
from service.transfer.formats import yaml_documents
from service.transfer.formats.line import LineError


def scalar(text: str) -> object:
    """Return what a value is read as; there must be no error."""
    (found,) = yaml_documents.read(f"a: {text}\n")
    assert not isinstance(found, LineError), found.text
    assert 1 == found[0]
    return found[1]["a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain text", "plain text"),
        ("p4ssw0rd", "p4ssw0rd"),
        ("1.2.3", "1.2.3"),
        ("0xyz", "0xyz"),
        ("'no'", "no"),
        ('"0123"', "0123"),
        ('"\\u00e9\\n"', "é\n"),
        ("|\n  -----BEGIN KEY-----\n  abc=\n", "-----BEGIN KEY-----\nabc=\n"),
        ("0.1234567890123456789", Number("0.1234567890123456789")),
        ("1.10", Number("1.10")),
        ("5432", Number("5432")),
        ("true", True),
        ("null", None),
        ("[a, 'b']", ["a", "b"]),
    ],
)
def test_reads_what_has_one_meaning(text: str, value: object) -> None:
    """Texts as they are, and the numbers and words of JSON."""
    assert value == scalar(text)


@pytest.mark.parametrize(
    "text",
    [
        *("no", "NO", "off", "Yes", "on", "y", "N", "True", "NULL", "~", ""),
        *("0123", "0o17", "0x1F", "1_000", "1:30:00", "1e5", "81111e1", ".5", "1.", "+1", ".inf"),
        *("2026-01-31", "2026-01-31 12:00:00", "=", "<<"),
    ],
)
def test_refuses_what_readers_disagree_on(text: str) -> None:
    """Under YAML 1.1 and 1.2 these are different things, and a secret is exactly one thing."""
    (error,) = yaml_documents.read(f"first: x\na: {text}\n")

    assert isinstance(error, LineError)
    assert "in quotes" in error.text
    assert "(line 2)" in error.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: !!binary aHVudGVyMg==", "disagree on whether this is a text"),
        ("a: !hunter2 x", "disagree on whether this is a text"),
        ("a: !x {b: c}", "tags are not read"),
        ("a: &x hunter2\nb: *x", "anchors are not read"),
        ("b: *x", "anchors are not read"),
        ("a: hunter2\na: x", "a name occurs twice, `a`: remove one (line 2)"),
        ("no: hunter2", "disagree on whether this is a text"),
        ("1: hunter2", "a name is not a text"),
        ("? [a]\n: hunter2", "a name is not a text"),
        ("<<: {a: hunter2}", "disagree on whether this is a text"),
        ("a: 'hunter2", "not a YAML document"),
        ("a: b: hunter2", "not a YAML document (line 1)"),
        ("a: \x00", "not a YAML document"),
        ("a: " + "[" * 5000, "not a YAML document"),
    ],
)
def test_says_what_is_wrong(text: str, says: str) -> None:
    """It repeats nothing of the content but a plain name."""
    (error,) = yaml_documents.read(text)

    assert isinstance(error, LineError)
    assert says in error.text
    assert "hunter2" not in error.text


def test_reads_several_documents() -> None:
    """Each with the number of its first line; nothing is read after an error."""
    found = list(yaml_documents.read("a: b\n---\n\nc: d\n---\ne: no\n---\nf: g\n"))

    assert [(1, {"a": "b"}), (4, {"c": "d"})] == found[:2]
    assert [6] == [one.number for one in found[2:] if isinstance(one, LineError)]


def test_agrees_with_the_library_on_all_it_takes() -> None:
    """PyYAML's own reading of texts, numbers and words is the same."""
    text = "a: b\nc: [1, 2.5, true, null, 'no']\nd:\n  e: |-\n    x\n    y\n"
    ((_, found),) = yaml_documents.read(text)

    assert yaml.safe_load(text) == found | {"c": [1, 2.5, *found["c"][2:]]}
