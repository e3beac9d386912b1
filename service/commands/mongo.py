"""``python -m service mongo …``: the replica set and its users, as the deployment needs them.

    mongo setup --member NAME:PORT[,PRIORITY] …    initiates the replica set, creates the users, adds
                                                   members, brings settings and priorities in line
    mongo remove --member NAME:PORT                takes a member out, after it has handed over
    mongo status                                   prints NAME:PORT STATE for each member
    mongo wait                                     returns once all members are healthy
    mongo step-down [--from NAME:PORT]             lets another member be the primary
    mongo versions                                 prints NAME:PORT VERSION for each member, and for which
                                                   version the data is marked
    mongo check-version VERSION                    refuses one that could not open the data
    mongo finish-upgrade                           marks the data for the version that all members run

Runs where a member's loopback interface is its own: in the member's network namespace.  ``setup``
of a set that is not there yet needs the first member named to be that one.
Standard input has two connection strings, one per line: the administrator's and the service's.
MONGO_TLS_CA_FILE and MONGO_TLS_CERT_FILE name the files for members that speak TLS.
Nothing secret is in an argument or in the output.  Prints one line per change, none where nothing
was to do.  Each action can be repeated; ``setup`` finishes what an interrupted one began.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator

from ..environment import Environment
from ..errors import ConfigurationError
from ..mongo_admin import member_states, membership, replica_set, upgrade, users
from ..settings import mongo_tls

MAX_PRIORITY = 1000  # MongoDB's own limit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--local", default="localhost:27017", metavar="NAME:PORT", help="the member over loopback"
    )
    common.add_argument(
        "--wait", type=float, default=60, metavar="SECONDS", help="for each thing to wait for (default 60)"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")

    setup = actions.add_parser("setup", parents=[common], help="set up the replica set and its users")
    setup.add_argument(
        "--member",
        action="append",
        required=True,
        metavar="NAME:PORT[,PRIORITY]",
        help="a member as the others reach it, and its weight in elections (default 1); once for each",
    )
    setup.add_argument(
        "--election-timeout",
        type=int,
        default=2000,
        metavar="MS",
        help="without a primary before another is elected (default 2000)",
    )
    setup.set_defaults(act=_setup)

    remove = actions.add_parser("remove", parents=[common], help="take a member out of the replica set")
    remove.add_argument("--member", required=True, metavar="NAME:PORT", help="as the others reach it")
    remove.set_defaults(act=_remove)

    status = actions.add_parser("status", parents=[common], help="print the state of each member")
    status.set_defaults(act=_status)

    wait = actions.add_parser("wait", parents=[common], help="wait until all members are healthy")
    wait.set_defaults(act=_wait)

    step_down = actions.add_parser("step-down", parents=[common], help="let another be the primary")
    step_down.add_argument("--from", dest="only", metavar="NAME:PORT", help="only if this one is it now")
    step_down.set_defaults(act=_step_down)

    describe_error = actions.add_parser("versions", parents=[common], help="print each member's version")
    describe_error.set_defaults(act=_versions)

    check = actions.add_parser("check-version", parents=[common], help="refuse what cannot open the data")
    check.add_argument("version", metavar="VERSION", type=_read_version, help="of mongod, like 7.0.26")
    check.set_defaults(act=_check_version)

    finish = actions.add_parser("finish-upgrade", parents=[common], help="mark the data for the new version")
    finish.set_defaults(act=_finish_upgrade)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say and return the exit code."""
    args.tls = mongo_tls(Environment(os.environ))
    for line in args.act(args):
        print(line, flush=True)
    return 0


