"""``backup``: everything at one point in time in one file, and back again.

    backup create          writes it to standard output or a file; only a master key opens it
    backup show FILE       reads all of it, and prints what is in it
    backup restore FILE    brings it back into a database that holds no secrets
    backup drill FILE      brings it back apart, opens every record, and forgets it again

``-`` is standard input.  Progress is on standard error; behind it, the last line there of ``create`` is the
manifest, as one JSON object.  ``show`` needs the master keys and no database, so it leaves no audit record.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from ..audit.recorder import Entry
from ..backup.archive import Archive
from ..backup.create import Backup
from ..backup.drill import Drill
from ..backup.restore import Restore
from ..crypto.keyring import KeyRing
from ..environment import Environment
from ..errors import CannotDecrypt, ConfigurationError
from ..keys import loading
from ..settings import StoreSettings
from ..store.backup_collections import DRILL, RESTORE
from ..transfer import files
from .progress import Progress
from .runtime import Runtime, open_runtime

# Of each operation of the database; in none of them anybody waits for an answer.
_OPERATION_TIMEOUT = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")

    create = actions.add_parser("create", help="write a backup")
    create.add_argument(
        "--output",
        default="-",
        metavar="FILE",
        help="a new file, and FILE.manifest.json beside it; without it, standard output",
    )
    create.set_defaults(act=_create)

    show = actions.add_parser("show", help="print what is in a backup, once all of it was read and is whole")
    show.set_defaults(act=_show)

    restore = actions.add_parser("restore", help="bring a backup back")
    restore.add_argument(
        "--replace", action="store_true", help="the secrets that there are make way for those of the backup"
    )
    restore.add_argument(
        "--check",
        action="store_true",
        help="change nothing; read all of it, and say whether it could be done",
    )
    restore.set_defaults(act=_restore)

    drill = actions.add_parser("drill", help="show that a backup could be brought back")
    drill.set_defaults(act=_drill)

    for action in (show, restore, drill):
        action.add_argument("file", metavar="FILE", help="a backup; - is standard input")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say and return the exit code: 1 where a record does not open in a drill.

    Raises:
        ConfigurationError: the arguments, the configuration or the backup cannot be used.
    """
    try:
        code: int = args.act(args)
    except CannotDecrypt as refused:
        raise ConfigurationError(f"{args.file}: this backup cannot be used: {refused}") from None
    return code


def _create(args: argparse.Namespace) -> int:
    if args.output == "-" and sys.stdout.isatty():
        raise ConfigurationError("a backup is no text for a terminal: name a file with --output")
    digest, length = hashlib.sha256(), 0
    with _recorded("backup_create") as (runtime, _), _output(args.output) as output:
        backup = Backup(runtime.store.snapshot, runtime.ring, runtime.key_check, _Steps())
        for piece in backup.pieces():
            output.write(piece)
            digest.update(piece)
            length += len(piece)
        output.flush()
    describe_error = json.dumps({**asdict(backup.manifest), "bytes": length, "sha256": digest.hexdigest()})
    if args.output != "-":
        with files.atomic_file(Path(f"{args.output}.manifest.json")) as beside:
            beside.write(f"{describe_error}\n".encode())
    print(describe_error, file=sys.stderr, flush=True)
    return 0


def _show(args: argparse.Namespace) -> int:
    held = loading.load(Environment(os.environ))
    with _input(args.file) as source:
        archive = Archive(source, KeyRing(lambda: held, lambda _key_id: None))
        for _ in archive.batches():
            pass
    print(json.dumps(asdict(archive.manifest), indent=2))
    return 0


def _restore(args: argparse.Namespace) -> int:
    audit_ttl_days = StoreSettings.from_environment(Environment(os.environ)).audit_ttl_days
    operation = "backup_restore_check" if args.check else "backup_restore"
    with _input(args.file) as source, _recorded(operation) as (runtime, _):
        store = runtime.store
        restore = Restore(
            store.restores, store.staging(RESTORE), store.keys, runtime.ring, runtime.key_check, _Steps()
        )
        if args.check:
            manifest = restore.check(source, replace=args.replace)
        else:
            store.reconcile_indexes(audit_ttl_days)
            manifest = restore.run(source, replace=args.replace)
    print(json.dumps(asdict(manifest)))
    if set(manifest.key_ids) - {runtime.ring.key_ids[0]}:
        _say("something in it is under a master key that is not the primary one: run `key rewrap`")
    return 0


def _drill(args: argparse.Namespace) -> int:
    with _input(args.file) as source, _recorded("backup_drill") as (runtime, entry):
        store = runtime.store
        drill = Drill(
            store.drills, store.staging(DRILL), runtime.ring, _Steps(), lambda what: print(what, flush=True)
        )
        manifest, result = drill.run(source)
        if not result.success:
            entry.reason = "a record does not open"
    _say(f"{result.records} records as of {manifest.made_at} were restored; {result.failed} do not open")
    return 0 if result.success else 1


@contextmanager
def _recorded(operation: str) -> Iterator[tuple[Runtime, Entry]]:
    with open_runtime(_OPERATION_TIMEOUT) as runtime:
        # Two records: one that was killed has left the first, and no byte leaves before that is durable.
        with runtime.entry(f"{operation}_start"):
            pass
        with runtime.entry(operation) as entry:
            yield runtime, entry


@contextmanager
def _output(name: str) -> Iterator[BinaryIO]:
    if name != "-":
        with files.atomic_file(Path(name)) as file:
            yield file
        return
    try:
        yield sys.stdout.buffer
    except BrokenPipeError:
        # Nor is there anything to be said to it at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ConfigurationError("whatever takes the backup has ended before it") from None


@contextmanager
def _input(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise ConfigurationError(f"cannot read {name}: {error.strerror}") from None
        yield file


class _Steps:
    """Says how far each step has come."""

    def __init__(self) -> None:
        self._steps: dict[str, Progress] = {}

    def begin(self, doing: str, total: int) -> None:
        """Begin a step of which the length is known."""
        self._steps[doing] = Progress(doing, total, what="documents")

    def add(self, doing: str, count: int) -> None:
        """Count so many more."""
        self._steps.setdefault(doing, Progress(doing, what="documents")).add(count)


def _say(text: str) -> None:
    print(f"secret-manager: {text}", file=sys.stderr, flush=True)
