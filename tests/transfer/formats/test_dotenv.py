"""transfer.formats.dotenv: what programs read in the same way is read, anything else is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.transfer.formats import dotenv
from service.transfer.formats.line import LineError, ParsedLine

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)


def values(text: str) -> dict[str, str]:
    """Return the values by name; there must be no errors."""
    found = list(dotenv.read(text))
    assert [] == [one for one in found if isinstance(one, LineError)]
    return {
        one.body["path"]: base64.b64decode(one.body["secret"]).decode()
        for one in found
        if isinstance(one, ParsedLine)
    }


def problems(text: str) -> dict[int, str]:
    """Return the errors by line number."""
    return {one.number: one.text for one in dotenv.read(text) if isinstance(one, LineError)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=plain", "plain"),
        ("A=", ""),
        ("A=''", ""),
        ('A=""', ""),
        ("export A=exported", "exported"),
        ("  A = spaces around  ", "spaces around"),
        ("A=with # a comment", "with"),
        ("A=with#none", "with#none"),
        ("A='single # $NAME \"quoted\"' # a comment", 'single # $NAME "quoted"'),
        ("A='a backslash \\n as it is'", "a backslash \\n as it is"),
        ('A="a \\"quote\\", a \\\\, and \\n\\r\\t"', 'a "quote", a \\, and \n\r\t'),
        ("A='two\nlines'", "two\nlines"),
        ('A="two\nlines"', "two\nlines"),
        ("A=url?a=b&c=d", "url?a=b&c=d"),
        ("A=in'the\"middle", "in'the\"middle"),
        ("A=c:\\temp\\new", "c:\\temp\\new"),
        ("A=pässwörd", "pässwörd"),
        ("\n# a comment\n\nA=after\r\n", "after"),
    ],
)
def test_reads_what_programs_read_alike(text: str, value: str) -> None:
    """As python-dotenv and Docker Compose do."""
    assert {"A": value} == values(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A", "a name, an equals sign and a value"),
        ("1A=x", "a name, an equals sign and a value"),
        ("A B=x", "a name, an equals sign and a value"),
        ("A=pa$word", "dollar sign"),
        ('A="${OTHER}"', "dollar sign"),
        ("A=#x", "whether this is a comment"),
        ("A='it\\'s'", "backslashes in single quotes"),
        ("A='a\\\\b'", "backslashes in single quotes"),
        ('A="\\x41"', "escapes other than"),
        ('A="\\$x"', "escapes other than"),
        ("A='open", "single quote is not closed"),
        ('A="open', "double quote is not closed"),
        ("A='x'y", "after the closing quote"),
    ],
)
def test_refuses_what_they_read_differently(text: str, says: str) -> None:
    """One of the readings would be a wrong secret."""
    (found,) = problems(text).values()

    assert says in found


def test_numbers_lines_as_an_editor_does() -> None:
    """Also after a value of several lines; all errors are reported, without any value."""
    found = list(dotenv.read("A='1\n2\n3'\n\nhunter2\r\nB=x\nC=hunter2$\n"))

    assert [1, 5, 6, 7] == [one.number for one in found]
    assert [ParsedLine, LineError, ParsedLine, LineError] == [type(one) for one in found]
    assert "hunter2" not in repr(found)


@given(secrets=st.dictionaries(NAMES, st.text(st.characters(exclude_characters="'\\\r", codec="utf-8"))))
def test_reads_any_text_in_single_quotes(secrets: dict[str, str]) -> None:
    """It is taken literally."""
    assert secrets == values("".join(f"{name}='{value}'\n" for name, value in secrets.items()))


@given(secrets=st.dictionaries(NAMES, st.text(st.characters(exclude_characters="$\r", codec="utf-8"))))
def test_reads_any_text_in_double_quotes(secrets: dict[str, str]) -> None:
    """If backslashes and quotes are escaped."""
    escaped = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in secrets.items()}

    assert secrets == values("".join(f'{name}="{value}"\n' for name, value in escaped.items()))


@given(text=st.text(st.sampled_from("AB=\n\r\t '\"\\#$x")))
def test_reads_every_text_to_its_end(text: str) -> None:
    """For any text: no line is reported twice, or does not exist."""
    numbers = [one.number for one in dotenv.read(text)]

    assert sorted(set(numbers)) == numbers
    assert not numbers or numbers[-1] <= text.count("\n") + 1
