"""``python -m service COMMAND``: what an operator does by hand, or a role does for them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from .errors import ConfigurationError, Unavailable

# A command's module is imported only when it is the one asked for: a container's health check runs
# every few seconds and has no use for the rest of the service.
COMMANDS = {
    "dev": ("dev", "run the API and a private MongoDB on this machine, for trying out and developing"),
    "indexes": ("indexes", "create the database's indexes or bring them in line"),
    "token": ("token", "make, list and revoke tokens, for when none is at hand"),
    "key": ("key", "show what is under which master key, and bring all of it under the primary one"),
    "escrow": ("escrow", "seal the master keys for the operator's own key pair, and open what was sealed"),
    "import": ("import_", "bring secrets in from JSON lines, .env files, and KV exports of Vault or OpenBao"),
    "export": ("export", "write all secrets of a folder to a file, encrypted under a passphrase"),
    "backup": ("backup", "make a backup, bring one back, or show that one could be brought back"),
    "audit": ("audit", "print the newest audit records, verify the log, or export it"),
    "mongo": ("mongo", "set up the replica set and its users, and look after its members"),
    "health": ("health", "ask the local API whether its process runs; for container health checks"),
}

REFUSED = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    2 where it was refused, with one line that says why; 130 where Ctrl-C ended it.
    """
    parser = argparse.ArgumentParser(prog="python -m service", description="A small secret manager.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    arguments = sys.argv[1:] if arguments is None else arguments
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if name in arguments[:1]:
            chosen = import_module(f".commands.{module}", __package__)
            chosen.add_arguments(command)
            command.set_defaults(run=chosen.run)
    args = parser.parse_args(arguments)
    try:
        code: int = args.run(args)
        return code
    except (ConfigurationError, Unavailable) as refused:
        print(f"secret-manager: {refused}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
