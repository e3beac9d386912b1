"""transfer.formats.vault_kv: reads what Vault and OpenBao print."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.transfer.formats import vault_kv
from service.transfer.formats.line import LineError, NullLine, ParsedLine

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda children: st.lists(children) | st.dictionaries(st.text(st.characters(codec="utf-8")), children),
    max_leaves=5,
)


def version_1(data: Any) -> dict[str, Any]:
    """Return what ``vault kv get -format=json`` prints for a secret of KV version 1."""
    return {
        "request_id": "d8a3b1c0-7f0c-4c60-94c5-60f7a1cbd5f6",
        "lease_id": "",
        "lease_duration": 2764800,
        "renewable": False,
        "data": data,
        "warnings": None,
    }


def version_2(data: Any, labels: Any = None) -> dict[str, Any]:
    """Return the same for version 2."""
    metadata = {
        "created_time": "2026-01-31T12:00:00.123456789Z",
        "custom_metadata": labels,
        "deletion_time": "",
        "destroyed": False,
        "version": 3,
    }
    return version_1({"data": data, "metadata": metadata})


def read(*documents: object, split: bool = False) -> list[tuple[str, bytes]]:
    """Return paths and values; there must be no errors."""
    text = "\n".join(json.dumps(document, indent=2) for document in documents)
    found = list(vault_kv.read(text, split=split))
    assert [] == [one for one in found if isinstance(one, LineError)]
    return [
        (one.body["path"], base64.b64decode(one.body["secret"]))
        for one in found
        if isinstance(one, ParsedLine)
    ]


@pytest.mark.parametrize("document", [version_1, version_2])
def test_keeps_the_fields_as_one_object(document: Any) -> None:
    """Sorted and without white space, so that the same fields give the same value in the next import."""
    found = read(document({"user": "ada", "password": "pässwörd", "port": 5432}))

    assert [("", '{"password":"pässwörd","port":5432,"user":"ada"}'.encode())] == found


@pytest.mark.parametrize("document", [version_1, version_2])
def test_splits_the_fields(document: Any) -> None:
    """A text is taken as it is, null as nothing, all else as JSON; below the path of the document, if any."""
    fields = document({"user": "ada", "ports": [1, 2], "none": None})

    assert [("user", b"ada"), ("ports", b"[1,2]")] == read(fields, split=True)
    assert [("app/db/user", b"ada"), ("app/db/ports", b"[1,2]")] == read(
        fields | {"path": "app/db"}, split=True
    )


NUMBERS = (
    '{"data": {"prec": 0.1234567890123456789, "commit": 81111e1, "ver": 1.10, "big": 1e400, "none": null}}'
)


def test_numbers_keep_their_text() -> None:
    """A build number or a version is not a quantity; a null by itself is nothing, and is named."""
    (whole,) = vault_kv.read(NUMBERS, split=False)
    split = list(vault_kv.read(NUMBERS, split=True))

    assert isinstance(whole, ParsedLine)
    assert (
        b'{"big":1e400,"commit":81111e1,"none":null,"prec":0.1234567890123456789,"ver":1.10}'
        == base64.b64decode(whole.body["secret"])
    )
    assert [
        ("prec", b"0.1234567890123456789"),
        ("commit", b"81111e1"),
        ("ver", b"1.10"),
        ("big", b"1e400"),
    ] == [
        (one.body["path"], base64.b64decode(one.body["secret"]))
        for one in split
        if isinstance(one, ParsedLine)
    ]
    assert NullLine(1, "none") == split[-1]


def test_names_a_field_that_cannot_be_a_path() -> None:
    """It is a name of the user's own, so it may be shown, but it must not give commands to a terminal."""
    fields = {"db password": "hunter2", "ok": "w", "\u00e9\x1b[2J": "hunter2", "": "x", "x" * 200 + "/": "y"}
    found = list(vault_kv.read(json.dumps(version_2(fields)), split=True))

    errors = [one.text for one in found if isinstance(one, LineError)]
    assert [
        'the name "db password" cannot be a path, so rename it: a path is segments',
        'the name "\\u00e9\\u001b[2J" cannot be a path, so rename it: a path is segments',
        'the name "" cannot be a path, so rename it: a path is segments',
        f'the name "{"x" * 80}"… cannot be a path, so rename it: a path is segments',
    ] == [text[: text.index("a path is segments") + 18] for text in errors]
    assert 5 == len(found)
    assert "hunter2" not in repr(errors)


