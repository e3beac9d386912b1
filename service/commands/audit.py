"""``audit``: the newest audit records, oldest first, one JSON object per line.

    audit verify   tells whether the log is as it was written: a JSON line per finding, the sum last
    audit export   all records, or those of some time, as JSON lines or syslog messages for other tools

``verify`` exits with 0 where nothing was found, with 1 otherwise.  Progress is on standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..access import policy
from ..audit import export_ocsf, export_syslog
from ..audit.findings import Finding
from ..audit.verify import verify_log
from ..environment import Environment, read_file
from ..errors import ConfigurationError
from ..models import AuditRecord
from ..settings import StoreSettings
from ..store import audit
from ..store.store import Store
from .progress import Progress
from .runtime import open_runtime

# One step of a verification may wait for a database that has much else to do.
_OPERATION_TIMEOUT = 300


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--last", type=int, default=100, metavar="N", help="how many (default 100)")
    parser.add_argument("--secret-id", metavar="ID", help="those of one secret only")
    parser.set_defaults(act=_print_newest)
    actions = parser.add_subparsers(dest="action", metavar="action")
    verify = actions.add_parser("verify", help="tell whether the log is as it was written")
    verify.add_argument(
        "--checkpoint",
        action="append",
        default=[],
        metavar="FILE",
        help="lines of the service's log with checkpoints that were kept elsewhere; - is standard input",
    )
    verify.set_defaults(act=_verify)
    export = actions.add_parser("export", help="print all records, or those of some time, the oldest first")
    export.add_argument(
        "--format",
        choices=sorted(_FORMATS),
        default="jsonl",
        help="our fields with their proof, those of OCSF 1.3, or these in syslog messages (RFC 5424)",
    )
    export.add_argument("--since", type=_moment, metavar="TIME", help="from this time on (ISO 8601)")
    export.add_argument("--until", type=_moment, metavar="TIME", help="before this time")
    export.set_defaults(act=_export)


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say and return the exit code.

    Raises:
        ConfigurationError: the configuration or a file cannot be used.
    """
    code: int = args.act(args)
    return code


def _print_newest(args: argparse.Namespace) -> int:
    settings = StoreSettings.from_environment(Environment(os.environ))
    store = Store(settings.mongo_uri, settings.mongo_timeout, settings.mongo_tls)
    try:
        store.wait_until_usable(settings.startup_timeout)
        records = store.audit.newest(args.last, args.secret_id)
    finally:
        store.close()
    for record in reversed(records):
        print(json.dumps(_fields(record)))
    return 0


def _verify(args: argparse.Namespace) -> int:
    saved = [checkpoint for name in args.checkpoint for checkpoint in _saved(name)]
    progress = _Counter("verifying")
    with open_runtime(_OPERATION_TIMEOUT) as runtime, runtime.entry("audit_verify") as entry:
        report = verify_log(runtime.audit_log, policy.OPERATOR, saved, _print_finding, progress.reach)
        if not report.valid:
            entry.reason = "the audit log is not as it was written"
    print(json.dumps({"fine": report.valid, **asdict(report)}))
    return 0 if report.valid else 1


def _export(args: argparse.Namespace) -> int:
    progress = _Counter("exporting")
    with open_runtime(_OPERATION_TIMEOUT) as runtime:
        # Before anything leaves.
        with runtime.entry("audit_export"):
            pass
        found = runtime.store.audit.written(audit.AuditFilter(since=args.since, until=args.until))
        for count, document in enumerate(found, 1):
            print(_FORMATS[args.format](document))
            progress.reach(count)
    return 0


def _as_json(document: dict[str, Any]) -> str:
    key_check = {name: _hex(document.get(name)) for name in ("previous", "mac")}
    return json.dumps({"record_id": str(document["_id"]), **_fields(audit.read(document)), **key_check})


def _as_ocsf(document: dict[str, Any]) -> str:
    return json.dumps(export_ocsf.event(str(document["_id"]), audit.read(document)))


def _as_syslog(document: dict[str, Any]) -> str:
    return export_syslog.line(str(document["_id"]), audit.read(document))


_FORMATS = {"jsonl": _as_json, "ocsf": _as_ocsf, "syslog": _as_syslog}


def _saved(name: str) -> Iterator[dict[str, Any]]:
    """Yield the checkpoints in lines of the service's log, whatever an orchestrator put before each."""
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
        raise ConfigurationError(f"{name} has no line with a checkpoint")


def _print_finding(finding: Finding) -> None:
    times = {name: None if at is None else at.isoformat() for name, at in _times(finding)}
    print(json.dumps(asdict(finding) | times), flush=True)


def _times(finding: Finding) -> list[tuple[str, datetime | None]]:
    return [("after", finding.after), ("before", finding.before)]


def _fields(record: AuditRecord) -> dict[str, Any]:
    return asdict(record) | {"timestamp": record.timestamp.isoformat()}


def _hex(value: object) -> str | None:
    return value.hex() if isinstance(value, bytes) else None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write it like 2026-01-31 or 2026-01-31T12:00:00+00:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Counter:
    """Says how many records were looked at."""

    def __init__(self, doing: str) -> None:
        self._progress = Progress(doing, what="records")
        self._count = 0

    def reach(self, count: int) -> None:
        self._progress.add(count - self._count)
        self._count = count
