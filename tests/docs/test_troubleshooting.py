"""Troubleshooting quotes what the program prints, and has a heading for every refusal.

A heading in code quotes a message: ``<like this>`` stands for what is filled in, ``…`` at the end for the
rest.  So a message that is reworded names its heading here.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from service import errors
from tests import yaml_files
from tests.docs.pages import DOCS, ROOT, headings

# What is filled in: the message, read from the source, has this character in its place.
FILLED = "\0"
# With less text of its own a message only passes on another one.
MIN_LETTERS = 12

_EXAMPLE = re.compile(
    r""""detail": "([^"]+)"|^# secret-manager: (.+)$|^# line \d+: .*refuse: (.+)$""", re.MULTILINE
)
PAGES = sorted((DOCS / "troubleshooting").glob("*.md"))
REFUSED = {"start refused", *(kind.reason for kind in errors.Unavailable.__subclasses__())}


@dataclass(frozen=True)
class Message:
    """A message as the source has it, and where."""

    text: str
    place: str

    def shows(self, heading: str) -> bool:
        """Return whether this heading quotes it; backquotes in it would end the heading's own."""
        return _pattern(heading).search(self.text.replace("`", "")) is not None

    def __str__(self) -> str:
        """Return it as a reader of a failed test wants to see it."""
        return f"{self.place}: {self.text.replace(FILLED, '<…>')}"


class _Yaml(yaml_files.Loader):
    """Reads playbooks, whatever tags they have."""


_Yaml.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def quoted() -> list[tuple[str, str]]:
    """Return each message that troubleshooting quotes, with its page."""
    return [
        (page.name, text.strip("`"))
        for page in PAGES
        for level, text in headings(page)
        if level > 1 and re.fullmatch(r"`[^`]+`", text)
    ]


def examples() -> list[tuple[str, str]]:
    """Return each message that an example on a page written by hand shows, with the page."""
    pages = [page for page in (ROOT / "README.md", *DOCS.rglob("*.md")) if page.name != "api.md"]
    return [
        (str(page.relative_to(ROOT)), next(filter(None, found)).replace("`", ""))
        for page in sorted(pages)
        for found in _EXAMPLE.findall(page.read_text())
    ]


@cache
def _filled(template: str) -> re.Pattern[str]:
    return re.compile(".+?".join(map(re.escape, template.split(FILLED))), re.DOTALL)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


@cache
def _pattern(heading: str) -> re.Pattern[str]:
    text = heading.removesuffix("…").rstrip()
    return re.compile(".+?".join(re.escape(part) for part in re.split(r"<[^<>]+>", text)), re.DOTALL)


@cache
def in_service() -> tuple[Message, ...]:
    """Return every text in the service."""
    return tuple(
        Message(text, f"{file.relative_to(ROOT)}:{line}")
        for file in sorted((ROOT / "service").rglob("*.py"))
        for text, line in _texts(ast.parse(file.read_text()))
    )


@cache
def in_roles() -> tuple[Message, ...]:
    """Return every message with which a role or a playbook stops."""
    files = [*ROOT.glob("roles/*/tasks/**/*.yml"), *ROOT.glob("playbooks/**/*.yml")]
    return tuple(
        Message(_plain(message), f"{file.relative_to(ROOT)}, {name}")
        for file in sorted(files)
        for name, message in _stops(yaml_files.load(file, _Yaml), "")
    )


@cache
def refusals() -> tuple[Message, ...]:
    """Return every message with which a start, a command or a play is refused, or a call answered 503."""
    found = list(in_roles())
    for file in sorted((ROOT / "service").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _refuses(node.exc):
                text = _text(node.exc.args[0]) if node.exc.args else None
                if text is not None:
                    found.append(Message(text, f"{file.relative_to(ROOT)}:{node.lineno}"))
    return tuple(each for each in found if _letters(each.text) >= MIN_LETTERS)


def _refuses(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return getattr(getattr(errors, name, None), "reason", "") in REFUSED


def _texts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) not in docstrings and isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp):
            text = _text(node)
            if text is not None:
                yield text, node.lineno


def _text(node: ast.AST) -> str | None:
    """Return a string of the source, with what is filled in marked; None if it is no string."""
    if isinstance(node, ast.Constant):
        return " ".join(node.value.split(" ")) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part) or "" if isinstance(part, ast.Constant) else FILLED for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None and right is None else (left or FILLED) + (right or FILLED)
    return None


def _plain(message: str) -> str:
    return " ".join(re.sub(r"\{\{.*?\}\}", FILLED, message, flags=re.DOTALL).split())


def _stops(node: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for each in node:
            yield from _stops(each, name)
    elif isinstance(node, dict):
        name = str(node.get("name", name))
        for key, value in node.items():
            word = str(key).rpartition(".")[2]
            if word in {"fail", "assert"} and isinstance(value, dict):
                yield name, str(value.get("msg") or value.get("fail_msg"))
            else:
                yield from _stops(value, name)


@pytest.mark.parametrize(("page", "heading"), quoted())
def test_can_be_printed(page: str, heading: str) -> None:
    """Each quoted message is one that the service, a role or a playbook has."""
    assert any(message.shows(heading) for message in (*in_service(), *in_roles())), f"{page}: {heading}"


@pytest.mark.parametrize(("page", "said"), examples())
def test_an_example_is_not_out_of_date(page: str, said: str) -> None:
    """What an example shows as the service's answer or a command's last line is still said like this."""
    templates = (message.text.replace("`", "") for message in in_service() if _letters(message.text) >= 8)

    assert any(_filled(template).fullmatch(said) for template in templates), f"{page}: {said}"


def test_every_refusal_has_a_heading() -> None:
    """Of the start, of commands, of plays, and of calls that are answered 503."""
    missing = [str(each) for each in refusals() if not any(each.shows(heading) for _, heading in quoted())]

    assert [] == missing


def test_nothing_is_quoted_twice() -> None:
    """One message, one heading, one anchor."""
    texts = [heading for _, heading in quoted()]

    assert sorted(set(texts)) == sorted(texts)


def test_there_are_playbooks_and_modules_to_look_at() -> None:
    """An empty list would prove everything."""
    assert len(refusals()) > 100
    assert Path(DOCS / "troubleshooting" / "plays.md") in PAGES
