"""The click classes of all commands."""

from __future__ import annotations

import click
from click.core import augment_usage_errors


class Formatter(click.HelpFormatter):
    """Writes ``usage:`` in lower case: scripts look for it."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        super().write_usage(prog, args, "usage: " if prefix is None else prefix)


class Context(click.Context):
    """A context with this formatter."""

    formatter_class = Formatter


class Command(click.Command):
    """A command that returns its exit code."""

    context_class = Context

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; every usage error shows the usage, also those of click's parser."""
        with augment_usage_errors(ctx):
            return super().parse_args(ctx, args)


class Group(click.Group):
    """A command with subcommands."""

    context_class = Context
    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they were added."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; see ``Command``."""
        with augment_usage_errors(ctx):
            return super().parse_args(ctx, args)


class File(click.Path):
    """The name of a file, which the shell completes; the command itself finds out whether it can be used."""

    def __init__(self) -> None:
        super().__init__(readable=False, allow_dash=True)
