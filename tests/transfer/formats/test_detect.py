"""transfer.formats.detect: the format of a file is recognized, or named with --format."""

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
        ('{"secret": "", "sercet": ""}\n', Format.JSON_LINES),
        ("", Format.JSON_LINES),
        ('{\n  "request_id": "x",\n  "data": {"a": "b"}\n}\n{"data": {}}', Format.KV),
        ("# comment\n\nexport A=b\n", Format.DOTENV),
        ("A={}\n", Format.DOTENV),
        ("# comment\r2A=b\r", Format.DOTENV),
    ],
)
def test_recognises_a_format_by_its_beginning(content: str, written: Format) -> None:
    """The first entry is enough."""
    assert written == detect.detect(content)


@pytest.mark.parametrize("content", ["hunter2", "# nothing else"])
def test_refuses_an_unknown_format(content: str) -> None:
    """The message has the possible formats, and nothing of the content."""
    with pytest.raises(ImportFormatError, match="name it with --format, one of jsonl, env, kv, ") as error:
        detect.detect(content)

    assert "hunter2" not in str(error.value)


def test_takes_utf8_only() -> None:
    """With or without a byte order mark."""
    assert "ä" == detect.text("ä".encode()) == detect.text("ä".encode("utf-8-sig"))
    with pytest.raises(ImportFormatError, match="neither UTF-8 text nor"):
        detect.text(b"\xff\xfeA\0")


def test_reads_lines_of_json() -> None:
    """Blank lines are skipped; a line that is not an object is an error, and the others are read."""
    text = '{"path": "a\u2028b"}\n\n["hunter2"]\n{"path": \n{"path": "c"}'
    found = detect.read(text, Format.JSON_LINES, split=False, values_only=False)

    assert [1, 3, 4, 5] == [one.number for one in found]
    assert [ParsedLine, LineError, LineError, ParsedLine] == [type(one) for one in found]
    assert "hunter2" not in repr(found)


def test_reads_each_format_with_its_own_reader() -> None:
    """Whatever the text looks like."""
    (env,) = detect.read("A=b", Format.DOTENV, split=False, values_only=False)
    (one,) = detect.read('{"data": {"a": 1, "b": 2}}', Format.KV, split=False, values_only=False)

    assert isinstance(env, ParsedLine)
    assert {"path": "A", "secret": "Yg=="} == env.body
    assert isinstance(one, ParsedLine)
    assert 2 == len(detect.read('{"data": {"a": 1, "b": 2}}', Format.KV, split=True, values_only=False))
