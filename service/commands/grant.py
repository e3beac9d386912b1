"""``grant``: create, list and delete grants on the machine itself.

    grant create --service NAME … --path PATH …   prints the new grant as a JSON object
    grant list                                    prints one JSON object per grant
    grant delete ID                               deletes a grant

These commands need no token: see ``runtime``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

import click

from ..access import policy
from ..errors import ConfigurationError, GrantNotFound, InvalidFields
from ..grants import grants
from ..grants.grants import GrantServices
from ..grants.rules import GrantRequest
from .base import Group
from .records import all_pages, in_a_line, print_record
from .runtime import Runtime, open_runtime


@click.group(cls=Group, help="Say which Swarm services may be given which secrets; needs no token.")
def command() -> None:
    """Do nothing: the subcommand does."""


@command.command("create", help="Let services be given secrets; print the grant.")
@click.option(
    "--service",
    "services",
    metavar="NAME",
    multiple=True,
    required=True,
    help="billing_api, or billing_* for all that begin so; repeat",
)
@click.option(
    "--path",
    "paths",
    metavar="PATH",
    multiple=True,
    required=True,
    help="team/billing/db-password, or team/billing/* for all below; repeat",
)
@click.option("--node", "nodes", metavar="ID", multiple=True, help="only tasks on this node; repeat")
@click.option(
    "--image", "images", metavar="NAME@DIGEST", multiple=True, help="only tasks of this image; repeat"
)
def _create(
    services: tuple[str, ...], paths: tuple[str, ...], nodes: tuple[str, ...], images: tuple[str, ...]
) -> int:
    with _open_runtime() as runtime:
        request = GrantRequest(services, paths, nodes, images)
        with runtime.entry("grant_create") as entry:
            grant = grants.create(_grants(runtime), entry, policy.OPERATOR, request)
        print_record(asdict(grant))
    return 0


@command.command("list", help="Print the grants that are in force.")
def _list() -> int:
    with _open_runtime() as runtime:
        with runtime.entry("grant_list"):
            pages = all_pages(partial(grants.list_, _grants(runtime), policy.OPERATOR))
        for page in pages:
            for grant in page.grants:
                print_record(asdict(grant))
            for grant_id in page.altered:
                print(f"{grant_id}: its record does not authenticate, so it grants nothing", file=sys.stderr)
    return 1 if any(page.altered for page in pages) else 0


@command.command("delete", help="Delete a grant.")
@click.argument("grant_id", metavar="ID")
def _delete(grant_id: str) -> int:
    with _open_runtime() as runtime:
        with runtime.entry("grant_delete") as entry:
            grants.delete(_grants(runtime), entry, policy.OPERATOR, grant_id)
        print(f"deleted {grant_id}", flush=True)
    return 0


@contextmanager
def _open_runtime() -> Iterator[Runtime]:
    """Open the runtime; errors about grants become one line for the operator.

    Raises:
        ConfigurationError: the arguments or the configuration cannot be used.
    """
    with open_runtime() as runtime:
        try:
            yield runtime
        except InvalidFields as error:
            raise ConfigurationError(in_a_line(error)) from None
        except GrantNotFound as error:
            raise ConfigurationError(f"{error}; `grant list` shows those that there are") from None


def _grants(runtime: Runtime) -> GrantServices:
    # Other processes notice a change within seconds; this one delivers nothing.
    return GrantServices(runtime.store.grants, runtime.ring, runtime.key_check, forget=lambda: None)