def test_takes_several_documents_with_their_paths() -> None:
    """The user adds the path, as the documents do not have it."""
    found = read(version_2({"a": "1"}) | {"path": "x"}, version_1({"b": "2"}) | {"path": "y"})

    assert [("x", b'{"a":"1"}'), ("y", b'{"b":"2"}')] == found


def test_makes_labels_of_custom_metadata() -> None:
    """Of the metadata of version 2, this is what a secret can keep."""
    text = json.dumps(version_2({"a": "1", "b": "2"}, {"env": "prod"}))

    labels = [one.body["labels"] for one in vault_kv.read(text, split=True) if isinstance(one, ParsedLine)]
    (without,) = vault_kv.read(json.dumps(version_2({})), split=False)

    assert [{"env": "prod"}, {"env": "prod"}] == labels
    assert isinstance(without, ParsedLine)
    assert "labels" not in without.body


def test_takes_fields_named_data_and_metadata_as_fields() -> None:
    """In version 1 they are ordinary fields."""
    found = read(version_1({"data": "d", "metadata": {"x": "y"}}))

    assert [("", b'{"data":"d","metadata":{"x":"y"}}')] == found


@given(fields=st.dictionaries(st.text(st.characters(codec="utf-8")), JSON))
def test_loses_nothing_of_any_fields(fields: dict[str, Any]) -> None:
    """Whatever JSON values they have."""
    ((_, value),) = read(version_2(fields))

    assert fields == json.loads(value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"data": {"a": "hunter2"', "not a JSON document"),
        ("hunter2", "not a JSON document"),
        ("[" * 100_000, "not a JSON document"),
        ('["hunter2"]', "looks like a list of names"),
        ('{"errors": ["hunter2"]}', "no `data` object as `vault kv get"),
        ('{"path": ["hunter2"], "data": {}}', "`path` is not a string"),
        (json.dumps(version_2(None)), "deleted or destroyed"),
        (json.dumps(version_1({"a": "hunter2\ud800"})), "a lone surrogate"),
        ('{"data": {"a": NaN}}', "not a JSON document"),
        ('{"data": {"a": "hunter2", "a": "x"}}', "an object has a name twice, `a`, and programs disagree"),
        ('{"data": {"hunter2": "x", "hunter2": "x"}}', "a name twice, one that is not a plain word, and"),
        ('{"data": {"a": "hunter2"}, "metdata": {}}', "an unknown field beside `data`, `metdata`"),
        ('{"data": {"a": "x"}, "hunter2": {}}', "beside `data`, one that is not a plain word"),
        ('{"kind": "ConfigMap", "apiVersion": "v1", "data": {"a": "hunter2"}}', "looks like a Kubernetes C"),
        (
            '{"lease_id": "database/creds/x/1", "data": {"password": "hunter2"}}',
            "looks like a lease of Vault",
        ),
        ('{"wrap_info": {"token": "hunter2"}, "data": null}', "looks like a wrapped response"),
    ],
)
def test_says_what_is_wrong_and_where(text: str, says: str) -> None:
    """It repeats nothing of the content."""
    first, problem = vault_kv.read('{"data": {}}\n\n' + text, split=False)

    assert isinstance(first, ParsedLine)
    assert isinstance(problem, LineError)
    assert 3 == problem.number
    assert says in problem.text
    assert "hunter2" not in problem.text


def test_continues_after_an_invalid_document() -> None:
    """So that all errors are reported at once."""
    found = list(vault_kv.read('{"data": null}\n{"data": {}}\n{"data": 1}', split=False))

    assert [(1, LineError), (2, ParsedLine), (3, LineError)] == [(one.number, type(one)) for one in found]
