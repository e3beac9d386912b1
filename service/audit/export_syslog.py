"""Audit records as syslog messages (RFC 5424), for collectors that take nothing else."""

from __future__ import annotations

import json
import re
from datetime import UTC

from ..models import AuditRecord, Status
from . import export_ocsf

# "Log audit" of RFC 5424's facilities, and two of its severities.
_FACILITY = 13
_WARNING, _INFORMATIONAL = 4, 6
_ABSENT = "-"
# What RFC 5424 takes as a message's id: in a record that somebody altered, an operation may be anything.
_MESSAGE_ID = re.compile(r"[!-~]{1,32}")


def line(record_id: str, record: AuditRecord) -> str:
    """Return a record as one message, with no line end: the header, then the OCSF event as JSON in ASCII.

    The time is the record's own; the operation is the message's id.  There is no host, as a record belongs
    to all replicas: whoever passes the lines on says where they come from.
    """
    severity = _WARNING if record.status is Status.FAILURE else _INFORMATIONAL
    at = record.timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    message_id = record.operation if _MESSAGE_ID.fullmatch(str(record.operation)) else _ABSENT
    priority = f"<{_FACILITY * 8 + severity}>1"
    event = json.dumps(export_ocsf.event(record_id, record))
    return " ".join([priority, at, _ABSENT, "secret-manager", _ABSENT, message_id, _ABSENT, event])
