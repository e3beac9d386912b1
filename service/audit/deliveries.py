"""Which versions Swarm services are known to use, by the deliveries in the audit log.

Nothing tells this service that a Swarm service has ended or was rolled back without a new task, so this is a
reason to ask, and no proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..store.audit import AuditStore, read
from .chain import is_authentic_document
from .key import AuditKey

# The version of a service's specification, and that of the one before, to which the Swarm can roll back.
_PER_SERVICE = 2
_MAX_LOOKS = 500


@dataclass(frozen=True, slots=True)
class Use:
    """A version that a service was given, and when it was for the last time."""

    service: str
    version: int
    delivered_at: datetime


class Deliveries:
    """The deliveries that the log has."""

    def __init__(self, log: AuditStore, key: AuditKey) -> None:
        self._log = log
        self._key = key

    def in_use(self, secret_id: str, versions: Sequence[int]) -> list[Use]:
        """Return for each service the two of these versions that it was given last, by service and time.

        Records that the service did not write are left out.

        Raises:
            StoreUnavailable: the database did not answer in time.
            CannotDecrypt: the audit key cannot be opened.
        """
        found = self._log.last_deliveries(secret_id, versions, _MAX_LOOKS)
        if not found:
            return []
        keys = self._key.keys()
        by_service: dict[str, list[Use]] = {}
        for document in found:
            record = read(document)
            if record.service and record.version is not None and is_authentic_document(keys, document):
                use = Use(record.service, record.version, record.timestamp)
                by_service.setdefault(record.service, []).append(use)
        return [
            use
            for _, uses in sorted(by_service.items())
            for use in sorted(uses, key=lambda use: use.delivered_at, reverse=True)[:_PER_SERVICE]
        ]
