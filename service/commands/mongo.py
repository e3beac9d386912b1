"""``mongo``: the replica set and its users, as the deployment needs them.

    mongo setup --member NAME:PORT[,PRIORITY] …    initiates the replica set, creates the users, adds
                                                   members, updates settings and priorities
    mongo remove --member NAME:PORT                removes a member, after it has stepped down
    mongo status                                   prints NAME:PORT STATE for each member
    mongo wait                                     returns once all members are healthy
    mongo step-down [--from NAME:PORT]             lets another member become the primary
    mongo versions                                 prints NAME:PORT VERSION for each member, and the
                                                   version for which the data is marked
    mongo check-version VERSION                    fails if this version could not open the data
    mongo finish-upgrade                           marks the data for the version that all members run

Runs in a member's network namespace, where the loopback interface is that member's own.  To ``setup`` a set
that does not exist yet, name that member first.
Standard input has two connection strings, one per line: the administrator's and the service's.
MONGO_TLS_CA_FILE and MONGO_TLS_CERT_FILE name the files for members that use TLS.
No secret is in an argument or in the output.  Prints one line per change, and nothing if there was nothing
to do.  Each action can be repeated; ``setup`` finishes what an interrupted one began.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence

import click

from ..environment import process_environment
from ..errors import ConfigurationError
from ..mongo_admin import member_states, membership, replica_set, upgrade, users
from ..settings import mongo_tls
from ..store.tls import MongoTls
from .base import Group

MAX_PRIORITY = 1000  # MongoDB's own limit


def _read_version(_context: click.Context, _argument: click.Parameter, text: str) -> str:
    if not re.fullmatch(r"\d+\.\d+\.\d+", text):
        raise click.BadParameter(f"{text} is not a version of mongod, like 7.0.26")
    return text


# Every action has these.
_local = click.option(
    "--local",
    default="localhost:27017",
    show_default=True,
    metavar="NAME:PORT",
    help="the member over loopback",
)
_wait_seconds = click.option(
    "--wait",
    "seconds",
    type=float,
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="time limit for each thing that the action waits for",
)


@click.group(cls=Group, help="Set up the replica set and its users, and maintain its members.")
def command() -> None:
    """Do nothing: the action does."""


@command.command("setup", help="Set up the replica set and its users.")
@click.option(
    "--member",
    "texts",
    multiple=True,
    required=True,
    metavar="NAME:PORT[,PRIORITY]",
    help="a member's address for the others, and its priority (default: 1); repeat for each member",
)
@click.option(
    "--election-timeout",
    type=int,
    default=2000,
    show_default=True,
    metavar="MS",
    help="time without a primary before another one is elected",
)
@_local
@_wait_seconds
def _setup(texts: tuple[str, ...], election_timeout: int, local: str, seconds: float) -> int:
    tls = _tls()
    members = _read_members(texts)
    admin, service = _read_logins(tls)
    return _print(_set_up(members, admin, service, election_timeout, local, seconds, tls))


def _set_up(
    members: Sequence[replica_set.Member],
    admin: users.Login,
    service: users.Login,
    election_timeout: int,
    local: str,
    seconds: float,
    tls: MongoTls | None,
) -> Iterator[str]:
    name, hosts = admin.replica_set, [member.host for member in members]
    with replica_set.connect_member(local, tls) as member:
        known = replica_set.find(member, name, hosts[1:], seconds, tls)
        if not known:
            # With this member alone: it is then the primary, and only there the first user can be created.
            # The others join when there is an administrator to add them.
            known = hosts[:1]
            if replica_set.initiate(member, name, members[0], election_timeout):
                yield f"initiated the replica set {name} with {hosts[0]}"
        with replica_set.connect_set(name, known, tls) as whole:
            replica_set.wait_for_primary(whole, seconds)
        admin, service = admin.at(known), service.at(known)
        yield from users.ensure_admin(member, admin)
    with admin.connect() as client:
        yield from users.ensure_service(client, service)
        yield from membership.ensure_election_timeout(client, election_timeout, seconds)
        yield from membership.ensure_members(client, members, seconds, tls)


@command.command("remove", help="Remove a member from the replica set.")
@click.option("--member", required=True, metavar="NAME:PORT", help="its address for the other members")
@_local
@_wait_seconds
def _remove(member: str, local: str, seconds: float) -> int:
    with _administrator(local, _tls()).connect() as client:
        return _print(membership.remove(client, member, seconds))


@command.command("status", help="Print the state of each member.")
@_local
@_wait_seconds
def _status(local: str, seconds: float) -> int:
    with _administrator(local, _tls()).connect() as client:
        return _print(f"{host} {state}" for host, state in member_states.member_states(client).items())


@command.command("wait", help="Wait until all members are healthy.")
@_local
@_wait_seconds
def _wait(local: str, seconds: float) -> int:
    with _administrator(local, _tls()).connect() as client:
        member_states.wait_until_whole(client, seconds)
    return 0


@command.command("step-down", help="Let another member become the primary.")
@click.option("--from", "only", metavar="NAME:PORT", help="only if this member is the primary now")
@_local
@_wait_seconds
def _step_down(only: str | None, local: str, seconds: float) -> int:
    with _administrator(local, _tls()).connect() as client:
        if new_primary := member_states.step_down(client, seconds, only):
            print(f"{new_primary} is the primary now", flush=True)
    return 0


@command.command("versions", help="Print each member's version, and the data's.")
@_local
@_wait_seconds
def _versions(local: str, seconds: float) -> int:
    tls = _tls()
    with _administrator(local, tls).connect() as client:
        _print(f"{host} {version}" for host, version in upgrade.member_versions(client, tls).items())
        print(f"data {upgrade.data_version(client)}", flush=True)
    return 0


@command.command("check-version", help="Fail if this version of mongod could not open the data.")
@click.argument("version", metavar="VERSION", callback=_read_version, help="a version of mongod, like 7.0.26")
@_local
@_wait_seconds
def _check_version(version: str, local: str, seconds: float) -> int:
    with _administrator(local, _tls()).connect() as client:
        upgrade.check(client, version)
    return 0


@command.command("finish-upgrade", help="Mark the data for the version that all members run.")
@_local
@_wait_seconds
def _finish_upgrade(local: str, seconds: float) -> int:
    tls = _tls()
    with _administrator(local, tls).connect() as client:
        return _print(upgrade.finish(client, tls))


def _print(lines: Iterable[str]) -> int:
    """Print each line as soon as its change was made, and return the exit code."""
    for line in lines:
        print(line, flush=True)
    return 0


def _tls() -> MongoTls | None:
    return mongo_tls(process_environment())


def _administrator(local: str, tls: MongoTls | None) -> users.Login:
    """Return the administrator's login at the members that the local one knows."""
    admin, _ = _read_logins(tls)
    with replica_set.connect_member(local, tls) as member:
        known = replica_set.known_hosts(member, admin.replica_set)
    if not known:
        raise ConfigurationError(f"the member at {local} is not of the replica set {admin.replica_set}")
    return admin.at(known)


def _read_members(texts: Sequence[str]) -> list[replica_set.Member]:
    members = [_read_member(text) for text in texts]
    if len({member.host for member in members}) < len(members):
        raise ConfigurationError("--member names a member twice")
    if not any(member.priority for member in members):
        raise ConfigurationError(
            "--member: at least one priority must be above 0, or no member can be the primary"
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


def _read_logins(tls: MongoTls | None) -> tuple[users.Login, users.Login]:
    lines = sys.stdin.read().split()
    if len(lines) != 2:
        raise ConfigurationError(
            f"standard input has {len(lines)} connection strings instead of two:"
            " the administrator's and the service's, one per line"
        )
    admin, service = (users.Login.from_uri(line, tls) for line in lines)
    return admin, service
