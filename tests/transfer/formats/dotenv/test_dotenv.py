"""transfer.formats.dotenv: what programs read in the same way is read, the rest is refused with a way out."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.transfer.formats import dotenv
from service.transfer.formats.dotenv import Dialect
from service.transfer.formats.line import LineError, ParsedLine

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)
QUOTES = "docker keeps quotes as part of the value, and the others remove them"
ANY_DIALECT = "or name the program that reads the file with --dialect docker, compose, python or node"


def values(text: str, dialect: Dialect | None = None) -> dict[str, str]:
    """Return the values by name; there must be no errors."""
    found = list(dotenv.read(text, dialect))
    assert [] == [one for one in found if isinstance(one, LineError)]
    return {
        one.body["path"]: base64.b64decode(one.body["secret"]).decode()
        for one in found
        if isinstance(one, ParsedLine)
    }


def problems(text: str) -> dict[int, str]:
    """Return the errors by line number, without a dialect."""
    return {one.number: one.text for one in dotenv.read(text, None) if isinstance(one, LineError)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=plain", "plain"),
        ("A=", ""),
        ("  A=after spaces", "after spaces"),
        ("A=url?a=b&c=d", "url?a=b&c=d"),
        ("A=in'the\"middle`", "in'the\"middle`"),
        ("A=c:\\temp\\new", "c:\\temp\\new"),
        ("A=a\ttab", "a\ttab"),
        ("A=pässwörd", "pässwörd"),
        ("A=A==", "A=="),
        ("\n# a comment, 'open\n \t\nA=after\r\n", "after"),
    ],
)
def test_reads_what_programs_read_alike(text: str, value: str) -> None:
    """As all four do."""
    assert {"A": value} == values(text)


def test_a_name_may_begin_with_a_digit() -> None:
    """All four read it."""
    assert {"A": "1", "2CAPTCHA_KEY": "abc"} == values("A=1\n2CAPTCHA_KEY=abc\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A", "there is no equals sign: write NAME=value"),
        ("=x", "there is no name in front of the equals sign: write NAME=value"),
        ("A B=x", "use only letters, digits and _ . - in it"),
        ("A+B=x", "use only letters, digits and _ . - in it, or name the program"),
        ("export A=x", "docker refuses `export`: remove it, or name"),
        ("A =x", "docker refuses a space in front of the equals sign: remove it, or name"),
        (
            "A= x",
            f"docker keeps spaces around a value, and the others remove them: remove them, {ANY_DIALECT}",
        ),
        ("A=x\xa0", "remove them, or name"),
        (
            "A='x'",
            f"{QUOTES}: leave them out, {ANY_DIALECT}",
        ),
        ('A=""', "leave them out, or name"),
        ("A=`x`", "node removes backticks"),
        (
            "A=x #y",
            "whether # begins a comment: put a comment on a line of its own, or name",
        ),
        ("A=x#y", "whether # begins a comment"),
        ("A=#x", "whether # begins a comment"),
        (
            "A=1\rB=2\rC=3\r",
            "a carriage return: python and node end the line there, docker and compose do not",
        ),
        ("# a comment\rA=1", "convert all ends of lines to line feeds"),
        ("A=x\x0by", "control character U+000B"),
        ("A=x\x00", "control character U+0000"),
        ("A=x\u2028y", "control character U+2028"),
        ("A==", "looks like the end of a longer text in base64"),
    ],
)
def test_refuses_what_they_read_differently(text: str, says: str) -> None:
    """One of the readings would be a wrong secret."""
    ((number, found),) = problems(text).items()

    assert 1 == number
    assert says in found


@pytest.mark.parametrize(
    "text",
    ['A="it\'s$5"', "A='a#b'", 'A="a\\nb"', "A='`'", "A=' x '", "A= 'x'", "export A='x'", "A='x' # c", "A='"],
)
def test_says_only_what_works(text: str) -> None:
    """Quotes cannot be left out where they change the value, or where more than that is wrong."""
    (found,) = problems(text).values()

    assert "leave them out" not in found
    assert "with --dialect" in found


@pytest.mark.parametrize(
    ("text", "dialects"),
    [
        ("A=pa$word", "--dialect docker, python or node"),
        ("A=${B}", "--dialect docker or node"),
        ("export A=x", "--dialect compose, python or node"),
        ("A='two\nlines'", "--dialect compose, python or node"),
        ("A='open", "--dialect docker"),
    ],
)
def test_names_the_dialects_that_read_the_line(text: str, dialects: str) -> None:
    """And no others, which would refuse it in turn."""
    (found,) = problems(text).values()

    assert found.endswith(dialects)


def test_a_dialect_decides() -> None:
    """Each reads its own value."""
    line = "A='it\\'s' # c"

    assert [{"A": line[2:]}, {"A": "it's"}, {"A": "it's"}, {"A": "it\\'s"}] == [
        values(line, dialect) for dialect in Dialect
    ]
    (found,) = dotenv.read(line, Dialect.PYTHON)
    assert isinstance(found, ParsedLine)
    assert "single quotes" == found.reading


def test_numbers_lines_as_an_editor_does() -> None:
    """A value of several lines is one error; all errors are reported, without any value."""
    found = list(dotenv.read("A='1\n2\n3'\n\nhunter2\r\nB=x\nC=hunter2$\n", None))

    assert [1, 5, 6, 7] == [one.number for one in found]
    assert [LineError, LineError, ParsedLine, LineError] == [type(one) for one in found]
    assert "hunter2" not in repr(found)


def test_a_pem_text_without_quotes_is_one_error() -> None:
    """What works is in the message."""
    pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEmadeup/CCCC\nlast4x==\n-----END RSA PRIVATE KEY-----"

    ((number, found),) = problems(f"B=x\nexport KEY={pem}\nC=y").items()
    assert 2 == number
    assert found.endswith("put all of it in single quotes, and add --dialect compose, python or node")
    for dialect in (Dialect.COMPOSE, Dialect.PYTHON, Dialect.NODE):
        assert {"B": "x", "KEY": pem} == values(f"B=x\nexport KEY='{pem}'", dialect)


@given(secrets=st.dictionaries(NAMES, st.text(st.characters(exclude_characters="'\\\r$", codec="utf-8"))))
def test_reads_any_text_in_single_quotes(secrets: dict[str, str]) -> None:
    """For the programs that know quotes."""
    text = "".join(f"{name}='{value}'\n" for name, value in secrets.items())

    assert secrets == values(text, Dialect.COMPOSE) == values(text, Dialect.PYTHON)


@given(text=st.text(st.sampled_from("AB=\n\r\t '\"\\#$x`")))
def test_reads_every_text_to_its_end(text: str) -> None:
    """For any text: no line is reported twice, or does not exist."""
    numbers = [one.number for one in dotenv.read(text, None)]

    assert sorted(set(numbers)) == numbers
    assert not numbers or numbers[-1] <= text.count("\n") + 1
