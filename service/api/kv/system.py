"""``sys``: what clients ask about the server."""

from __future__ import annotations

import time
import uuid

from flask import Response, request

from ..dependencies import dependencies
from . import answers, body

# Terraform compares it with the versions of Vault that have a feature.
_VERSION = "1.18.0+secret-manager"
_CLUSTER = {
    "cluster_name": "secret-manager",
    "cluster_id": str(uuid.uuid5(uuid.NAMESPACE_URL, "secret-manager")),
}


def health(_rest: str) -> Response:
    """Return whether this replica can serve; the query may name the status for either case."""
    ready = _is_ready()
    name, status = ("activecode", 200) if ready else ("sealedcode", 503)
    try:
        status = body.integer(request.args.get(name, str(status)))
    except ValueError:
        status = 0
    if not 200 <= status <= 599:
        return answers.refusal(400, f"{name} must be a status from 200 to 599")
    return answers.bare(
        {
            "initialized": True,
            "sealed": not ready,
            "standby": False,
            "performance_standby": False,
            "replication_performance_mode": "disabled",
            "replication_dr_mode": "disabled",
            "server_time_utc": int(time.time()),
            "version": _VERSION,
            **_CLUSTER,
        },
        status=status,
    )


def seal_status(_rest: str) -> Response:
    """Return whether this replica can serve, as the state of a seal."""
    return answers.bare(
        {
            "type": "shamir",
            "initialized": True,
            "sealed": not _is_ready(),
            "t": 1,
            "n": 1,
            "progress": 0,
            "nonce": "",
            "version": _VERSION,
            "build_date": "",
            "migration": False,
            "recovery_seal": False,
            "storage_type": "mongodb",
            **_CLUSTER,
        }
    )


def leader(_rest: str) -> Response:
    """Return that every replica serves everything."""
    return answers.bare({"ha_enabled": False, "is_self": True, "leader_address": ""})


def initialized(_rest: str) -> Response:
    """Return that nothing has to be initialized."""
    return answers.bare({"initialized": True})


def _is_ready() -> bool:
    with dependencies().request_deadline():
        return all(finding == "ok" for finding in dependencies().readiness.findings().values())
