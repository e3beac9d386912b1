"""The table of ``docs/reference/env-files.md``: which value a line has for each program."""

import re
from dataclasses import dataclass

from service.transfer.formats.dotenv import Dialect
from tests.docs.pages import DOCS

REFUSED = None
# Depends on more than the file.
VARIABLE = object()

_WORDS = {"*refused*": REFUSED, "*variable*": VARIABLE, "*empty*": ""}
_SYMBOLS = str.maketrans({"␊": "\n", "␍": "\r", "␉": "\t", "␠": " "})


@dataclass(frozen=True)
class Row:
    """A line, the name in it, and its value for each program."""

    line: str
    values: dict[Dialect, object]

    @property
    def name(self) -> str:
        """The only name, or the first one."""
        (name,) = re.findall(r"^(?:export )?(\w+)", self.line)
        return str(name)


def rows() -> list[Row]:
    """Return the rows in order."""
    text = (DOCS / "reference/env-files.md").read_text()
    _, _, body = text.partition(
        "| line | `docker` | `compose` | `python` | `node` |\n|---|---|---|---|---|\n"
    )
    found = [
        line.removeprefix("| ").removesuffix(" |").split(" | ")
        for line in body.partition("\n\n")[0].splitlines()
    ]
    return [
        Row(_code(line), {d: _cell(cell) for d, cell in zip(Dialect, cells, strict=True)})
        for line, *cells in found
    ]


def _cell(text: str) -> object:
    return _WORDS[text] if text in _WORDS else _code(text)


def _code(text: str) -> str:
    """Return what a code span stands for."""
    inner = re.fullmatch(r"(`+)(.*)\1", text)
    assert inner is not None, text
    content = inner[2]
    if inner[1] == "``":
        content = content.removeprefix(" ").removesuffix(" ")
    return content.translate(_SYMBOLS)
