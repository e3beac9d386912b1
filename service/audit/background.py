"""The background threads of each serving process: one looks after the log, one writes what was refused."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .. import metrics
from ..errors import CannotDecrypt, ConfigurationError, Unavailable
from ..models import now
from . import anchors
from .checkpointer import AuditLog, Checkpointer
from .recorder import Recorder

log = logging.getLogger(__name__)

_MINUTE = 60


class RefusalThread:
    """Writes the records of refusals past a limit, when a minute has ended; ``start`` it after the fork."""

    def __init__(self, recorder: Recorder, close_seconds: float) -> None:
        self._recorder = recorder
        self._close_seconds = close_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="refusals", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write those of this minute as well; errors are logged, and what cannot be written is lost."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(self._close_seconds)
        _try("writing the records of refusals", self._recorder.write_refusals)

    def _loop(self) -> None:
        while not self._ended.wait(_MINUTE - time.time() % _MINUTE):
            _try("writing the records of refusals", lambda: self._recorder.write_refusals(now()))


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
        _try("the maintenance of the audit log", lambda: self._checkpointer.end(self._close_seconds))
        _try("the maintenance of the audit log", lambda: anchors.follow(self._log))

    def _loop(self) -> None:
        # A new node has its anchor at once, if the log has a checkpoint.
        _try("the maintenance of the audit log", lambda: anchors.follow(self._log))
        while not self._ended.wait(self._log.interval.total_seconds()):
            _try("the maintenance of the audit log", self._once)
            _try("the maintenance of the audit log", lambda: anchors.follow(self._log))

    def _once(self) -> None:
        made = self._checkpointer.run()
        if made is not None:
            metrics.audit_checkpoint.set(made.at.timestamp())
            records, size = self._log.records.size()
            metrics.audit_records.set(records)
            metrics.audit_bytes.set(size)


def _try(what: str, step: Callable[[], object]) -> None:
    try:
        step()
    except (Unavailable, CannotDecrypt, ConfigurationError) as error:
        log.error("%s failed: %s", what, error)
    except Exception:
        # The thread must survive any error.
        log.exception("%s failed", what)
