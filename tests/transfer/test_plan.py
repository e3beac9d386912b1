"""transfer.incoming: every line is told of by its number, and never by its value."""

import base64
from typing import Any

from service.access import policy
from service.secrets.services import SecretServices
from service.transfer import plan as incoming
from service.transfer.formats import line
from service.transfer.formats.line import LineError, ParsedLine
from service.transfer.importing import Existing
from service.transfer.plan import PlannedLine

SECRET = base64.b64encode(b"hunter2").decode()


def plan(vault: SecretServices, *found: ParsedLine | LineError, folder: str = "") -> list[PlannedLine]:
    """Plan as the operator does."""
    return incoming.plan(vault, policy.OPERATOR, found, folder, Existing.REFUSE)


def said(vault: SecretServices, **body: Any) -> str:
    """Return what is said of a line with this body."""
    (planned,) = plan(vault, ParsedLine(7, body))
    assert 7 == planned.number
    assert "hunter2" not in repr(planned)
    return planned.text


def test_puts_everything_into_the_folder(vault: SecretServices) -> None:
    """What names no path becomes the folder's own."""
    found = plan(vault, line.parsed_line(1, "a/b", b""), line.parsed_line(2, "", b""), folder="team/app/")

    assert ["team/app/a/b: create", "team/app: create"] == [one.text for one in found]


def test_tells_of_all_lines_in_their_order(vault: SecretServices) -> None:
    """Those that could not be read, those that cannot be kept, and those that can."""
    found = plan(
        vault,
        line.parsed_line(1, "a", b"x"),
        LineError(2, "the single quote is not closed"),
        line.parsed_line(4, "a", b"y"),
        line.parsed_line(5, "large", bytes(70_000)),
        line.parsed_line(6, "b", b"z"),
    )

    assert [
        (1, "a: create"),
        (2, "refuse: the single quote is not closed"),
        (4, "refuse: path: line 1 has the same"),
        (5, "large: refuse: a secret may have up to 65536 bytes"),
        (6, "b: create"),
    ] == [(one.number, one.text) for one in found]


def test_takes_the_bodies_that_create_takes(vault: SecretServices) -> None:
    """And refuses the others as it does, naming the field."""
    assert "a: create" == said(vault, path="a", secret=SECRET, labels={"env": "prod"}, expires_in=60)
    assert "a: create" == said(vault, path="a", generate={"length": 20})
    assert "invalid base64" in said(vault, path="a", secret="hunter2")
    assert "refuse: secret: give either secret or generate" in said(vault, path="a")
    assert "refuse: max_reads: " in said(vault, path="a", secret=SECRET, max_reads=0)
    assert "refuse: path: without one nobody would find it" in said(vault, secret=SECRET)
    assert "refuse: path: Not a valid string." == said(vault, path=["hunter2"], secret=SECRET)
    assert "refuse: secret: Not a valid string." == said(vault, path="a", secret=["hunter2"])


def test_repeats_nothing_that_could_be_a_value(vault: SecretServices) -> None:
    """A value in the wrong field, or for the name of one."""
    assert "refuse: there is an unknown field" == said(vault, path="a", secret=SECRET, hunter2=1)
    assert "refuse: labels: Not a valid string." == said(
        vault, path="a", secret=SECRET, labels={"hunter2": 1}
    )
    assert "refuse: path: a path is segments" in said(vault, path="hunter2 hunter2", secret=SECRET)
