"""transfer.plan: every line is described by its number, and never with its value."""

import base64
from dataclasses import replace
from typing import Any

from service.access import policy
from service.secrets.services import SecretServices
from service.transfer import plan as import_plan
from service.transfer.formats import line
from service.transfer.formats.line import Line, LineError, NullLine, ParsedLine
from service.transfer.importing import Existing, ImportOutcome
from service.transfer.plan import PlannedLine

SECRET = base64.b64encode(b"hunter2").decode()


def plan(vault: SecretServices, *found: Line, folder: str = "") -> list[PlannedLine]:
    """Plan as the operator does."""
    return import_plan.plan(vault, policy.OPERATOR, found, folder, Existing.REFUSE)


def describe(vault: SecretServices, **body: Any) -> str:
    """Return the text for a line with this body."""
    (planned,) = plan(vault, ParsedLine(7, body))
    assert 7 == planned.number
    assert "hunter2" not in repr(planned)
    return planned.text


def test_puts_everything_into_the_folder(vault: SecretServices) -> None:
    """A secret with an empty path gets the folder's own path."""
    found = plan(vault, line.parsed_line(1, "a/b", b""), line.parsed_line(2, "", b""), folder="team/app/")

    assert ["team/app/a/b: create", "team/app: create"] == [one.text for one in found]


def test_describes_all_lines_in_order(vault: SecretServices) -> None:
    """Lines that could not be parsed, secrets that cannot be stored, and those that can."""
    found = plan(
        vault,
        line.parsed_line(1, "a", b"x"),
        LineError(2, "the single quote is not closed"),
        line.parsed_line(4, "a", b"y"),
        line.parsed_line(5, "large", bytes(70_000)),
        line.parsed_line(6, "b", b"z"),
    )

    assert [
        (1, "create"),
        (2, "refuse: the single quote is not closed"),
        (4, "refuse: path: line 1 has the same path"),
        (5, "refuse: a secret may have up to 65536 bytes (MAX_SECRET_BYTES)"),
        (6, "create"),
    ] == [(one.number, one.text) for one in found]
    assert not import_plan.has_names(found)


def test_shows_names_once_all_lines_are_understood(vault: SecretServices) -> None:
    """Where one is not, what looks like a name may be a part of a value."""
    good = [line.parsed_line(1, "a", b"x"), line.parsed_line(2, "large", bytes(70_000))]
    bad = [LineError(3, "unclear"), line.parsed_line(3, "mal formed", b""), line.parsed_line(3, "a", b"x")]

    shown = plan(vault, *good)
    assert ["a: create", "large: refuse: a secret may have up to 65536 bytes (MAX_SECRET_BYTES)"] == [
        one.text for one in shown
    ]
    assert import_plan.has_names(shown)
    for one in bad:
        hidden = plan(vault, *good, one)
        assert ["create", "refuse: a secret may have up to 65536 bytes (MAX_SECRET_BYTES)"] == [
            each.text for each in hidden[:2]
        ]
        assert not import_plan.has_names(hidden)


def test_says_how_a_line_was_read(vault: SecretServices) -> None:
    """If its format leaves a choice."""
    read = replace(line.parsed_line(1, "a", b"x"), reading="double quotes")

    assert ["a (double quotes): create"] == [one.text for one in plan(vault, read)]


def test_takes_the_bodies_that_create_takes(vault: SecretServices) -> None:
    """Other bodies are refused as ``create`` does, with the name of the field."""
    assert "a: create" == describe(vault, path="a", secret=SECRET, labels={"env": "prod"}, expires_in=60)
    assert "a: create" == describe(vault, path="a", generate={"length": 20})
    assert "invalid base64" in describe(vault, path="a", secret="hunter2")
    assert "refuse: secret: give either secret or generate" in describe(vault, path="a")
    assert "refuse: max_reads: " in describe(vault, path="a", secret=SECRET, max_reads=0)
    assert "refuse: path: missing; a secret without one could not" in describe(vault, secret=SECRET)
    assert "refuse: path: Not a valid string." == describe(vault, path=["hunter2"], secret=SECRET)
    assert "refuse: secret: Not a valid string." == describe(vault, path="a", secret=["hunter2"])


def test_names_an_unknown_field(vault: SecretServices) -> None:
    """If it reads like a name: that is a typing error."""
    assert "refuse: there is an unknown field, `lables`" == describe(
        vault, path="a", secret=SECRET, lables={"env": "prod"}
    )


def test_tells_what_has_no_value(vault: SecretServices) -> None:
    """A null is no secret, and no error."""
    (line,) = plan(vault, NullLine(1, "none"), folder="team/")
    unfit, _ = plan(vault, NullLine(1, "hunter2 "), NullLine(2, "none"), folder="team/")

    assert ("team/none: skip, null", ImportOutcome.NULL, None) == (line.text, line.outcome, line.step)
    # In what is not understood, a name could be a value.
    assert "skip, null" == unfit.text


def test_repeats_nothing_that_could_be_a_value(vault: SecretServices) -> None:
    """A value may be in the wrong field, or in place of a field's name."""
    assert "refuse: there is an unknown field, one that is not a plain word" == describe(
        vault, path="a", secret=SECRET, hunter2=1
    )
    assert "refuse: labels: Not a valid string." == describe(
        vault, path="a", secret=SECRET, labels={"hunter2": 1}
    )
    assert "refuse: path: a path is segments" in describe(vault, path="hunter2 hunter2", secret=SECRET)
