"""Audit records as events of the Open Cybersecurity Schema Framework (OCSF): API Activity, class 6003."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from .. import __version__
from ..models import AuditRecord, Status

_SCHEMA = "1.3.0"
_CLASS, _CATEGORY = 6003, 6
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES = {
    "create": _CREATE,
    "token_create": _CREATE,
    "grant_create": _CREATE,
    "approle_create": _CREATE,
    "approle_secret_id_create": _CREATE,
    "wrap": _CREATE,
    "fetch": _READ,
    "unwrap": _READ,
    "deliver": _READ,
    "list": _READ,
    "describe": _READ,
    "export": _READ,
    "audit_search": _READ,
    "update": _UPDATE,
    "undelete": _UPDATE,
    "delete": _DELETE,
    "destroy": _DELETE,
    "folder_describe": _READ,
    "folder_configure": _UPDATE,
    "token_revoke": _DELETE,
    "grant_delete": _DELETE,
    "approle_delete": _DELETE,
    "approle_secret_id_revoke": _DELETE,
}
_INFORMATIONAL, _LOW = 1, 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event(record_id: str, record: AuditRecord) -> dict[str, Any]:
    """Return a record as an OCSF event."""
    activity = _ACTIVITIES.get(record.operation, _OTHER)
    failed = record.status is Status.FAILURE
    version = {} if record.version is None else {"version": str(record.version)}
    about = [
        ("secret", record.secret_id, record.path),
        ("secret", record.secret_id if record.new_path else None, record.new_path),
        ("token", record.token_id, None),
        ("grant", record.grant_id, None),
        ("approle", record.role_id, None),
        ("approle secret id", record.accessor, None),
        ("service", record.service_id, record.service),
        ("task", record.task_id, None),
        ("node", record.node_id, None),
        ("docker secret", None, record.docker_secret),
    ]
    return {
        "class_uid": _CLASS,
        "class_name": "API Activity",
        "category_uid": _CATEGORY,
        "category_name": "Application Activity",
        "activity_id": activity,
        "type_uid": _CLASS * 100 + activity,
        "time": (record.timestamp - _EPOCH) // timedelta(milliseconds=1),
        "severity_id": _LOW if failed else _INFORMATIONAL,
        "status_id": 2 if failed else 1,
        "status": "Failure" if failed else "Success",
        "status_detail": record.reason,
        "count": record.count or 1,
        "actor": {"user": {"uid": record.actor}},
        "api": {
            "operation": record.operation,
            **({} if record.api is None else {"version": record.api}),
            "service": {"name": "secret-manager"},
            "request": {"uid": record.request_id},
        },
        "src_endpoint": {"ip": record.client_ip},
        "resources": [
            {"type": kind, "uid": uid, "name": name, **(version if kind == "secret" else {})}
            for kind, uid, name in about
            if uid is not None or name
        ],
        "metadata": {
            "version": _SCHEMA,
            "uid": record_id,
            "product": {"name": "secret-manager", "vendor_name": "secret-manager", "version": __version__},
        },
    }
