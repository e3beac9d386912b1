"""``approle``: create, list and delete AppRoles and their secret ids on the machine itself.

    approle create --name NAME --scope SCOPE …   prints the new role as a JSON object
    approle list                                 prints one JSON object per role
    approle delete ROLE                          deletes a role and revokes its tokens
    approle secret-id create ROLE                prints a new secret id; it is not shown again
    approle secret-id list ROLE                  prints one JSON object per secret id
    approle secret-id revoke ACCESSOR            revokes a secret id and its tokens

A role is named by its name or its id.  These commands need no token: see ``runtime``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

import click

from ..access import policy, scopes
from ..approles import roles, rules, secret_ids
from ..approles.rules import RoleRequest, SecretIdRequest
from ..approles.services import AppRoleServices
from ..errors import (
    CannotDecrypt,
    ConfigurationError,
    InvalidFields,
    RoleNameTaken,
    RoleNotFound,
    SecretIdNotFound,
)
from ..models import AppRole
from .base import Group
from .records import all_pages, in_a_line, print_record
from .runtime import Runtime, open_runtime
from .token import parse_network, token_services

_AT_LEAST_ONE = click.IntRange(min=1)


@click.group(cls=Group, help="Manage roles that programs log in as, and their secret ids; needs no token.")
def command() -> None:
    """Do nothing: the subcommand does."""


@command.command("create", help="Create a role and print it.")
@click.option("--name", required=True, help="the role's name")
@click.option(
    "--scope", "texts", metavar="SCOPE", multiple=True, required=True, help="fetch:team/app/*, …; repeat"
)
@click.option(
    "--expires-in",
    type=_AT_LEAST_ONE,
    metavar="SECONDS",
    default=rules.DEFAULT_LIFETIME,
    help=f"the lifetime of its tokens; default: {rules.DEFAULT_LIFETIME}",
)
@click.option("--not-renewable", is_flag=True, help="its tokens cannot be renewed")
@click.option("--max-uses", type=_AT_LEAST_ONE, metavar="N", help="how many calls each token may make")
@click.option(
    "--network",
    "networks",
    metavar="NETWORK",
    multiple=True,
    help="only from this address or network; repeat",
)
@click.option(
    "--rate-limit", type=_AT_LEAST_ONE, metavar="N", help="calls per minute of all its tokens together"
)
@click.option(
    "--role-expires-in", type=_AT_LEAST_ONE, metavar="SECONDS", help="when the role ends; default: never"
)
def _create(
    name: str,
    texts: tuple[str, ...],
    expires_in: int,
    not_renewable: bool,
    max_uses: int | None,
    networks: tuple[str, ...],
    rate_limit: int | None,
    role_expires_in: int | None,
) -> int:
    with _open_runtime() as runtime:
        request = RoleRequest(
            name=name,
            scopes=tuple(map(scopes.parse, texts)),
            lifetime=expires_in,
            renewable=False if not_renewable else None,
            max_uses=max_uses,
            networks=tuple(map(parse_network, networks)),
            rate_limit=rate_limit,
            expires_in=role_expires_in,
        )
        with runtime.entry("approle_create") as entry:
            role = roles.create(_approles(runtime), entry, policy.OPERATOR, request)
        _print_role(role)
    return 0


@command.command("list", help="Print the roles that there are.")
def _list() -> int:
    with _open_runtime() as runtime:
        with runtime.entry("approle_list"):
            pages = all_pages(partial(roles.list_, _approles(runtime), policy.OPERATOR))
        for page in pages:
            for role in page.roles:
                _print_role(role)
            for role_id in page.altered:
                print(f"{role_id}: its record does not authenticate, so nobody can log in", file=sys.stderr)
    return 1 if any(page.altered for page in pages) else 0


@command.command("delete", help="Delete a role and revoke its tokens.")
@click.argument("role", metavar="ROLE")
def _delete(role: str) -> int:
    with _open_runtime() as runtime:
        with runtime.entry("approle_delete") as entry:
            role_id = roles.delete(_approles(runtime), entry, policy.OPERATOR, role)
        print(f"deleted {role_id}", flush=True)
    return 0


@command.group("secret-id", cls=Group, help="Manage the secret ids of a role.")
def _secret_id() -> None:
    """Do nothing: the subcommand does."""


@_secret_id.command("create", help="Create a secret id and print it, or how to fetch it once.")
@click.argument("role", metavar="ROLE")
@click.option("--expires-in", type=_AT_LEAST_ONE, metavar="SECONDS", help="its lifetime; default: unlimited")
@click.option(
    "--max-uses", type=_AT_LEAST_ONE, metavar="N", help="how many logins it is good for; default: any number"
)
@click.option(
    "--network",
    "networks",
    metavar="NETWORK",
    multiple=True,
    help="only from this address or network; repeat",
)
@click.option(
    "--wrap",
    type=_AT_LEAST_ONE,
    metavar="SECONDS",
    help="print a token instead that can fetch it once, within this time",
)
def _create_secret_id(
    role: str, expires_in: int | None, max_uses: int | None, networks: tuple[str, ...], wrap: int | None
) -> int:
    with _open_runtime() as runtime:
        request = SecretIdRequest(expires_in, max_uses, tuple(map(parse_network, networks)), wrap)
        with runtime.entry("approle_secret_id_create") as entry:
            created = secret_ids.create(_approles(runtime), entry, policy.OPERATOR, role, request)
        if created.wrapped is None:
            print(created.text, flush=True)
        else:
            wrapped = created.wrapped
            fetch = {"secret_id": wrapped.secret_id}
            shown = {"token": wrapped.token, "fetch": fetch, "expires_at": wrapped.expires_at.isoformat()}
            print(json.dumps(shown), flush=True)
        print(
            f"role id {created.role.role_id}, accessor {created.secret_id.accessor}",
            file=sys.stderr,
            flush=True,
        )
    return 0


@_secret_id.command("list", help="Print the secret ids of a role, never what to log in with.")
@click.argument("role", metavar="ROLE")
def _list_secret_ids(role: str) -> int:
    with _open_runtime() as runtime:
        with runtime.entry("approle_secret_id_list") as entry:
            pages = all_pages(partial(secret_ids.list_, _approles(runtime), entry, policy.OPERATOR, role))
        for page in pages:
            for secret_id in page.secret_ids:
                print_record(asdict(secret_id))
            for accessor in page.altered:
                print(f"{accessor}: its record does not authenticate, so nobody can log in", file=sys.stderr)
    return 1 if any(page.altered for page in pages) else 0


@_secret_id.command("revoke", help="Revoke a secret id and the tokens that it was exchanged for.")
@click.argument("accessor", metavar="ACCESSOR")
@click.option("--keep-tokens", is_flag=True, help="leave these tokens alone")
def _revoke(accessor: str, keep_tokens: bool) -> int:
    with _open_runtime() as runtime:
        with runtime.entry("approle_secret_id_revoke") as entry:
            secret_ids.revoke(_approles(runtime), entry, policy.OPERATOR, accessor, keep_tokens=keep_tokens)
        print(f"revoked {accessor}", flush=True)
    return 0


@contextmanager
def _open_runtime() -> Iterator[Runtime]:
    """Open the runtime; errors about AppRoles become one line for the operator.

    Raises:
        ConfigurationError: the arguments, a stored role or the configuration cannot be used.
    """
    with open_runtime() as runtime:
        try:
            yield runtime
        except InvalidFields as error:
            raise ConfigurationError(in_a_line(error)) from None
        except RoleNotFound as error:
            raise ConfigurationError(f"{error}; `approle list` shows those that there are") from None
        except SecretIdNotFound as error:
            raise ConfigurationError(
                f"{error}; `approle secret-id list` shows those that there are"
            ) from None
        except RoleNameTaken as error:
            raise ConfigurationError(str(error)) from None
        except CannotDecrypt as error:
            raise ConfigurationError(f"a stored role cannot be trusted: {error}") from None


def _approles(runtime: Runtime) -> AppRoleServices:
    store = runtime.store
    return AppRoleServices(store.approles, store.secret_ids, token_services(runtime), runtime.secrets)


def _print_role(role: AppRole) -> None:
    print_record(asdict(role) | {"scopes": [str(scope) for scope in role.scopes]})
