"""transfer.formats.jsonlines: what was written is read back unchanged."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.api.secrets.requests import create_request
from service.models import now
from service.secrets.create import CreateSecret
from service.secrets.options import SecretOptions
from service.transfer.formats import jsonlines
from service.transfer.formats.line import LineError, ParsedLine

TEXT = st.characters(codec="utf-8")
MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "labels": st.dictionaries(st.text(TEXT, min_size=1, max_size=128), st.text(TEXT), max_size=5),
        "expires_at": MOMENTS,
        "version_expires_at": MOMENTS,
        "max_versions": st.integers(1, 100),
        "cas_required": st.just(True),
        "delete_version_after": st.integers(1, 10_000),
    },
)


@given(value=st.binary(), options=SETTINGS)
def test_reads_what_it_wrote(value: bytes, options: SecretOptions) -> None:
    """Any value with any settings, as the body of ``create``."""
    secret = CreateSecret(value, "team/app/x", options)
    (line,) = jsonlines.read(jsonlines.write(secret).decode())

    assert isinstance(line, ParsedLine)
    assert secret == create_request(line.body)


def test_writes_one_line_per_secret() -> None:
    """With the fields in the order that people expect."""
    end = now().replace(microsecond=0) + timedelta(days=1)
    written = jsonlines.write(CreateSecret(b"hello", "a", {"labels": {"x": "\n"}, "expires_at": end}))

    expected = (
        f'{{"path": "a", "secret": "aGVsbG8=", "labels": {{"x": "\\n"}}, "expires_at": "{end.isoformat()}"}}'
    )
    assert f"{expected}\n" == written.decode()


def test_an_object_over_several_lines_is_one_error() -> None:
    """The lines that are well formed are read nevertheless."""
    body = {"path": "a", "secret": "aGVsbG8="}
    text = "\n".join([json.dumps(body), json.dumps(body, indent=2), json.dumps(body)])

    first, error, last = jsonlines.read(text)

    assert [ParsedLine, 2, ParsedLine] == [type(first), error.number, type(last)]
    assert (
        LineError(2, "one object over 4 lines: write each object on a line of its own, with jq -c .") == error
    )
    assert 6 == last.number


def test_a_malformed_object_over_several_lines_is_one_error() -> None:
    """The error says in which line it is."""
    (error,) = jsonlines.read('{\n  "path": "a",\n  "secret" "hunter2",\n  "labels": {}\n}\n')

    assert LineError(1, "not a JSON object (line 3); the rest of the file was not read") == error


def test_refuses_a_name_twice() -> None:
    """One of the two values would be lost."""
    (error,) = jsonlines.read('{"path": "a", "secret": "aGVsbG8=", "path": "b"}')

    assert isinstance(error, LineError)
    assert "an object has a name twice, `path`, and programs disagree" in error.text
