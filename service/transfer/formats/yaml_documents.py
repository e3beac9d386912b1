"""Reads YAML in which every value has one meaning: all else would be a guess at a secret.

A text is what is quoted, and what neither YAML 1.1 nor 1.2 takes for anything else.  Numbers, booleans and
null are those of JSON, and numbers keep their text.  ``no``, ``010``, ``1_000``, ``0x1F``, dates and the like
are refused, and so are tags and anchors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from ...strict_json import Number, describe_name
from .line import LineError

_TEXT = "tag:yaml.org,2002:str"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.ASCII)
# What YAML 1.2 (core schema, chapter 10.3.2) takes for a number, and 1.1 as PyYAML reads it for a text.
_NUMBER_IN_1_2 = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII
)
# Boolean in the specification of YAML 1.1, but not for PyYAML.
_BOOLEAN_IN_1_1 = frozenset({"y", "Y", "n", "N"})
_CONSTANTS = {"true": True, "false": False, "null": None}


class _Unclear(Exception):
    """Something in the document can be read in two ways, or not at all; the message says what to do."""

    def __init__(self, mark: Any, text: str) -> None:
        super().__init__(f"{text} (line {mark.line + 1})")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Refuses anchors: through them a few lines can stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if getattr(event, "anchor", None) is not None:
            raise _Unclear(event.start_mark, "YAML anchors are not read: write the value out")
        return super().compose_node(parent, index)


def read(text: str) -> Iterator[tuple[int, Any] | LineError]:
    """Yield each document with the number of its first line; an error is the last, with the last number."""
    number = 1
    try:
        for node in yaml.compose_all(text, _Loader):
            number = node.start_mark.line + 1
            yield number, _value(node)
    except _Unclear as unclear:
        yield LineError(number, str(unclear))
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" (line {mark.line + 1})"
        yield LineError(number, f"not a YAML document{where}; the rest of the file was not read")


def _value(node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
            return _mapping(node)
        case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
            return [_value(item) for item in node.value]
        case yaml.ScalarNode():
            return _scalar(node)
    raise _Unclear(node.start_mark, "YAML tags are not read: write the value without one")


def _mapping(node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = _value(key)
        if not isinstance(name, str):
            raise _Unclear(key.start_mark, "a name is not a text: write it in quotes")
        if name in found:
            raise _Unclear(key.start_mark, f"a name occurs twice, {describe_name(name)}: remove one")
        found[name] = _value(value)
    return found


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if node.style is not None and node.tag == _TEXT:
        return text
    if node.style is None and text in _CONSTANTS:
        return _CONSTANTS[text]
    if node.style is None and node.tag in _NUMBERS and _JSON_NUMBER.fullmatch(text):
        return Number(text)
    if node.tag != _TEXT or text in _BOOLEAN_IN_1_1 or _NUMBER_IN_1_2.fullmatch(text):
        raise _Unclear(
            node.start_mark,
            "YAML readers disagree on whether this is a text: write it in quotes, or as JSON does",
        )
    return text
