"""transfer.kv: what Vault and OpenBao print, with all that can be kept of it."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.transfer.formats import vault_kv
from service.transfer.formats.line import LineError, ParsedLine

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda children: st.lists(children) | st.dictionaries(st.text(st.characters(codec="utf-8")), children),
    max_leaves=5,
)


def version_1(data: Any) -> dict[str, Any]:
    """Return what `vault kv get -format=json` prints of a secret of version 1 of the engine."""
    return {
        "request_id": "d8a3b1c0-7f0c-4c60-94c5-60f7a1cbd5f6",
        "lease_id": "",
        "lease_duration": 2764800,
        "renewable": False,
        "data": data,
        "warnings": None,
    }


def version_2(data: Any, labels: Any = None) -> dict[str, Any]:
    """Return the same of version 2."""
    metadata = {
        "created_time": "2026-01-31T12:00:00.123456789Z",
        "custom_metadata": labels,
        "deletion_time": "",
        "destroyed": False,
        "version": 3,
    }
    return version_1({"data": data, "metadata": metadata})


def read(*documents: object, split: bool = False) -> list[tuple[str, bytes]]:
    """Return paths and values, where there is no problem."""
    found = list(
        vault_kv.read("\n".join(json.dumps(document, indent=2) for document in documents), split=split)
    )
    assert [] == [one for one in found if isinstance(one, LineError)]
    return [
        (one.body["path"], base64.b64decode(one.body["secret"]))
        for one in found
        if isinstance(one, ParsedLine)
    ]


@pytest.mark.parametrize("document", [version_1, version_2])
def test_keeps_the_fields_as_one_object(document: Any) -> None:
    """Sorted and without white space, so that the same fields are the same value at the next import."""
    found = read(document({"user": "ada", "password": "pässwörd", "port": 5432}))

    assert [("", '{"password":"pässwörd","port":5432,"user":"ada"}'.encode())] == found


@pytest.mark.parametrize("document", [version_1, version_2])
def test_splits_the_fields(document: Any) -> None:
    """A text is taken as it is, anything else as JSON; below the path of the document, if it has one."""
    fields = document({"user": "ada", "ports": [1, 2]})

    assert [("user", b"ada"), ("ports", b"[1,2]")] == read(fields, split=True)
    assert [("app/db/user", b"ada"), ("app/db/ports", b"[1,2]")] == read(
        fields | {"path": "app/db"}, split=True
    )


def test_takes_several_documents_with_their_paths() -> None:
    """Whoever collects them adds the path, as no document has it."""
    found = read(version_2({"a": "1"}) | {"path": "x"}, version_1({"b": "2"}) | {"path": "y"})

    assert [("x", b'{"a":"1"}'), ("y", b'{"b":"2"}')] == found


def test_makes_labels_of_custom_metadata() -> None:
    """They are what version 2 has that a secret can keep."""
    text = json.dumps(version_2({"a": "1", "b": "2"}, {"env": "prod"}))

    labels = [one.body["labels"] for one in vault_kv.read(text, split=True) if isinstance(one, ParsedLine)]
    (without,) = vault_kv.read(json.dumps(version_2({})), split=False)

    assert [{"env": "prod"}, {"env": "prod"}] == labels
    assert isinstance(without, ParsedLine)
    assert "labels" not in without.body


def test_takes_fields_of_the_names_data_and_metadata_for_what_they_are() -> None:
    """In version 1 they are fields as all others."""
    found = read(version_1({"data": "d", "metadata": {"x": "y"}}))

    assert [("", b'{"data":"d","metadata":{"x":"y"}}')] == found


@given(fields=st.dictionaries(st.text(st.characters(codec="utf-8")), JSON))
def test_loses_nothing_of_any_fields(fields: dict[str, Any]) -> None:
    """Whatever JSON they are."""
    ((_, value),) = read(version_2(fields))

    assert fields == json.loads(value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"data": {"a": "hunter2"', "no JSON document"),
        ("hunter2", "no JSON document"),
        ("[" * 100_000, "no JSON document"),
        ('["hunter2"]', "no data as `vault kv get"),
        ('{"errors": ["hunter2"]}', "no data as `vault kv get"),
        ('{"path": ["hunter2"], "data": {}}', "path is no text"),
        (json.dumps(version_2(None)), "deleted or destroyed"),
        (json.dumps(version_1({"a": "hunter2\ud800"})), "cannot be written down"),
        ('{"data": {"a": 1e999}}', "cannot be written down"),
    ],
)
def test_says_what_is_wrong_and_where(text: str, says: str) -> None:
    """And repeats nothing of it."""
    first, problem = vault_kv.read('{"data": {}}\n\n' + text, split=False)

    assert isinstance(first, ParsedLine)
    assert isinstance(problem, LineError)
    assert 3 == problem.number
    assert says in problem.text
    assert "hunter2" not in problem.text


def test_goes_on_behind_a_document_that_cannot_be_used() -> None:
    """So that all of them are told at once."""
    found = list(vault_kv.read('{"data": null}\n{"data": {}}\n{"data": 1}', split=False))

    assert [(1, LineError), (2, ParsedLine), (3, LineError)] == [(one.number, type(one)) for one in found]
