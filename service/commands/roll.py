"""``roll``: give the Swarm services that use a secret another version of it, with a way back.

It runs on a manager, with the engine's socket, and asks the vault's API with a token:

    roll team/billing/db-password --address https://192.0.2.11:8000 --ca ca.pem --token-file token

The exit codes are those of ``swarm.roll.Outcome``, and 2 if nothing was touched.
"""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import ConfigurationError
from ..swarm.consumers import Allowances
from ..swarm.engine import DEFAULT_SOCKET, Engine
from ..swarm.errors import SwarmError
from ..swarm.roll import Roll, RollRequest
from ..swarm.vault import Vault
from .base import Command, File

_EXIT_CODES = """\b
0  every service runs with the new version
1  so they do, but the hook failed that was to run after it
2  nothing was touched
3  every service runs with the version that it had
4  mixed: the output says which service has which version
"""


@click.command(
    cls=Command,
    help="Roll a version of a secret out to the Swarm services that use it, one after the other.",
    epilog=_EXIT_CODES,
)
@click.argument("path", metavar="PATH")
@click.option("--to", type=click.IntRange(min=1), metavar="VERSION", help="default: the current version")
@click.option("--generate", is_flag=True, help="let the vault generate a new value, and roll that out")
@click.option("--length", type=click.IntRange(min=1), help="of the generated value, in characters")
@click.option("--alphabet", metavar="NAME", help="of the generated value: alphanumeric, hex, digits …")
@click.option(
    "--hook",
    metavar="FILE",
    type=File(),
    help="run this program with `before`, then `after` or `failed`; old value on descriptor 3, new on 4",
)
@click.option("--all-or-nothing", is_flag=True, help="if one service fails, put all back that were updated")
@click.option("--dry-run", is_flag=True, help="check everything, say what would be done, and change nothing")
@click.option("--no-health-check", is_flag=True, help="also roll services without a health check")
@click.option("--any-failure-action", is_flag=True, help="also roll services that Swarm does not roll back")
@click.option("--no-way-back", is_flag=True, help="also roll if the present version is not live any more")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="for the update of one service",
)
@click.option(
    "--address",
    "addresses",
    metavar="URL",
    multiple=True,
    required=True,
    help="of the vault, such as https://192.0.2.11:8000; repeat",
)
@click.option("--ca", metavar="FILE", type=File(), help="the CA that issued the vault's certificate")
@click.option("--token-file", metavar="FILE", type=File(), required=True, help="holds the token")
@click.option("--docker", metavar="SOCKET", default=DEFAULT_SOCKET, show_default=True, help="of a manager")
def command(
    path: str,
    to: int | None,
    generate: bool,
    length: int | None,
    alphabet: str | None,
    hook: str | None,
    all_or_nothing: bool,
    dry_run: bool,
    no_health_check: bool,
    any_failure_action: bool,
    no_way_back: bool,
    timeout: float,
    addresses: tuple[str, ...],
    ca: str | None,
    token_file: str,
    docker: str,
) -> int:
    """Roll, say what is done, and return how it ended.

    Raises:
        ConfigurationError: nothing was touched; the message says why.
    """
    rule = {name: given for name, given in (("length", length), ("alphabet", alphabet)) if given is not None}
    if generate and to is not None:
        raise ConfigurationError("--generate rolls to a new version: leave --to out")
    if rule and not generate:
        raise ConfigurationError("--length and --alphabet are for --generate")
    request = RollRequest(
        path=path,
        to=to,
        generate=rule if generate else None,
        hook=Path(hook) if hook else None,
        all_or_nothing=all_or_nothing,
        dry_run=dry_run,
        allowed=Allowances(no_health_check, any_failure_action, no_way_back),
        seconds=timeout,
    )
    try:
        vault = Vault(addresses, Path(ca) if ca else None, Path(token_file))
        return Roll(Engine(docker), vault, request, _say).run()
    except SwarmError as error:
        raise ConfigurationError(str(error)) from None


def _say(line: str) -> None:
    print(line, flush=True)
