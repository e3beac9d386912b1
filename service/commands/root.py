"""The root command: knows every command's name and purpose, and imports only the one that is run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from .. import __version__
from .base import Group

PROGRAM = "python -m service"
# Set by the scripts that ``completion`` prints.
COMPLETE_VARIABLE = "_SECRET_MANAGER_COMPLETE"

# Name: (module, purpose).  The module's ``command`` has the same purpose, which a test holds together.
COMMANDS = {
    "dev": ("dev", "Run the API and a private MongoDB on this machine, to try it out or to develop."),
    "indexes": ("indexes", "Create the database's indexes, or update those that differ."),
    "token": ("token", "Create, list and revoke tokens; needs no token."),
    "grant": ("grant", "Say which Swarm services may be given which secrets; needs no token."),
    "approle": (
        "approle",
        "Manage roles that programs log in as, and their secret ids; needs no token.",
    ),
    "roll": (
        "roll",
        "Roll a version of a secret out to the Swarm services that use it, one after the other.",
    ),
    "key": ("key", "Show what is encrypted under which master key, or re-encrypt it under the primary key."),
    "escrow": ("escrow", "Seal master keys for the operator's own key pair, and open sealed keys."),
    "import": (
        "import_",
        "Import secrets from files, from exports of other programs, or from a running Vault or OpenBao.",
    ),
    "export": ("export", "Write all secrets of a folder to a file, encrypted under a passphrase."),
    "backup": ("backup", "Create, inspect and restore backups, or test that one can be restored."),
    "audit": ("audit", "Print the newest audit records, verify the audit log, or export it."),
    "explain": ("explain", "Say why a task of the Swarm does not start, or which versions it has."),
    "mongo": ("mongo", "Set up the replica set and its users, and maintain its members."),
    "health": ("health", "Ask the local API whether its process is running; for container health checks."),
    "completion": ("completion", "Print a script that completes these commands in bash, zsh or fish."),
}


class LazyGroup(Group):
    """A group that imports a command's module only to run that command or to show its help."""

    def __init__(self, *, modules: Mapping[str, tuple[str, str]], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]  # passed through as they are
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return the command, or None if there is none of this name."""
        if cmd_name not in self._modules:
            return None
        module, _ = self._modules[cmd_name]
        command = import_module(f".{module}", __package__).command
        assert isinstance(command, click.Command)  # noqa: S101  (tells mypy)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names and purposes without importing a module."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_, purpose) in self._modules.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Return the names and options that begin like this without importing a module."""
        names = [
            CompletionItem(name, help=purpose)
            for name, (_, purpose) in self._modules.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=LazyGroup,
    modules=COMMANDS,
    help="A small secret manager.",
    # Subcommands inherit this.
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(version)s", help="Print the version.")
def root() -> None:
    """Do nothing: the subcommand does."""


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code; 2 if the command line is invalid."""
    if instruction := os.environ.get(COMPLETE_VARIABLE):
        from .completion import complete

        return complete(root, instruction)
    try:
        # Not ``root.main``, which would turn Ctrl-C and the end of a pipe into errors of its own.
        with root.make_context(PROGRAM, arguments) as context:
            code: int = root.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return code
