"""kinds: every test is of one kind, and a quick one is quick."""

import subprocess
import sys

import pytest

from tests import kinds
from tests.conftest import TESTS

LOOP = "not check and not long_check and not cluster and not lab"


def test_every_test_has_exactly_one_kind(request: pytest.FixtureRequest) -> None:
    """Of all that were collected, also those that this run leaves out."""
    collected = request.config.stash[kinds.COLLECTED]

    assert [] == [test for test, found in collected.items() if 1 != len(found)]


def test_every_kind_is_declared(pytestconfig: pytest.Config) -> None:
    """In pyproject.toml, where `pytest --markers` finds it."""
    declared = {line.split(":")[0] for line in pytestconfig.getini("markers")}

    assert set(kinds.KINDS) <= declared


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("", set(kinds.KINDS)),
        (LOOP, {"quick", "database", "browser", "playbook"}),
        ("cluster or lab", {"cluster", "lab"}),
        ("quick", {"quick"}),
    ],
)
def test_knows_what_an_expression_chooses(expression: str, chosen: set[str]) -> None:
    """The refusal rests on it: it comes before anything is collected."""
    assert chosen == {kind for kind in kinds.KINDS if kinds.selects(expression, kind)}


def test_by_itself_pytest_leaves_this_machine_alone(pytestconfig: pytest.Config) -> None:
    """What pyproject.toml says is what is tested above."""
    assert LOOP in pytestconfig.getini("addopts")


def test_naming_a_folder_is_not_enough() -> None:
    """Without `-m` no test of the cluster or the lab is run, also if somebody names its file."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", TESTS / "cluster", TESTS / "lab"],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "test_no_scenario_is_forgotten" in listed.stdout
    assert "1/" in listed.stdout.splitlines()[-1], listed.stdout


@pytest.mark.parametrize("command", [["mongod", "--version"], [sys.executable, "-m", "gunicorn"]])
def test_a_quick_test_cannot_start_what_is_slow(command: list[str]) -> None:
    """It fails, instead of making everybody wait."""
    with pytest.raises(AssertionError, match=r"tests/kinds\.py"):
        subprocess.run(command, check=False)
