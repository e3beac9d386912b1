"""``token``: make, list and revoke tokens on the machine itself, for when none is at hand.

    token create --name NAME --scope SCOPE …   prints the new token, once
    token list                                 prints one JSON object per token
    token revoke ID [--descendants]            ends a token

No token is asked for: see ``parts``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

from ..access import policy, scopes
from ..errors import CannotDecrypt, ConfigurationError, InvalidFields, TokenNotFound
from ..models import Token, now
from ..tokens import tokens
from ..tokens.attenuation import TokenRequest
from ..tokens.tokens import TokenServices
from .runtime import Runtime, open_runtime


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")

    create = actions.add_parser("create", help="make a token and print it")
    create.add_argument("--name", required=True, help="who or what will use it")
    create.add_argument(
        "--scope", action="append", required=True, help="fetch:team/app/*, admin, …; once for each"
    )
    create.add_argument("--expires-in", type=int, metavar="SECONDS", help="without it, it does not end")
    create.add_argument("--renewable", action="store_true", help="its holder may renew it")
    create.add_argument(
        "--if-no-admin", action="store_true", help="print nothing where there is an administrator's token"
    )
    create.set_defaults(act=_create)

    actions.add_parser("list", help="print what each token may do").set_defaults(act=_list)

    revoke = actions.add_parser("revoke", help="end a token")
    revoke.add_argument("token_id", metavar="ID")
    revoke.add_argument("--descendants", action="store_true", help="and all that were made with it")
    revoke.set_defaults(act=_revoke)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say and return the exit code.

    Raises:
        ConfigurationError: the arguments or the configuration cannot be used.
    """
    with open_runtime() as runtime:
        try:
            for line in args.act(runtime, args):
                print(line, flush=True)
        except InvalidFields as refused:
            raise ConfigurationError(
                "; ".join(message for found in refused.errors.values() for message in found)
            ) from None
        except TokenNotFound as refused:
            raise ConfigurationError(f"{refused}; `token list` shows those that there are") from None
        except CannotDecrypt as refused:
            raise ConfigurationError(f"a stored token cannot be trusted: {refused}") from None
    return 0


def _create(runtime: Runtime, args: argparse.Namespace) -> Iterator[str]:
    if args.if_no_admin and runtime.store.tokens.has_administrator(now()):
        return
    if args.expires_in is not None and args.expires_in < 1:
        raise ConfigurationError("--expires-in takes a number of seconds above 0")
    request = TokenRequest(
        name=args.name,
        scopes=tuple(scopes.parse(text) for text in args.scope),
        expires_in=args.expires_in,
        renewable=args.renewable,
    )
    with runtime.entry("token_create") as entry:
        text, _ = tokens.create(_tokens(runtime), entry, policy.OPERATOR, request)
    yield text


def _list(runtime: Runtime, args: argparse.Namespace) -> Iterator[str]:
    with runtime.entry("token_list"):
        after, page = "", tokens.list_(_tokens(runtime), policy.OPERATOR, "")
        found = [*page]
        while len(page) == tokens.PAGE:
            after = page[-1].token_id
            page = tokens.list_(_tokens(runtime), policy.OPERATOR, after)
            found += page
    for token in found:
        yield json.dumps(_shown(token))


def _revoke(runtime: Runtime, args: argparse.Namespace) -> Iterator[str]:
    with runtime.entry("token_revoke") as entry:
        ended = tokens.revoke(
            _tokens(runtime), entry, policy.OPERATOR, args.token_id, descendants=args.descendants
        )
    for token_id in ended:
        yield f"revoked {token_id}"


def _tokens(runtime: Runtime) -> TokenServices:
    # Other processes notice within seconds; this one remembers nothing.
    return TokenServices(runtime.store.tokens, runtime.ring, runtime.key_check, forget=lambda _token_id: None)


def _shown(token: Token) -> dict[str, object]:
    fields = asdict(token) | {"scopes": [str(scope) for scope in token.scopes]}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()
    }
