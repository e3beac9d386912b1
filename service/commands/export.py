"""``export``: write secrets as JSON lines that ``import`` reads, sealed under a passphrase.

Each secret has its own audit record, and no secret is written before its record is durable.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import click

from ..access import paths, policy
from ..crypto import stream
from ..errors import ConfigurationError, InvalidFields
from ..secrets.create import CreateSecret
from ..transfer import exporting, files, plan
from ..transfer.exporting import Unopened
from ..transfer.formats import jsonlines
from . import passphrases
from .base import Command, File
from .progress import Progress
from .runtime import Runtime, open_runtime


@dataclass(slots=True)
class _Report:
    exported: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    unopened: list[Unopened] = field(default_factory=list)

    def print(self) -> None:
        """Print what was exported to standard error: standard output may have the secrets."""
        for secret in self.unopened:
            print(
                f"{secret.path}: not exported, because it cannot be decrypted: {secret.error}",
                file=sys.stderr,
            )
        left_out = ", ".join(f"{count} {why}" for why, count in sorted(self.left_out.items()))
        print(
            f"exported: {self.exported}; not decryptable: {len(self.unopened)}; left out: {left_out or 0}",
            file=sys.stderr,
        )


@click.command(cls=Command, help="Write all secrets of a folder to a file, encrypted under a passphrase.")
@click.option(
    "--prefix", default="", metavar="FOLDER", help="export this folder; default: all secrets that have a path"
)
@click.option(
    "--output", default="-", metavar="FILE", type=File(), help="a new file; default: standard output"
)
@click.option(
    "--passphrase-file", metavar="FILE", type=File(), help="file with the passphrase; default: ask for it"
)
@click.option("--in-the-clear", is_flag=True, help="do not encrypt; requires --anyone-can-read-it")
@click.option(
    "--anyone-can-read-it",
    is_flag=True,
    help="confirm that anybody who gets the output can read every secret in it",
)
def command(
    prefix: str, output: str, passphrase_file: str | None, in_the_clear: bool, anyone_can_read_it: bool
) -> int:
    """Export, print what was exported, and return 1 if a secret cannot be decrypted.

    Raises:
        ConfigurationError: the arguments or the configuration cannot be used.
    """
    if in_the_clear != anyone_can_read_it:
        raise ConfigurationError(
            "without encryption, anybody who gets the output can read every secret in it:"
            " to do that, give both --in-the-clear and --anyone-can-read-it"
        )
    if in_the_clear and passphrase_file:
        raise ConfigurationError("--passphrase-file is for an encrypted export: leave --in-the-clear out")
    if output == "-" and sys.stdout.isatty() and not in_the_clear:
        raise ConfigurationError(
            "an encrypted export is not printed on a terminal: name a file with --output"
        )
    try:
        folder = paths.folder(prefix)
    except InvalidFields as error:
        raise ConfigurationError(plan.describe_error(error)) from None
    passphrase = None if in_the_clear else passphrases.new(passphrase_file)
    report = _Report()
    with open_runtime() as runtime, _open_output(output) as file:
        lines = _lines(runtime, folder, report)
        for piece in lines if passphrase is None else stream.seal(lines, passphrase):
            file.write(piece)
        file.flush()
    report.print()
    return 1 if report.unopened else 0


def _open_output(name: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer) if name == "-" else files.atomic_file(Path(name))


def _lines(runtime: Runtime, folder: str, report: _Report) -> Iterator[bytes]:
    progress = Progress("exporting")
    for page in exporting.pages(runtime.secrets, policy.OPERATOR, folder):
        report.left_out += page.left_out
        if not page.found:
            continue
        with runtime.entry("export") as entry:
            secrets = exporting.open_(runtime.secrets, entry, page)
        # Only now: the records are durable.
        for secret in secrets:
            if isinstance(secret, CreateSecret):
                report.exported += 1
                yield jsonlines.write(secret)
            else:
                report.unopened.append(secret)
        progress.add(len(secrets))
