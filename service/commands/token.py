"""``token``: create, list and revoke tokens on the machine itself.

    token create --name NAME --scope SCOPE …   prints the new token; it is not shown again
    token list                                 prints one JSON object per token
    token revoke ID [--keep-descendants]       revokes a token and those that descend from it

These commands need no token: see ``runtime``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from ipaddress import ip_network

import click

from ..access import policy, scopes
from ..approles.ending import end_made_by
from ..errors import CannotDecrypt, ConfigurationError, InvalidFields, TokenNotFound
from ..models import now
from ..tokens import tokens
from ..tokens.attenuation import TokenRequest
from ..tokens.tokens import TokenServices
from .base import Group
from .records import all_pages, in_a_line, print_record
from .runtime import Runtime, open_runtime


@click.group(cls=Group, help="Create, list and revoke tokens; needs no token.")
def command() -> None:
    """Do nothing: the subcommand does."""


@command.command("create", help="Create a token and print it.")
@click.option("--name", required=True, help="who or what will use it")
@click.option(
    "--scope",
    "texts",
    metavar="SCOPE",
    multiple=True,
    required=True,
    help="fetch:team/app/*, admin, …; repeat",
)
@click.option("--expires-in", type=int, metavar="SECONDS", help="the token's lifetime; default: unlimited")
@click.option("--renewable", is_flag=True, help="its holder may renew it")
@click.option(
    "--network",
    "networks",
    metavar="NETWORK",
    multiple=True,
    help="only from this address or network: 192.0.2.7, 10.0.0.0/8; repeat",
)
@click.option("--if-no-admin", is_flag=True, help="create none if an administrator's token exists")
def _create(
    name: str,
    texts: tuple[str, ...],
    expires_in: int | None,
    renewable: bool,
    networks: tuple[str, ...],
    if_no_admin: bool,
) -> int:
    with _open_runtime() as runtime:
        if if_no_admin and runtime.store.tokens.has_administrator(now()):
            return 0
        if expires_in is not None and expires_in < 1:
            raise ConfigurationError("--expires-in takes a number of seconds above 0")
        request = TokenRequest(
            name=name,
            scopes=tuple(scopes.parse(text) for text in texts),
            expires_in=expires_in,
            renewable=renewable,
            networks=tuple(map(parse_network, networks)),
        )
        with runtime.entry("token_create") as entry:
            token, _ = tokens.create(token_services(runtime), entry, policy.OPERATOR, request)
        print(token, flush=True)
    return 0


@command.command("list", help="Print what each token may do.")
def _list() -> int:
    with _open_runtime() as runtime:
        with runtime.entry("token_list"):
            pages = all_pages(partial(tokens.list_, token_services(runtime), policy.OPERATOR))
        for page in pages:
            for token in page.tokens:
                print_record(asdict(token) | {"scopes": [str(scope) for scope in token.scopes]})
            for token_id in page.altered:
                print(
                    f"{token_id}: its record does not authenticate, so the token is refused",
                    file=sys.stderr,
                )
    return 1 if any(page.altered for page in pages) else 0


@command.command("revoke", help="Revoke a token and all that descend from it.")
@click.argument("token_id", metavar="ID", help="the id that `token list` shows")
@click.option("--keep-descendants", is_flag=True, help="leave the tokens alone that descend from it")
@click.option("--descendants", is_flag=True, hidden=True)  # The default now; scripts may still give it.
def _revoke(token_id: str, keep_descendants: bool, descendants: bool) -> int:
    if keep_descendants and descendants:
        raise ConfigurationError("--descendants and --keep-descendants contradict each other: give one")
    with _open_runtime() as runtime:
        with runtime.entry("token_revoke") as entry:
            revoked = tokens.revoke(
                token_services(runtime), entry, policy.OPERATOR, token_id, keep_descendants=keep_descendants
            )
        for revoked_id in revoked.token_ids:
            print(f"revoked {revoked_id}", flush=True)
        print(f"{revoked.ended} of these were not revoked before", file=sys.stderr)
    return 0


@contextmanager
def _open_runtime() -> Iterator[Runtime]:
    """Open the runtime; errors about tokens become one line for the operator.

    Raises:
        ConfigurationError: the arguments, a stored token or the configuration cannot be used.
    """
    with open_runtime() as runtime:
        try:
            yield runtime
        except InvalidFields as error:
            raise ConfigurationError(in_a_line(error)) from None
        except TokenNotFound as error:
            raise ConfigurationError(f"{error}; `token list` shows those that there are") from None
        except CannotDecrypt as error:
            raise ConfigurationError(f"a stored token cannot be trusted: {error}") from None


def token_services(runtime: Runtime) -> TokenServices:
    """Return what the use cases of tokens work with in a command."""
    # Other processes notice a revocation within seconds; this one caches no tokens.
    store = runtime.store
    end_roles = partial(end_made_by, store.approles, store.secret_ids, runtime.ring)
    return TokenServices(
        store.tokens, store.sessions, runtime.ring, runtime.key_check, lambda _id: None, end_roles
    )


def parse_network(text: str) -> str:
    """Return the value of ``--network``.

    Raises:
        ConfigurationError: it is no address or network.
    """
    try:
        ip_network(text)
    except ValueError:
        raise ConfigurationError(
            f"--network {text} is not an address or a network: "
            "write it like 192.0.2.7 or 10.0.0.0/8 (no host bits set)"
        ) from None
    return text
