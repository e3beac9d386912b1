"""The background thread of each serving process: makes checkpoints, anchors them, measures the audit log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from .. import metrics
from ..errors import CannotDecrypt, ConfigurationError, Unavailable
from . import anchors
from .checkpointer import AuditLog, Checkpointer

log = logging.getLogger(__name__)


class CheckpointThread:
    """Makes checkpoints and updates the log's metrics; ``start`` it after the fork."""

    def __init__(self, audit_log: AuditLog, checkpointer: Checkpointer, close_seconds: float) -> None:
        self._log = audit_log
        self._checkpointer = checkpointer
        self._close_seconds = close_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="audit-log", daemon=True)

    def start(self) -> None:
        """Start the thread; the first checkpoint comes after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """Close the chain of this process and make a last checkpoint; errors are logged."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(self._close_seconds)
        self._try(lambda: self._checkpointer.end(self._close_seconds))
        self._try(lambda: anchors.follow(self._log))

    def _loop(self) -> None:
        while not self._ended.wait(self._log.interval.total_seconds()):
            self._try(self._once)
            self._try(lambda: anchors.follow(self._log))

    def _once(self) -> None:
        made = self._checkpointer.run()
        if made is not None:
            metrics.audit_checkpoint.set(made.at.timestamp())
            records, size = self._log.records.size()
            metrics.audit_records.set(records)
            metrics.audit_bytes.set(size)

    @staticmethod
    def _try(step: Callable[[], object]) -> None:
        try:
            step()
        except (Unavailable, CannotDecrypt, ConfigurationError) as error:
            log.error("the maintenance of the audit log failed: %s", error)
        except Exception:
            # The thread must survive any error.
            log.exception("the maintenance of the audit log failed")
