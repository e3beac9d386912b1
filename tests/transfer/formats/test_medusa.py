"""transfer.formats.medusa: a tree becomes secrets at its paths."""

import pytest

from service.transfer.formats import medusa
from service.transfer.formats.line import NullLine
from tests.transfer.formats.examples import MEDUSA_JSON, MEDUSA_YAML
from tests.transfer.formats.readings import errors, shorten


@pytest.mark.parametrize("text", [MEDUSA_YAML, MEDUSA_JSON])
def test_reads_a_tree(text: str) -> None:
    """Objects of values are secrets; texts and numbers stay what they are."""
    assert [
        ("app/db", b'{"password":"0123","port":5432,"user":"ada"}'),
        ("app/mail/smtp", b'{"password":"no"}'),
    ] == shorten(medusa.read(text, split=False))
    assert [
        ("app/db/password", b"0123"),
        ("app/db/port", b"5432"),
        ("app/db/user", b"ada"),
        ("app/mail/smtp/password", b"no"),
    ] == shorten(medusa.read(text, split=True))


def test_tells_what_has_nothing_in_it() -> None:
    """A secret that was deleted, and a field without a value."""
    found = list(medusa.read('{"a": {"gone": null, "b": {"x": null, "y": "1"}, "c": {}}}', split=True))

    assert [NullLine(1, "a/gone"), NullLine(2, "a/b/x"), NullLine(3, "a/c")] == [
        line for line in found if isinstance(line, NullLine)
    ]
    assert [1, 2, 2, 3] == [line.number for line in found]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": {"b": "hunter2", "c": {"d": "x"}}}', '"a" has both values and folders'),
        ("a:\n  b: hunter2\n  c:\n    d: x\n", '"a" has both values and folders'),
        ("a:\n  b: no\n", "write it in quotes"),
        ('{"a b": {"c": "hunter2"}}', 'the name "a b" cannot be a path'),
        ('["hunter2"]', "the tree is not an object"),
        ("hunter2", "the tree is not an object"),
    ],
)
def test_refuses_what_it_could_only_guess_at(text: str, says: str) -> None:
    """With the path, and no value."""
    (error,) = errors(medusa.read(text, split=False))

    assert says in error
