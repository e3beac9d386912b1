"""``import``: bring secrets in from a file; everything is looked at before anything is written.

The file is held in memory whole.  Each secret that is created or changed has its own audit record.
"""

from __future__ import annotations

import argparse
import io
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

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
from ..transfer.formats import detect
from ..transfer.formats.detect import Format
from ..transfer.formats.line import LineError, ParsedLine
from ..transfer.importing import Existing, ImportOutcome
from ..transfer.plan import PlannedLine
from . import passphrases
from .progress import Progress
from .runtime import Runtime, open_runtime

_FAILED = "failed"
_INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("file", metavar="FILE", help="what to import; - is standard input")
    parser.add_argument("--format", choices=[*Format], help="without it, recognised by how the file begins")
    parser.add_argument(
        "--prefix", default="", metavar="FOLDER", help="where to put it; what names no path becomes this path"
    )
    parser.add_argument(
        "--split", action="store_true", help="one secret for each field of a KV secret, not one for all"
    )
    parser.add_argument(
        "--existing",
        choices=[*Existing],
        default=Existing.REFUSE,
        help="where there is a secret already: import nothing at all, leave it, or give it the new value",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would become of each line")
    parser.add_argument(
        "--passphrase-file", metavar="FILE", help="where an export's passphrase is; else it is asked for"
    )


def run(args: argparse.Namespace) -> int:
    """Import, say what was, and return 1 where a secret could not be, or would not in a dry run.

    Raises:
        ConfigurationError: the arguments, the file or the configuration cannot be used; nothing was imported.
    """
    try:
        folder = paths.folder(args.prefix)
        lines = _read(args)
    except (InvalidFields, ImportFormatError, Tampered) as refused:
        raise ConfigurationError(f"{args.file}: {plan.describe_error(refused)}") from None
    existing = Existing(args.existing)
    with open_runtime() as runtime:
        planned = plan.plan(runtime.secrets, policy.OPERATOR, lines, folder, existing)
        impossible = [one for one in planned if one.outcome is ImportOutcome.REFUSE]
        if args.dry_run:
            _print(planned, sys.stdout)
            print(f"dry run, nothing was changed; {_counts(Counter(one.outcome for one in planned))}")
            return 1 if impossible else 0
        if impossible:
            _print(impossible, sys.stderr)
            raise ConfigurationError(
                f"nothing was imported: {len(impossible)} of {len(planned)} cannot be{_hint(impossible)}"
            )
        return _carry_out(runtime, planned, _how_to_go_on(existing))


def _read(args: argparse.Namespace) -> list[ParsedLine | LineError]:
    content = sys.stdin.buffer.read() if args.file == "-" else read_file("FILE", Path(args.file))
    if content.startswith(stream.MAGIC):
        passphrase = passphrases.known(args.passphrase_file)
        content = b"".join(stream.open_(io.BytesIO(content), passphrase))
    elif args.passphrase_file:
        raise ImportFormatError("it is not encrypted: leave --passphrase-file out")
    text = detect.text(content)
    written = detect.detect(text) if args.format is None else Format(args.format)
    if args.split and written != Format.KV:
        raise ImportFormatError("it is no KV export: leave --split out")
    return detect.read(text, written, split=args.split)


def _carry_out(runtime: Runtime, planned: Sequence[PlannedLine], how_to_go_on: str) -> int:
    done: Counter[str] = Counter()
    progress = Progress("importing", len(planned))
    with _asked_to_stop() as asked_to_stop:
        for one in planned:
            if asked_to_stop():
                print(f"stopped; {_counts(done)}; {how_to_go_on}")
                return _INTERRUPTED
            try:
                done[_carried_out(runtime, one)] += 1
            except Unavailable:
                print(f"stopped at line {one.number}; {_counts(done)}; {how_to_go_on}")
                raise
            progress.add(1)
    print(_counts(done))
    return 1 if done[_FAILED] else 0


def _carried_out(runtime: Runtime, one: PlannedLine) -> str:
    """Do what was planned and return what was done.

    Raises:
        Unavailable: it may or may not have been done, and going on would not help.
    """
    if one.step is None or one.outcome not in importing.CHANGES:
        return one.outcome
    try:
        with runtime.entry("import") as entry, runtime.store.request_deadline():
            importing.carry_out(runtime.secrets, entry, policy.OPERATOR, one.step)
    except Unavailable:
        raise
    except VaultError as error:
        # Somebody has changed something since it was planned; that is no reason to leave the others out.
        print(
            f"line {one.number}: {one.step.request.path}: {_FAILED}: {plan.describe_error(error)}",
            file=sys.stderr,
        )
        return _FAILED
    return one.outcome


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C and SIGTERM end the work between two secrets, so that none is kept without its record."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _how_to_go_on(existing: Existing) -> str:
    again = Existing.SKIP if existing is Existing.REFUSE else existing
    return f"run it again with --existing {again} to go on"


def _hint(impossible: Sequence[PlannedLine]) -> str:
    taken = any(one.step is not None and isinstance(one.step.error, PathTaken) for one in impossible)
    return "; --existing skip or update says what to do where there is a secret already" if taken else ""


def _print(planned: Sequence[PlannedLine], where: TextIO) -> None:
    for one in planned:
        print(f"line {one.number}: {one.text}", file=where)


def _counts(done: Mapping[str, int]) -> str:
    return ", ".join(f"{what}: {count}" for what, count in done.items()) or "no secrets"
