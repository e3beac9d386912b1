"""``import``: create or update secrets from a file; all of it is checked before anything is written.

The whole file is held in memory.  Each secret that is created or changed has its own audit record.
"""

from __future__ import annotations

import io
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

import click

from ..access import paths, policy
from ..crypto import stream
from ..environment import read_file
from ..errors import (
    ConfigurationError,
    ImportFormatError,
    InvalidFields,
    PathTaken,
    Tampered,
    Unavailable,
    VaultError,
)
from ..transfer import importing, plan
from ..transfer.formats import detect, folder_of_files
from ..transfer.formats.detect import Format
from ..transfer.formats.dotenv import Dialect
from ..transfer.formats.line import Line
from ..transfer.importing import Existing, ImportOutcome
from ..transfer.plan import PlannedLine
from . import passphrases
from .base import Command, File
from .progress import Progress
from .runtime import Runtime, open_runtime

_FAILED = "failed"
_INTERRUPTED = 130


@click.command(
    cls=Command,
    help="Import secrets from JSON lines, .env files, a folder of files, or the exports of other programs.",
)
@click.argument(
    "file", metavar="FILE", type=File(), help="what to import: a file or a folder; - is standard input"
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice([str(choice) for choice in Format]),
    help="default: detected from what the file says of itself",
)
@click.option(
    "--dialect",
    "dialect_name",
    type=click.Choice([str(choice) for choice in Dialect]),
    help="read an .env file as this program does; default: refuse what the four read in different ways",
)
@click.option(
    "--prefix",
    default="",
    metavar="FOLDER",
    help="the folder to import into; a secret without a path of its own gets this path",
)
@click.option(
    "--split",
    is_flag=True,
    help="create one secret for each field of a secret that has fields, not one for all",
)
@click.option(
    "--values-only",
    is_flag=True,
    help="leave out notes, comments, tags and addresses, which are refused else",
)
@click.option(
    "--existing",
    "existing_name",
    type=click.Choice([str(choice) for choice in Existing]),
    default=str(Existing.REFUSE),
    show_default=True,
    help="if a secret with this path exists: import nothing at all, skip it, or update it",
)
@click.option(
    "--allow-empty",
    is_flag=True,
    help="let --existing update put an empty value in the place of one that is not",
)
@click.option("--dry-run", is_flag=True, help="only print what would be done with each line")
@click.option(
    "--passphrase-file",
    metavar="FILE",
    type=File(),
    help="file with an export's passphrase; default: ask for it",
)
def command(
    file: str,
    format_name: str | None,
    dialect_name: str | None,
    prefix: str,
    split: bool,
    values_only: bool,
    existing_name: str,
    allow_empty: bool,
    dry_run: bool,
    passphrase_file: str | None,
) -> int:
    """Import, print what was done, and return 1 if a secret was not (or would not be) imported.

    Raises:
        ConfigurationError: the arguments, the file or the configuration cannot be used; nothing was imported.
    """
    existing = Existing(existing_name)
    try:
        folder = paths.folder(prefix)
        dialect = None if dialect_name is None else Dialect(dialect_name)
        lines, unit = _read(file, format_name, dialect, passphrase_file, split=split, values_only=values_only)
    except (InvalidFields, ImportFormatError, Tampered) as error:
        raise ConfigurationError(f"{file}: {plan.describe_error(error)}") from None
    with open_runtime() as runtime:
        planned = plan.plan(
            runtime.secrets, policy.OPERATOR, lines, folder, existing, allow_empty=allow_empty, unit=unit
        )
        refused = [line for line in planned if line.outcome is ImportOutcome.REFUSE]
        if dry_run:
            _print(planned, unit, sys.stdout)
            print(f"dry run, nothing was changed; {_counts(Counter(line.outcome for line in planned))}")
            if not plan.has_names(planned):
                print("names are shown once every line can be read")
            return 1 if refused else 0
        if refused:
            _print(refused, unit, sys.stderr)
            raise ConfigurationError(
                f"nothing was imported: {len(refused)} of {len(planned)} cannot be{_hint(refused)}"
            )
        _print([line for line in planned if line.outcome is ImportOutcome.NULL], unit, sys.stdout)
        return _carry_out(runtime, planned, unit, _how_to_go_on(existing))