def _setup(args: argparse.Namespace) -> Iterator[str]:
    members = _read_members(args.member)
    admin, service = _read_logins(args)
    name, hosts = admin.replica_set, [member.host for member in members]
    with replica_set.connect_member(args.local, args.tls) as local:
        known = replica_set.find(local, name, hosts[1:], args.wait, args.tls)
        if not known:
            # With this member alone: it is then the primary, the one place where the first user can
            # be created.  The others join when there is an administrator to add them.
            known = hosts[:1]
            if replica_set.initiate(local, name, members[0], args.election_timeout):
                yield f"initiated the replica set {name} with {hosts[0]}"
        with replica_set.connect_set(name, known, args.tls) as whole:
            replica_set.wait_for_primary(whole, args.wait)
        admin, service = admin.at(known), service.at(known)
        yield from users.ensure_admin(local, admin)
    with admin.connect() as client:
        yield from users.ensure_service(client, service)
        yield from membership.ensure_election_timeout(client, args.election_timeout, args.wait)
        yield from membership.ensure_members(client, members, args.wait, args.tls)


def _remove(args: argparse.Namespace) -> Iterator[str]:
    with _administrator(args).connect() as client:
        yield from membership.remove(client, args.member, args.wait)


def _status(args: argparse.Namespace) -> Iterator[str]:
    with _administrator(args).connect() as client:
        for host, state in member_states.member_states(client).items():
            yield f"{host} {state}"


def _wait(args: argparse.Namespace) -> Iterator[str]:
    with _administrator(args).connect() as client:
        member_states.wait_until_whole(client, args.wait)
    yield from ()


def _step_down(args: argparse.Namespace) -> Iterator[str]:
    with _administrator(args).connect() as client:
        if heir := member_states.step_down(client, args.wait, args.only):
            yield f"{heir} is the primary now"


def _versions(args: argparse.Namespace) -> Iterator[str]:
    with _administrator(args).connect() as client:
        for host, version in upgrade.member_versions(client, args.tls).items():
            yield f"{host} {version}"
        yield f"data {upgrade.data_version(client)}"


def _check_version(args: argparse.Namespace) -> Iterator[str]:
    with _administrator(args).connect() as client:
        upgrade.check(client, args.version)
    yield from ()


def _finish_upgrade(args: argparse.Namespace) -> Iterator[str]:
    with _administrator(args).connect() as client:
        yield from upgrade.finish(client, args.tls)


def _administrator(args: argparse.Namespace) -> users.Login:
    """Return the administrator's login at the members that the local one knows."""
    admin, _ = _read_logins(args)
    with replica_set.connect_member(args.local, args.tls) as local:
        known = replica_set.known_hosts(local, admin.replica_set)
    if not known:
        raise ConfigurationError(f"the member at {args.local} is not of the replica set {admin.replica_set}")
    return admin.at(known)


def _read_version(text: str) -> str:
    if not re.fullmatch(r"\d+\.\d+\.\d+", text):
        raise argparse.ArgumentTypeError(f"{text} is no version of mongod, like 7.0.26")
    return text


def _read_members(texts: list[str]) -> list[replica_set.Member]:
    members = [_read_member(text) for text in texts]
    if len({member.host for member in members}) < len(members):
        raise ConfigurationError("--member names a member twice")
    if not any(member.priority for member in members):
        raise ConfigurationError(
            "--member: one priority at least must be above 0, or nobody can be the primary"
        )
    return members


def _read_member(text: str) -> replica_set.Member:
    host, comma, priority = text.partition(",")
    name, _, port = host.rpartition(":")
    try:
        member = replica_set.Member(host, float(priority) if comma else 1)
        usable = name.strip() and 0 < int(port) < 2**16 and 0 <= member.priority <= MAX_PRIORITY
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"--member {text} is not NAME:PORT or NAME:PORT,PRIORITY with a priority from 0 to {MAX_PRIORITY}"
        )
    return member


def _read_logins(args: argparse.Namespace) -> tuple[users.Login, users.Login]:
    lines = sys.stdin.read().split()
    if len(lines) != 2:
        raise ConfigurationError(
            f"standard input has {len(lines)} connection strings instead of two:"
            " the administrator's and the service's, one per line"
        )
    admin, service = (users.Login.from_uri(line, args.tls) for line in lines)
    return admin, service
