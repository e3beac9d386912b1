"""Counts refusals past a rate limit: one record for each network and minute stands for all of them."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from ..access import token_format
from ..errors import TooManyRequests
from ..models import AuditRecord, Caller, Status
from ..networks import client_network

# What ``operation`` and ``actor`` are if the calls that a record stands for differ.
VARIOUS = "various"

_MINUTE = 60
# Far more networks than pass a limit within a minute; what finds no room is recorded by itself.
_MAX_TALLIES = 10_000

# Minute, network and token.
Key = tuple[int, str, str | None]


@dataclass(slots=True)
class Tally:
    """What the refusals of one minute, network and token have in common, and their number."""

    operation: str
    client_ip: str
    actor: str
    request_id: str
    last: datetime
    count: int = 1

    def add(self, other: Tally) -> None:
        """Count those of another as well."""
        if self.operation != other.operation:
            self.operation = VARIOUS
        if self.actor != other.actor:
            self.actor = VARIOUS
        if self.client_ip != other.client_ip:
            self.client_ip = client_network(self.client_ip)
        self.last = max(self.last, other.last)
        self.count += other.count

    def record(self) -> AuditRecord:
        """Return the record, timed at the last refusal."""
        return AuditRecord(
            timestamp=self.last,
            operation=self.operation,
            secret_id=None,
            client_ip=self.client_ip,
            status=Status.FAILURE,
            actor=self.actor,
            request_id=self.request_id,
            reason=TooManyRequests.reason,
            count=self.count,
        )


class Refusals:
    """The refusals of this process that are not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tallies: dict[Key, Tally] = {}

    def add(self, operation: str, caller: Caller, actor: str, at: datetime) -> bool:
        """Count a refusal; return False if there is no room for its network.

        If the actor is a token, which its holder has proven to be, it has a record of its own.
        """
        minute = int(at.timestamp()) // _MINUTE
        key = (minute, client_network(caller.client_ip), actor if token_format.is_id(actor) else None)
        with self._lock:
            if key not in self._tallies and len(self._tallies) >= _MAX_TALLIES:
                return False
            self._merge(key, Tally(operation, caller.client_ip, actor, caller.request_id, at))
        return True

    def take(self, most: int, until: datetime | None = None) -> dict[Key, Tally]:
        """Remove and return up to ``most`` tallies; with ``until``, of minutes that have ended by then."""
        end = math.inf if until is None else int(until.timestamp()) // _MINUTE
        with self._lock:
            due = list(islice((key for key in self._tallies if key[0] < end), most))
            return {key: self._tallies.pop(key) for key in due}

    def put_back(self, tallies: Mapping[Key, Tally]) -> None:
        """Keep tallies that could not be written."""
        with self._lock:
            for key, tally in tallies.items():
                self._merge(key, tally)

    def _merge(self, key: Key, tally: Tally) -> None:
        if key in self._tallies:
            self._tallies[key].add(tally)
        else:
            self._tallies[key] = tally
