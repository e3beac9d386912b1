"""``audit``: print the newest audit records, oldest first, one JSON object per line.

    audit verify            checks the log for changes: prints one JSON line per finding, and a summary last
    audit export            prints all records, or those of a period, as JSON lines or syslog messages
    audit accept-rollback   accepts the log as it is, after an operator has put an older database back

``verify`` exits with 0 if it found nothing, otherwise with 1.  Progress is on standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ..access import policy
from ..audit import anchors, export_ocsf, export_syslog
from ..audit.findings import Finding
from ..audit.verify import verify_log
from ..environment import process_environment, read_file
from ..errors import ConfigurationError
from ..models import AuditRecord
from ..settings import StoreSettings
from ..store import audit
from ..store.store import Store
from .base import File, Group
from .progress import Progress
from .runtime import open_runtime

# A step of a verification may wait for a busy database.
_OPERATION_TIMEOUT = 300


def _as_json(document: dict[str, Any]) -> str:
    proof = {name: _hex(document.get(name)) for name in ("previous", "mac")}
    return json.dumps({"record_id": str(document["_id"]), **_fields(audit.read(document)), **proof})


def _as_ocsf(document: dict[str, Any]) -> str:
    return json.dumps(export_ocsf.event(str(document["_id"]), audit.read(document)))


def _as_syslog(document: dict[str, Any]) -> str:
    return export_syslog.line(str(document["_id"]), audit.read(document))


_FORMATS = {"jsonl": _as_json, "ocsf": _as_ocsf, "syslog": _as_syslog}


def _parse_time(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not an ISO 8601 time: write it like 2026-01-31 or 2026-01-31T12:00:00+00:00"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@click.group(
    cls=Group,
    invoke_without_command=True,
    help="Print the newest audit records, verify the audit log, or export it.",
)
@click.option("--last", type=int, default=100, show_default=True, metavar="N", help="how many records")
@click.option("--secret-id", metavar="ID", help="only records of this secret")
@click.pass_context
def command(context: click.Context, last: int, secret_id: str | None) -> int:
    """Print the newest records, unless a subcommand follows."""
    if context.invoked_subcommand is not None:
        return 0
    settings = StoreSettings.from_environment(process_environment())
    store = Store(settings.mongo_uri, settings.mongo_timeout, settings.mongo_tls)
    try:
        store.wait_until_usable(settings.startup_timeout)
        records = store.audit.newest(last, secret_id)
    finally:
        store.close()
    for record in reversed(records):
        print(json.dumps(_fields(record)))
    return 0


@command.command("verify", help="Check that the audit log was not changed.")
@click.option(
    "--checkpoint",
    "names",
    multiple=True,
    metavar="FILE",
    type=File(),
    help="checkpoints that were kept elsewhere: lines of the service's log, or manifests of backups;"
    " - is standard input; repeat",
)
def _verify(names: tuple[str, ...]) -> int:
    saved = [checkpoint for name in names for checkpoint in _saved(name)]
    progress = _Counter("verifying")
    with open_runtime(_OPERATION_TIMEOUT) as runtime, runtime.entry("audit_verify") as entry:
        report = verify_log(runtime.audit_log, policy.OPERATOR, saved, _print_finding, progress.update)
        if not report.valid:
            entry.reason = "the audit log is not as it was written"
    if not report.anchors:
        print(
            "secret-manager: the log was compared with nothing outside the database: set AUDIT_ANCHOR_DIR, or"
            " give --checkpoint",
            file=sys.stderr,
        )
    print(json.dumps({"fine": report.valid, **asdict(report)}))
    return 0 if report.valid else 1


@command.command("accept-rollback", help="Accept the log as it is, after an older database was put back.")
def _accept_rollback() -> int:
    with open_runtime(_OPERATION_TIMEOUT) as runtime, runtime.entry("audit_accept_rollback"):
        at = anchors.accept(runtime.audit_log)
    print(json.dumps({"accepted_until": at.isoformat()}))
    return 0


@command.command("export", help="Print all records, or those of a period, oldest first.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice([*_FORMATS]),
    default="jsonl",
    show_default=True,
    help="jsonl: our fields with their proof; ocsf: OCSF 1.3; syslog: OCSF in syslog messages (RFC 5424)",
)
@click.option("--since", callback=_parse_time, metavar="TIME", help="from this time on (ISO 8601)")
@click.option("--until", callback=_parse_time, metavar="TIME", help="before this time (ISO 8601)")
def _export(format_name: str, since: datetime | None, until: datetime | None) -> int:
    progress = _Counter("exporting")
    with open_runtime(_OPERATION_TIMEOUT) as runtime:
        # Before anything is printed.
        with runtime.entry("audit_export"):
            pass
        found = runtime.store.audit.written(audit.AuditFilter(since=since, until=until))
        for count, document in enumerate(found, 1):
            print(_FORMATS[format_name](document))
            progress.update(count)
    return 0


def _saved(name: str) -> Iterator[dict[str, Any]]:
    """Yield the checkpoints in lines of the service's log; skip what an orchestrator put before each line."""
    content = sys.stdin.buffer.read() if name == "-" else read_file("--checkpoint", Path(name))
    found = False
    for line in content.decode(errors="replace").splitlines():
        try:
            parsed = json.loads(line[line.index("{") :])
        except ValueError:
            continue
        checkpoint = parsed.get("checkpoint", parsed)
        if isinstance(checkpoint, dict) and {"number", "heads", "mac"} <= checkpoint.keys():
            found = True
            yield checkpoint
    if not found:
        raise ConfigurationError(f"--checkpoint: {name} has no line with a checkpoint")


def _print_finding(finding: Finding) -> None:
    times = {name: None if at is None else at.isoformat() for name, at in _times(finding)}
    print(json.dumps(asdict(finding) | times), flush=True)


def _times(finding: Finding) -> list[tuple[str, datetime | None]]:
    return [("after", finding.after), ("before", finding.before)]


def _fields(record: AuditRecord) -> dict[str, Any]:
    return asdict(record) | {"timestamp": record.timestamp.isoformat()}


def _hex(value: object) -> str | None:
    return value.hex() if isinstance(value, bytes) else None


class _Counter:
    """Reports how many records were read."""

    def __init__(self, doing: str) -> None:
        self._progress = Progress(doing, what="records")
        self._count = 0

    def update(self, count: int) -> None:
        self._progress.add(count - self._count)
        self._count = count
