"""``python -m service mongo …``: the replica set and its users, as the deployment needs them.

    mongo setup --member NAME:PORT …    initiates the replica set, creates the users, adds members

Runs where the first member's loopback interface is its own: in the member's network namespace.
Standard input has two connection strings, one per line: the administrator's and the service's.
Nothing secret is in an argument or in the output.  Prints one line per change, none where nothing
was to do.
"""

from __future__ import annotations

import argparse
import sys

from ..errors import StartRefused
from ..store import replica_set, users


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    setup = actions.add_parser("setup", help="initiate the replica set and create the users")
    setup.add_argument(
        "--member",
        action="append",
        required=True,
        metavar="NAME:PORT",
        help="a member as the others reach it, this one first; once for each",
    )
    setup.add_argument(
        "--local", default="localhost:27017", metavar="NAME:PORT", help="the member over loopback"
    )
    setup.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="for a primary (default 60)")
    setup.set_defaults(act=_setup)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say and return the exit code."""
    for change in args.act(args):
        print(change)
    return 0


def _setup(args: argparse.Namespace) -> list[str]:
    admin, service = _read_logins()
    changes = []
    with replica_set.connect_member(args.local) as local:
        # With this member alone: it is then the primary, the one place where the first user can be
        # created.  The others join when there is an administrator to add them.
        if replica_set.initiate(local, admin.replica_set, args.member[:1]):
            changes.append(f"initiated the replica set {admin.replica_set} with {args.member[0]}")
        replica_set.wait_for_primary(local, args.wait)
        changes += users.ensure_admin(local, admin)
    with admin.connect() as client:
        changes += users.ensure_service(client, service)
        for host in replica_set.add_members(client, args.member, args.wait):
            changes.append(f"added {host} to the replica set {admin.replica_set}")
    return changes


def _read_logins() -> tuple[users.Login, users.Login]:
    lines = sys.stdin.read().split()
    if len(lines) != 2:
        raise StartRefused(
            f"standard input has {len(lines)} connection strings instead of two:"
            " the administrator's and the service's, one per line"
        )
    admin, service = map(users.Login.from_uri, lines)
    return admin, service