def _read(
    file: str,
    format_name: str | None,
    dialect: Dialect | None,
    passphrase_file: str | None,
    *,
    split: bool,
    values_only: bool,
) -> tuple[list[Line], str]:
    """Return the lines of a file or a folder, and what their numbers count."""
    if file != "-" and Path(file).is_dir():
        _require_none_for_folders(format_name, dialect, split, values_only, passphrase_file)
        return list(folder_of_files.read(Path(file))), folder_of_files.UNIT
    content = sys.stdin.buffer.read() if file == "-" else read_file("FILE", Path(file))
    if content.startswith(stream.MAGIC):
        passphrase = passphrases.known(passphrase_file)
        content = b"".join(stream.open_(io.BytesIO(content), passphrase))
    elif passphrase_file:
        raise ImportFormatError("the file is not encrypted: leave --passphrase-file out")
    if folder_of_files.is_tar(content):
        _require_none_for_folders(format_name, dialect, split, values_only)
        return list(folder_of_files.read_tar(content)), folder_of_files.UNIT
    text = detect.text(content)
    if dialect is not None and format_name is None:
        format_name = Format.DOTENV
    file_format = detect.detect(text) if format_name is None else Format(format_name)
    if split and file_format not in detect.WITH_FIELDS:
        raise ImportFormatError("the file has no secrets with fields: leave --split out")
    if values_only and file_format not in detect.WITH_EXTRAS:
        raise ImportFormatError("the file has only values: leave --values-only out")
    if dialect is not None and file_format != Format.DOTENV:
        raise ImportFormatError("the file is not an .env file: leave --dialect out")
    lines = detect.read(text, file_format, split=split, values_only=values_only, dialect=dialect)
    return lines, file_format.unit


def _require_none_for_folders(*given: object) -> None:
    if any(given):
        raise ImportFormatError(
            "in a folder each file is one value: leave --format, --dialect, --split, --values-only and"
            " --passphrase-file out"
        )


def _carry_out(runtime: Runtime, planned: Sequence[PlannedLine], unit: str, how_to_go_on: str) -> int:
    done: Counter[str] = Counter()
    progress = Progress("importing", len(planned))
    with _stop_requested() as stop_requested:
        for line in planned:
            if stop_requested():
                print(f"stopped; {_counts(done)}; {how_to_go_on}")
                return _INTERRUPTED
            try:
                done[_carry_out_line(runtime, line, unit)] += 1
            except Unavailable:
                print(f"stopped at {unit} {line.number}; {_counts(done)}; {how_to_go_on}")
                raise
            progress.add(1)
    print(_counts(done))
    return 1 if done[_FAILED] else 0


def _carry_out_line(runtime: Runtime, line: PlannedLine, unit: str) -> str:
    """Do what was planned and return what was done.

    Raises:
        Unavailable: the change may or may not have been made; the other lines would fail as well.
    """
    if line.step is None or line.outcome not in importing.CHANGES:
        return line.outcome
    try:
        with runtime.entry("import") as entry, runtime.store.request_deadline():
            importing.carry_out(runtime.secrets, entry, policy.OPERATOR, line.step)
    except Unavailable:
        raise
    except VaultError as error:
        # Something has changed since the line was planned; the other lines are not affected.
        print(
            f"{unit} {line.number}: {line.step.request.path}: {_FAILED}: {plan.describe_error(error)}",
            file=sys.stderr,
        )
        return _FAILED
    return line.outcome


@contextmanager
def _stop_requested() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C and SIGTERM stop the import between two secrets, so that each one written has its record."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _how_to_go_on(existing: Existing) -> str:
    again = Existing.SKIP if existing is Existing.REFUSE else existing
    return f"run it again with --existing {again} to go on"


def _hint(refused: Sequence[PlannedLine]) -> str:
    taken = any(line.step is not None and isinstance(line.step.error, PathTaken) for line in refused)
    return "; for secrets that exist already, use --existing skip or update" if taken else ""


def _print(planned: Sequence[PlannedLine], unit: str, output: TextIO) -> None:
    for line in planned:
        print(f"{unit} {line.number}: {line.text}", file=output)


def _counts(done: Mapping[str, int]) -> str:
    return ", ".join(f"{what}: {count}" for what, count in done.items()) or "no secrets"
