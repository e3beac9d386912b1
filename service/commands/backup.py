"""``backup``: write everything at one point in time to one file, and restore it.

    backup create          writes it to standard output or a file; only a master key can decrypt it
    backup show FILE       reads all of it and prints its manifest
    backup restore FILE    restores it into a database that holds no secrets
    backup drill FILE      restores it into separate collections, decrypts every record, and deletes them

``-`` is standard input.  Progress is on standard error; after it, ``create`` prints the manifest there as one
JSON object on the last line.  ``show`` needs the master keys but no database, so it writes no audit record.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import click

from ..audit import anchors, checkpoints
from ..audit.recorder import Entry
from ..backup.archive import Archive
from ..backup.create import Backup
from ..backup.drill import Drill
from ..backup.manifest import Manifest
from ..backup.restore import Restore
from ..crypto.keyring import KeyRing
from ..environment import process_environment
from ..errors import CannotDecrypt, ConfigurationError
from ..keys import loading
from ..settings import StoreSettings
from ..store.backup_collections import DRILL, RESTORE
from ..transfer import files
from .base import File, Group
from .progress import Progress
from .runtime import Runtime, open_runtime

# For each database operation; no caller waits for the result of one.
_OPERATION_TIMEOUT = 300


_file = click.argument("file", metavar="FILE", type=File(), help="a backup; - is standard input")


@click.group(cls=Group, help="Create, inspect and restore backups, or test that one can be restored.")
def command() -> None:
    """Do nothing: the subcommand does."""


@command.command("create", help="Write a backup.")
@click.option(
    "--output",
    default="-",
    metavar="FILE",
    type=File(),
    help="a new file, with FILE.manifest.json beside it; default: standard output",
)
def _create(output: str) -> int:
    if output == "-" and sys.stdout.isatty():
        raise ConfigurationError("a backup is not printed on a terminal: name a file with --output")
    digest, length = hashlib.sha256(), 0
    with _recorded("backup_create") as (runtime, _), _open_output(output) as file:
        backup = Backup(
            runtime.store.snapshot, runtime.ring, runtime.key_check, runtime.audit_log.key, _Steps()
        )
        for piece in backup.pieces():
            file.write(piece)
            digest.update(piece)
            length += len(piece)
        file.flush()
    manifest = json.dumps({**asdict(backup.manifest), "bytes": length, "sha256": digest.hexdigest()})
    if output != "-":
        try:
            with files.atomic_file(Path(f"{output}.manifest.json")) as manifest_file:
                manifest_file.write(f"{manifest}\n".encode())
        except ConfigurationError:
            # The two belong together.
            Path(output).unlink()
            raise
    print(manifest, file=sys.stderr, flush=True)
    return 0


@command.command("show", help="Check that a backup is complete, and print its manifest.")
@_file
def _show(file: str) -> int:
    held = loading.load(process_environment())
    with _usable(file), _open_input(file) as source:
        manifest = Archive(source, KeyRing(lambda: held, lambda _key_id: None)).read_manifest()
    print(json.dumps(asdict(manifest), indent=2))
    return 0


@command.command("restore", help="Restore a backup.")
@click.option("--replace", is_flag=True, help="replace the secrets that exist with those of the backup")
@click.option(
    "--check",
    is_flag=True,
    help="change nothing; read the whole backup and report whether it can be restored",
)
@_file
def _restore(file: str, replace: bool, check: bool) -> int:
    audit_ttl_days = StoreSettings.from_environment(process_environment()).audit_ttl_days
    operation = "backup_restore_check" if check else "backup_restore"
    with _usable(file), _open_input(file) as source, _recorded(operation, restores=True) as (runtime, _):
        store = runtime.store
        restore = Restore(
            store.restores,
            store.staging(RESTORE),
            store.keys,
            runtime.ring,
            runtime.key_check,
            lambda: anchors.accept(runtime.audit_log),
            _Steps(),
        )
        if check:
            manifest = restore.check(source, replace=replace)
        else:
            store.reconcile_indexes(audit_ttl_days)
            manifest = restore.run(source, replace=replace)
    print(json.dumps(asdict(manifest)))
    if set(manifest.key_ids) - {runtime.ring.key_ids[0]}:
        _report("the backup contains items under a master key that is not the primary one: run `key rewrap`")
    return 0


@command.command("drill", help="Test that a backup can be restored.")
@_file
def _drill(file: str) -> int:
    with _usable(file), _open_input(file) as source, _recorded("backup_drill") as (runtime, entry):
        store = runtime.store
        drill = Drill(
            store.drills, store.staging(DRILL), runtime.ring, _Steps(), lambda what: print(what, flush=True)
        )
        manifest, result = drill.run(source)
        if not result.success:
            entry.reason = "a record does not open"
        compared, continues = _compare_log(runtime, manifest)
        if result.success and not continues:
            entry.reason = "the audit log does not continue the backup's"
    _report(compared)
    _report(f"{result.records} records as of {manifest.made_at} were restored; {result.failed} do not open")
    return 0 if result.success and continues else 1


def _compare_log(runtime: Runtime, manifest: Manifest) -> tuple[str, bool]:
    """Compare the audit log in use with a manifest's checkpoint; return the result, and if it is fine."""
    if manifest.checkpoint is None:
        return "the backup has no checkpoint of the audit log to compare the log with", True
    checkpoint = checkpoints.from_json(manifest.checkpoint)
    if not checkpoints.is_authentic(runtime.audit_log.key.keys(), checkpoint):
        # A backup of another cluster may be tried here as well.
        return "the backup has another audit log than this cluster: they were not compared", True
    if (problem := anchors.compare(runtime.audit_log, checkpoint)) is not None:
        return f"the audit log in use does not continue the backup's: {problem}: run `audit verify`", False
    return f"the audit log in use continues the backup's checkpoint {checkpoint.number}", True


@contextmanager
def _usable(file: str) -> Iterator[None]:
    try:
        yield
    except CannotDecrypt as error:
        raise ConfigurationError(f"{file}: this backup cannot be used: {error}") from None


@contextmanager
def _recorded(operation: str, *, restores: bool = False) -> Iterator[tuple[Runtime, Entry]]:
    with open_runtime(_OPERATION_TIMEOUT, restores=restores) as runtime:
        # Two records: a run that was killed has left the first, which is durable before any byte is written.
        with runtime.entry(f"{operation}_start"):
            pass
        with runtime.entry(operation) as entry:
            yield runtime, entry


def _open_output(name: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer) if name == "-" else files.atomic_file(Path(name))


@contextmanager
def _open_input(name: str) -> Iterator[BinaryIO]:
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
    """Reports the progress of each step."""

    def __init__(self) -> None:
        self._steps: dict[str, Progress] = {}

    def begin(self, doing: str, total: int) -> None:
        """Begin a step of a known length."""
        self._steps[doing] = Progress(doing, total, what="documents")

    def add(self, doing: str, count: int) -> None:
        """Add to a step's count."""
        self._steps.setdefault(doing, Progress(doing, what="documents")).add(count)


def _report(text: str) -> None:
    print(f"secret-manager: {text}", file=sys.stderr, flush=True)
