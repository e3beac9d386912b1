"""transfer.formats: a file is read as what it is, and not as what it could be taken for."""

import pytest

from service.errors import ImportFormatError
from service.transfer.formats import detect
from service.transfer.formats.detect import Format
from service.transfer.formats.line import LineError, ParsedLine


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ('{"path": "a", "secret": "aGk="}\n', Format.JSON_LINES),
        ('\n {"path": "a"\n', Format.JSON_LINES),
        ('{"path": "a", "data": "no object"}\n', Format.JSON_LINES),
        ("", Format.JSON_LINES),
        ('{\n  "request_id": "x",\n  "data": {"a": "b"}\n}\n{"data": {}}', Format.KV),
        ("# comment\n\nexport A=b\n", Format.DOTENV),
        ("A={}\n", Format.DOTENV),
    ],
)
def test_recognises_a_format_by_its_beginning(content: str, written: Format) -> None:
    """The first thing that it says is enough."""
    assert written == detect.detect(content)


@pytest.mark.parametrize("content", ["hunter2", "[1]", "- a: b\n", "# nothing else"])
def test_says_when_it_cannot_tell(content: str) -> None:
    """And which formats there are, and nothing of the content."""
    with pytest.raises(
        ImportFormatError, match="say with --format what it is, one of jsonl, env, kv"
    ) as error:
        detect.detect(content)

    assert "hunter2" not in str(error.value)


def test_takes_utf8_only() -> None:
    """With a byte order mark or without."""
    assert "ä" == detect.text("ä".encode()) == detect.text("ä".encode("utf-8-sig"))
    with pytest.raises(ImportFormatError, match="no UTF-8 text"):
        detect.text(b"\xff\xfeA\0")


def test_reads_lines_of_json() -> None:
    """Blank ones aside; one that is no object is a problem, and the others are read."""
    found = detect.read(
        '{"path": "a\u2028b"}\n\n["hunter2"]\n{"path": \n{"path": "c"}', Format.JSON_LINES, split=False
    )

    assert [1, 3, 4, 5] == [one.number for one in found]
    assert [ParsedLine, LineError, LineError, ParsedLine] == [type(one) for one in found]
    assert "hunter2" not in repr(found)


def test_reads_each_format_with_its_own_reader() -> None:
    """Whatever the text looks like."""
    (env,) = detect.read("A=b", Format.DOTENV, split=False)
    (one,) = detect.read('{"data": {"a": 1, "b": 2}}', Format.KV, split=False)

    assert isinstance(env, ParsedLine)
    assert {"path": "A", "secret": "Yg=="} == env.body
    assert isinstance(one, ParsedLine)
    assert 2 == len(detect.read('{"data": {"a": 1, "b": 2}}', Format.KV, split=True))
