"""transfer.formats: Infisical, Doppler and Bitwarden, whose exports have an entry for each secret."""

import json

import pytest

from service.transfer.formats import detect
from service.transfer.formats.detect import Format
from tests.transfer.formats import examples
from tests.transfer.formats.examples import bitwarden, infisical
from tests.transfer.formats.readings import errors, read

PASSWORD = ("DB_PASSWORD", b"it's")


@pytest.mark.parametrize(
    ("text", "written", "expected"),
    [
        (examples.INFISICAL, Format.INFISICAL, [("DB_USER", b"ada"), ("app/db/DB_PASSWORD", b"it's")]),
        (examples.DOPPLER_LISTED, Format.DOPPLER, [PASSWORD, ("DOPPLER_PROJECT", b"app")]),
        (examples.BITWARDEN, Format.BITWARDEN, [("DB_USER", b"ada"), PASSWORD]),
        (json.dumps(bitwarden("DB_PASSWORD", "it's")), Format.BITWARDEN, [PASSWORD]),
        (examples.BITWARDEN_EXPORT, Format.BITWARDEN, [PASSWORD]),
        ('{"projects": [], "secrets": []}', Format.BITWARDEN, []),
    ],
)
def test_reads_an_export(text: str, written: Format, expected: list[tuple[str, bytes]]) -> None:
    """It is recognised by its fields, and the values are what they were."""
    assert written == detect.detect(text)
    assert expected == read(text)


def test_reads_what_doppler_downloads() -> None:
    """A flat map, recognised by the names that Doppler adds."""
    assert PASSWORD == read(examples.DOPPLER)[0]
    assert 4 == len(read(examples.DOPPLER))


def test_numbers_count_the_entries() -> None:
    """All of them may be on one line."""
    found = detect.read(examples.INFISICAL, Format.INFISICAL, split=False, values_only=False)

    assert ([1, 2], "entry", "line") == (
        [line.number for line in found],
        Format.INFISICAL.unit,
        Format.KV.unit,
    )


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([infisical("A", "x", comment="hunter2")]),
        json.dumps([infisical("A", "x", tags=[{"slug": "hunter2"}])]),
        json.dumps({"A": {"computed": "x", "note": "hunter2"}}),
        json.dumps([bitwarden("A", "x", note="hunter2")]),
    ],
)
def test_what_would_be_lost_must_be_left_out_on_purpose(text: str) -> None:
    """A note may be a secret as well, and labels are not encrypted."""
    written = detect.detect(text)
    (error,) = errors(detect.read(text, written, split=False, values_only=False))

    assert error.startswith("A: its ")
    assert "--values-only" in error
    assert [("A", b"x")] == read(text, values_only=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (json.dumps([infisical("A", "hunter2", type="personal")]), "A: it overrides a shared secret"),
        (json.dumps([infisical("A", "<hidden-by-infisical>")]), "A: Infisical hid its value"),
        (json.dumps([infisical("a b", "hunter2")]), 'the name "a b" cannot be a path'),
        (json.dumps([infisical("A", None) | {"value": 5}]), "its value is not a text"),
        (json.dumps([infisical("A", "x") | {"key": 1}]), "its name is not a text"),
        (json.dumps({"A": {"computed": None, "note": ""}}), "A: Doppler restricts it"),
        (
            json.dumps([bitwarden("A", "hunter2"), bitwarden("A", "x", projectId=None)]),
            "A: the secrets are of several projects",
        ),
        (json.dumps([bitwarden("A", "hunter2")]) + "{", "not a JSON document"),
        (json.dumps([bitwarden("A", "x")]) + '[{"hunter2": 1}]', "this is not such an export"),
    ],
)
def test_says_what_cannot_be_imported(text: str, says: str) -> None:
    """With the name, and no value."""
    found = errors(detect.read(text, detect.detect(text), split=False, values_only=True))

    assert says in found[-1]


def test_a_null_is_nothing() -> None:
    """Infisical has it where a secret was never given a value."""
    assert [("A", None)] == read(json.dumps([infisical("A", None)]))
