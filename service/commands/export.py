"""``export``: write secrets as JSON lines that ``import`` takes, sealed under a passphrase.

Each one has its own audit record, and none leaves before that is durable.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ..access import paths, policy
from ..crypto import stream
from ..errors import ConfigurationError, InvalidFields
from ..secrets.create import CreateSecret
from ..transfer import exporting, files, plan
from ..transfer.exporting import Unopened
from ..transfer.formats import jsonlines
from . import passphrases
from .progress import Progress
from .runtime import Runtime, open_runtime


@dataclass(slots=True)
class _Report:
    exported: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    unopened: list[Unopened] = field(default_factory=list)

    def print(self) -> None:
        """Say on standard error what was exported and what was not: the secrets may be on the other one."""
        for one in self.unopened:
            print(f"{one.path}: not exported, as it does not open: {one.error}", file=sys.stderr)
        left_out = ", ".join(f"{count} {why}" for why, count in sorted(self.left_out.items()))
        print(
            f"exported: {self.exported}; not to be opened: {len(self.unopened)}; left out: {left_out or 0}",
            file=sys.stderr,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--prefix",
        default="",
        metavar="FOLDER",
        help="what is below it; without it, all that has a path",
    )
    parser.add_argument(
        "--output", default="-", metavar="FILE", help="a new file; without it, standard output"
    )
    parser.add_argument(
        "--passphrase-file",
        metavar="FILE",
        help="where the passphrase is; else it is asked for",
    )
    parser.add_argument(
        "--in-the-clear", action="store_true", help="do not encrypt; takes --anyone-can-read-it as well"
    )
    parser.add_argument(
        "--anyone-can-read-it", action="store_true", help="yes, every secret, for whoever gets at the output"
    )


def run(args: argparse.Namespace) -> int:
    """Export, say what was and what was not, and return 1 where a secret does not open.

    Raises:
        ConfigurationError: the arguments or the configuration cannot be used.
    """
    _require_sense(args)
    try:
        folder = paths.folder(args.prefix)
    except InvalidFields as refused:
        raise ConfigurationError(plan.describe_error(refused)) from None
    passphrase = None if args.in_the_clear else passphrases.new(args.passphrase_file)
    report = _Report()
    with open_runtime() as runtime, _output(args.output) as output:
        lines = _lines(runtime, folder, report)
        for piece in lines if passphrase is None else stream.seal(lines, passphrase):
            output.write(piece)
        output.flush()
    report.print()
    return 1 if report.unopened else 0


def _require_sense(args: argparse.Namespace) -> None:
    if args.in_the_clear != args.anyone_can_read_it:
        raise ConfigurationError(
            "in the clear, whoever gets at the output has every secret in it: if you mean that, say both"
            " --in-the-clear and --anyone-can-read-it"
        )
    if args.in_the_clear and args.passphrase_file:
        raise ConfigurationError("--passphrase-file is for an encrypted export: leave --in-the-clear out")
    if args.output == "-" and sys.stdout.isatty() and not args.in_the_clear:
        raise ConfigurationError("an encrypted export is no text for a terminal: name a file with --output")


def _output(name: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer) if name == "-" else files.atomic_file(Path(name))


def _lines(runtime: Runtime, folder: str, report: _Report) -> Iterator[bytes]:
    progress = Progress("exporting")
    for page in exporting.pages(runtime.secrets, policy.OPERATOR, folder):
        report.left_out += page.left_out
        if not page.found:
            continue
        with runtime.entry("export") as entry:
            found = exporting.open_(runtime.secrets, entry, page)
        # Only now, with the records durable.
        for one in found:
            if isinstance(one, CreateSecret):
                report.exported += 1
                yield jsonlines.write(one)
            else:
                report.unopened.append(one)
        progress.add(len(found))
