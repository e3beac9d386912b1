"""Audit records as syslog messages (RFC 5424), for collectors that accept nothing else."""

from __future__ import annotations

import json
import re
from datetime import UTC

from ..models import AuditRecord, Status
from . import export_ocsf

# The facility "log audit" and two severities of RFC 5424.
_FACILITY = 13
_WARNING, _INFORMATIONAL = 4, 6
_ABSENT = "-"
# A valid MSGID of RFC 5424: in an altered record, the operation may be any text.
_MESSAGE_ID = re.compile(r"[!-~]{1,32}")


def line(record_id: str, record: AuditRecord) -> str:
    """Return a record as one message without a line end: the header, then the OCSF event as JSON in ASCII.

    The timestamp is the record's, the MSGID is the operation.  The HOSTNAME is absent, as a record belongs to
    all replicas: the program that forwards the lines can add it.
    """
    severity = _WARNING if record.status is Status.FAILURE else _INFORMATIONAL
    at = record.timestamp.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    message_id = record.operation if _MESSAGE_ID.fullmatch(str(record.operation)) else _ABSENT
    priority = f"<{_FACILITY * 8 + severity}>1"
    event = json.dumps(export_ocsf.event(record_id, record))
    return " ".join([priority, at, _ABSENT, "secret-manager", _ABSENT, message_id, _ABSENT, event])
