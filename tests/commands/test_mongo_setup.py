"""commands.mongo: `setup` from every starting state, on real mongods with access control."""

import subprocess
import sys
from pathlib import Path

import pytest

from service import cli
from tests.gunicorn_server import ROOT, free_port
from tests.replica_set import (
    ADMIN_PASSWORD,
    NAME,
    SERVICE_PASSWORD,
    Mongod,
    command,
    initiate,
    logins,
    primary,
    setup,
    uri,
    voters,
)

USERS = "created the role vaultService\ncreated the user vault\n"
OTHER_INSTALLATION = (
    "secret-manager: MongoDB has users already, but not admin with the password in the Swarm:"
    " this data belongs to another installation\n"
)


def joined(*members: Mongod) -> str:
    """Return what is printed for new members."""
    return "".join(
        f"added {member.host} to the replica set {NAME}\ngave {member.host} its vote\n" for member in members
    )


def test_sets_up_bare_members_and_then_finds_nothing_to_do(bare: list[Mongod]) -> None:
    """The first run creates a set; others print nothing, also next to another member or in another order."""
    first, second, _ = bare
    begun = f"initiated the replica set {NAME} with {first.host}\ncreated the user admin\n"

    assert (0, begun + USERS + joined(second)) == setup(first, second, local=first)
    assert {first.host: (1, 1.0), second.host: (1, 1.0)} == voters(first)
    assert 2000 == first.admin("replSetGetConfig")["config"]["settings"]["electionTimeoutMillis"]

    assert (0, "") == setup(first, second, local=first)
    assert (0, "") == setup(second, first, local=second)
    assert (0, "") == command(second, "wait")


def test_finishes_a_run_that_had_only_initiated(bare: list[Mongod]) -> None:
    """The users are created; afterwards a wrong password or set name is refused."""
    member = bare[0]
    with member.client() as client:
        client.admin.command("replSetInitiate", {"_id": NAME, "members": [{"_id": 0, "host": member.host}]})

    changes = f"created the user admin\n{USERS}election timeout changed from 10000 ms to 2000 ms\n"
    assert (0, changes) == setup(member, local=member)

    wrong = logins(member, admin="hunter-wrong")
    assert (2, OTHER_INSTALLATION) == setup(member, local=member, stdin=wrong)
    code, said = command(member, "wait", stdin=wrong)
    assert (2, True) == (code, said.endswith(": MongoDB does not know this user with this password\n"))
    other = f"{uri('admin', ADMIN_PASSWORD, 'admin', member, name='other')}\n" * 2
    message = f"secret-manager: {member.host} belongs to the replica set {NAME}, not to other\n"
    assert (2, message) == setup(member, local=member, stdin=other)


def test_finishes_a_run_that_had_made_the_first_member_only(bare: list[Mongod]) -> None:
    """A set of one, which has no other member to step down for, grows to three."""
    initiate(bare[0])

    assert (0, "") == command(bare[0], "step-down")
    assert (0, USERS + joined(*bare[1:])) == setup(f"{bare[0].host},2", *bare[1:], local=bare[0])
    assert {(1, 2.0), (1, 1.0)} == set(voters(bare[0]).values())


def test_finishes_a_run_that_left_a_member_without_its_vote(bare: list[Mongod]) -> None:
    """Such a member gets its vote and its priority."""
    first, second, _ = bare
    initiate(first)
    config = first.admin("replSetGetConfig")["config"]
    config["members"].append({"_id": 1, "host": second.host, "votes": 0, "priority": 0})
    first.admin("replSetReconfig", {**config, "version": config["version"] + 1})

    assert (0, f"{USERS}gave {second.host} its vote\n") == setup(
        f"{first.host},2", f"{second.host},0.5", local=first
    )
    assert {first.host: (1, 2.0), second.host: (1, 0.5)} == voters(first)


