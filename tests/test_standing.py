"""standing: the tests take no cluster apart that they did not make, and say how to let them."""

from dataclasses import replace

import pytest

from tests import standing
from tests.standing import OPTION, Machine, refusal

BARE = Machine()
THEIRS = Machine(
    swarm="active",
    nodes=1,
    services=("secret-manager_api", "secret-manager_mongodb-1"),
    volumes=("secret-manager_mongodb-1",),
)
KINDS = ("cluster", "lab")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("machine", [BARE, replace(BARE, swarm=None), replace(THEIRS, marked=True)])
def test_runs_on_a_bare_machine_and_on_a_cluster_of_its_own(kind: str, machine: Machine) -> None:
    """With an engine, without one, and again after a run that was interrupted."""
    assert refusal(kind, machine, may_take=False) is None


@pytest.mark.parametrize(
    ("machine", "names"),
    [
        (THEIRS, ["a Swarm (active)", "secret-manager_api, secret-manager_mongodb-1"]),
        (replace(THEIRS, services=(), volumes=()), ["a Swarm (active)"]),
        (replace(BARE, swarm="locked"), ["a Swarm (locked)"]),
        (replace(BARE, volumes=("secret-manager_mongodb-1",)), ["the volumes secret-manager_mongodb-1"]),
        (Machine(swarm=None, swarm_on_disk=True), ["an engine that does not answer and has a Swarm on disk"]),
    ],
)
def test_refuses_what_somebody_else_made(machine: Machine, names: list[str]) -> None:
    """With what stands there, and the words that give it away."""
    reason = refusal("cluster", machine, may_take=False)

    assert reason is not None
    assert [] == [name for name in [*names, OPTION, "CI=true", "Nothing was changed"] if name not in reason]
    assert refusal("cluster", machine, may_take=True) is None


def test_the_lab_stands_beside_a_cluster_but_starts_no_engine_that_has_one() -> None:
    """Its nodes are its own; the engine that they run on is not."""
    stopped = Machine(swarm=None, swarm_on_disk=True)

    assert refusal("lab", THEIRS, may_take=False) is None
    assert "does not answer" in str(refusal("lab", stopped, may_take=False))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("machine", "says"),
    [
        (replace(BARE, root=False), "as root"),
        (replace(BARE, installable=False, swarm=None), "on Debian only"),
        (replace(THEIRS, nodes=3, marked=True), "in a Swarm with others"),
        (replace(THEIRS, nodes=0, manager=False), "in a Swarm with others"),
    ],
)
def test_some_machines_cannot_be_given_away(kind: str, machine: Machine, says: str) -> None:
    """No word helps."""
    assert says in str(refusal(kind, machine, may_take=True))


def test_only_true_is_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """CI as GitHub and others set it; nothing else that the variable may hold."""
    monkeypatch.setattr(standing, "look", lambda: THEIRS)

    for value, may in (("", False), ("1", False), ("true", True)):
        monkeypatch.setenv("CI", value)
        assert may == (standing.reason_against("cluster", option=False) is None), value
    monkeypatch.delenv("CI")
    assert standing.reason_against("cluster", option=False) is not None
    assert standing.reason_against("cluster", option=True) is None
