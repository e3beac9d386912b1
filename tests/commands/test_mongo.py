"""commands.mongo: maintaining members, on real mongods with access control."""

import io

import pytest

from service import cli
from tests.replica_set import NAME, Mongod, command, primary, until, voters

DOWN = "(not reachable/healthy)"


def removed(member: Mongod) -> str:
    """Return what is printed for a removed member."""
    return f"removed {member.host} from the replica set {NAME}\n"


def test_removes_members_as_long_as_a_majority_remains(ready: list[Mongod]) -> None:
    """A member that is down, then the primary, which steps down first; no other."""
    first, second, third = ready
    third.kill()
    until(lambda: DOWN == first.state(third.host))
    message = (
        f"secret-manager: without {second.host} the replica set has no majority:"
        f" {first.host} PRIMARY, {third.host} DOWN would remain to vote\n"
    )

    assert (2, message) == command(first, "remove", "--member", second.host)
    assert (0, removed(third)) == command(first, "remove", "--member", third.host)
    assert (0, "") == command(first, "remove", "--member", third.host)
    assert (0, f"{second.host} is the primary now\n{removed(first)}") == command(
        first, "remove", "--member", first.host
    )
    message = (
        f"secret-manager: {second.host} is the last member of the replica set {NAME}: it is not removed\n"
    )
    assert (2, message) == command(second, "remove", "--member", second.host)
    assert [second.host] == list(voters(second))


def test_status_and_wait_name_a_member_that_is_down(ready: list[Mongod]) -> None:
    """Also if so many members are down that there is no primary."""
    first, second, third = ready
    assert (0, f"{first.host} PRIMARY\n{second.host} SECONDARY\n{third.host} SECONDARY\n") == command(
        third, "status"
    )
    assert (0, "") == command(third, "wait")

    third.kill()
    until(lambda: DOWN == first.state(third.host))
    message = (
        "secret-manager: the replica set is not healthy after 0.1 s:"
        f" {first.host} PRIMARY, {second.host} SECONDARY, {third.host} DOWN\n"
    )
    assert (2, message) == command(second, "wait", "--wait", "0.1")

    first.kill()
    until(lambda: DOWN == second.state(first.host))
    assert (0, f"{first.host} DOWN\n{second.host} SECONDARY\n{third.host} DOWN\n") == command(
        second, "status"
    )


def test_the_primary_hands_over(ready: list[Mongod]) -> None:
    """Once if the named member is the primary, and not if another one is."""
    first, second, third = ready

    assert (0, "") == command(second, "step-down", "--from", third.host)
    assert first is primary(*ready)
    code, said = command(second, "step-down", "--from", first.host)
    assert (0, f"{primary(second, third).host} is the primary now\n") == (code, said)
    assert (0, "") == command(second, "step-down", "--from", first.host)


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (
            "mongodb://admin:hunter2@a/?replicaSet=rs\n",
            (
                "standard input has 1 connection strings instead of two: the administrator's and the"
                " service's, one per line"
            ),
        ),
        ("hunter2\nhunter2\n", "a connection string is not of the form mongodb://…"),
        (
            "mongodb://admin:hunter2@a/\n" * 2,
            "a connection string lacks its user, its password or replicaSet",
        ),
    ],
)
def test_refuses_logins_without_repeating_them(
    stdin: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The connection strings contain passwords."""
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))

    assert 2 == cli.main(["mongo", "status"])
    assert f"secret-manager: {message}\n" == capsys.readouterr().err