def test_an_empty_member_joins_the_set_of_the_others(bare: list[Mongod]) -> None:
    """Named first and next to the command, it looks like the first member of a new set, but must join."""
    first, second, _ = bare
    initiate(first)

    assert (0, USERS + joined(second)) == setup(second, f"{first.host},2", local=second)
    assert first.host == second.hello()["primary"]
    assert (2, OTHER_INSTALLATION) == setup(
        second, first, local=second, stdin=logins(second, admin="hunter-wrong")
    )


def test_initiates_nothing_while_a_member_is_silent(bare: list[Mongod]) -> None:
    """The member that does not answer may have the data; and a member of no set has no status."""
    silent = f"127.0.0.1:{free_port()}"
    message = (
        f"secret-manager: no answer from {silent} in 0.1 s, which may have the replica set {NAME}:"
        " it is not initiated; start these members, then run it again\n"
    )

    assert (2, message) == setup(bare[0], silent, local=bare[0], options=["--wait", "0.1"])
    assert "setName" not in bare[0].hello()
    message = f"secret-manager: the member at {bare[0].host} is not of the replica set {NAME}\n"
    assert (2, message) == command(bare[0], "status")


def test_brings_priorities_and_the_election_timeout_in_line(ready: list[Mongod]) -> None:
    """One line per change; a member that is not named is left unchanged, even if it is down."""
    first, second, third = ready
    third.kill()
    arguments = (f"{first.host},3", f"{second.host},1.5")
    options = ("--election-timeout", "3000")
    changes = (
        "election timeout changed from 2000 ms to 3000 ms\n"
        f"priority of {first.host} changed from 2 to 3\n"
        f"priority of {second.host} changed from 1 to 1.5\n"
    )

    assert (0, USERS + changes) == setup(*arguments, local=first, options=options)
    assert (0, "") == setup(*arguments, local=first, options=options)
    assert {first.host: (1, 3.0), second.host: (1, 1.5), third.host: (1, 1.0)} == voters(first)

    # No primary can give itself priority 0: it has to hand over.
    assert (0, f"priority of {first.host} changed from 3 to 0\n") == setup(
        f"{first.host},0", f"{second.host},1.5", local=first, options=options
    )
    assert second is primary(first, second)


def test_passwords_are_in_no_argument_list(bare: list[Mongod]) -> None:
    """Neither in the command's own nor in that of a process that it might start."""
    seen = 0
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "service",
            "mongo",
            "setup",
            "--local",
            bare[0].host,
            "--member",
            bare[0].host,
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        process.stdin.write(logins(bare[0]).encode())
        process.stdin.close()
        while process.poll() is None:
            for running in Path("/proc").iterdir():
                try:
                    content = (running / "cmdline").read_bytes()
                except OSError:
                    continue  # the process has ended
                seen += bare[0].host.encode() in content
                assert ADMIN_PASSWORD.encode() not in content
                assert SERVICE_PASSWORD.encode() not in content
    assert (0, True) == (process.returncode, seen > 0)


@pytest.mark.parametrize(
    "member",
    [
        "mongodb-1",
        "mongodb-1:",
        ":27017",
        "mongodb-1:0",
        "mongodb-1:65536",
        "mongodb-1:port",
        "mongodb-1:27017,",
    ]
    + [f"mongodb-1:27017,{priority}" for priority in ("high", "-1", "1000.5", "nan", "inf", "1,2")],
)
def test_refuses_malformed_members(member: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that repeats it, and exit code 2."""
    assert 2 == cli.main(["mongo", "setup", "--member", member])
    assert (
        f"secret-manager: --member {member} is not NAME:PORT or NAME:PORT,PRIORITY"
        " with a priority from 0 to 1000\n"
    ) == capsys.readouterr().err


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["a:1", "b:1", "a:1,2"], "--member names a member twice"),
        (
            ["a:1,0", "b:1,0"],
            "--member: at least one priority must be above 0, or no member can be the primary",
        ),
    ],
)
def test_refuses_invalid_sets(members: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """MongoDB would refuse them as well, but only after some of the work."""
    assert 2 == cli.main(["mongo", "setup", *(f"--member={member}" for member in members)])
    assert f"secret-manager: {message}\n" == capsys.readouterr().err
