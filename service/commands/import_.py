"""``import``: create or update secrets from a file; all of it is checked before anything is written.

The whole file is held in memory.  Each secret that is created or changed has its own audit record.
``import_vault`` has the import from a running server.
"""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO, Unpack

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
from . import import_vault, passphrases
from .base import Command, File
from .import_report import FAILED, INTERRUPTED, counts, how_to_go_on, stop_requested
from .import_vault import VaultOptions
from .progress import Progress
from .runtime import Runtime, open_runtime


@click.command(
    cls=Command,
    help="Import secrets from files, from exports of other programs, or from a running Vault or OpenBao.",
)
@click.argument(
    "file",
    metavar="[FILE]",
    type=File(),
    required=False,
    help="what to import: a file or a folder; - is standard input",
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
    help="if a secret with this path exists: refuse it, and all of a file with it, or skip or update it",
)
@click.option(
    "--allow-empty",
    is_flag=True,
    help="let --existing update put an empty value in the place of one that is not",
)
@click.option("--dry-run", is_flag=True, help="only print what would be done with each line or secret")
@click.option(
    "--passphrase-file",
    metavar="FILE",
    type=File(),
    help="file with an export's passphrase; default: ask for it",
)
@import_vault.options
def command(
    file: str | None,
    format_name: str | None,
    dialect_name: str | None,
    prefix: str,
    split: bool,
    values_only: bool,
    existing_name: str,
    allow_empty: bool,
    dry_run: bool,
    passphrase_file: str | None,
    **vault: Unpack[VaultOptions],
) -> int:
    """Import, print what was done, and return 1 if a secret was not (or would not be) imported.

    Raises:
        UsageError: there is nothing to import from.
        ConfigurationError: the arguments, the file or the configuration cannot be used; nothing was imported.
    """
    existing = Existing(existing_name)
    if vault["from_vault"] is not None:
        if any((file, format_name, dialect_name, values_only, passphrase_file)):
            raise ConfigurationError(
                "--from-vault takes the place of a file: leave FILE, --format, --dialect, --values-only and"
                " --passphrase-file out"
            )
        return import_vault.run(
            vault, prefix, existing, split=split, allow_empty=allow_empty, dry_run=dry_run
        )
    if any(vault.values()):
        raise ConfigurationError(f"{import_vault.NAMES} are for --from-vault")
    if file is None:
        raise click.UsageError(
            "name a FILE, or a running Vault or OpenBao with --from-vault", click.get_current_context()
        )
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
            print(f"dry run, nothing was changed; {counts(Counter(line.outcome for line in planned))}")
            if not plan.has_names(planned):
                print("names are shown once every line can be read")
            return 1 if refused else 0
        if refused:
            _print(refused, unit, sys.stderr)
            raise ConfigurationError(
                f"nothing was imported: {len(refused)} of {len(planned)} cannot be{_hint(refused)}"
            )
        _print([line for line in planned if line.outcome is ImportOutcome.NULL], unit, sys.stdout)
        return _carry_out(runtime, planned, unit, how_to_go_on(existing))


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


def _carry_out(runtime: Runtime, planned: Sequence[PlannedLine], unit: str, go_on: str) -> int:
    done: Counter[str] = Counter()
    progress = Progress("importing", len(planned))
    with stop_requested() as stopped:
        for line in planned:
            if stopped():
                print(f"stopped; {counts(done)}; {go_on}")
                return INTERRUPTED
            try:
                done[_carry_out_line(runtime, line, unit)] += 1
            except Unavailable:
                print(f"stopped at {unit} {line.number}; {counts(done)}; {go_on}")
                raise
            progress.add(1)
    print(counts(done))
    return 1 if done[FAILED] else 0


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
            f"{unit} {line.number}: {line.step.request.path}: {FAILED}: {plan.describe_error(error)}",
            file=sys.stderr,
        )
        return FAILED
    return line.outcome


def _hint(refused: Sequence[PlannedLine]) -> str:
    taken = any(line.step is not None and isinstance(line.step.error, PathTaken) for line in refused)
    return "; for secrets that exist already, use --existing skip or update" if taken else ""


def _print(planned: Sequence[PlannedLine], unit: str, output: TextIO) -> None:
    for line in planned:
        print(f"{unit} {line.number}: {line.text}", file=output)
