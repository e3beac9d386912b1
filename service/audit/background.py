"""The background threads of each serving process: one looks after the log, one writes what was refused."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from .. import metrics
from ..errors import CannotDecrypt, ConfigurationError, Unavailable
from ..models import now
from . import anchors
from .checkpointer import AuditLog, Checkpointer
from .recorder import Recorder

log = logging.getLogger(__name__)

_MINUTE = 60


class _Background(ABC):
    """A thread that works until ``stop``, which then lets it finish; ``start`` it after the fork."""

    def __init__(self, name: str, close_seconds: float) -> None:
        self._close_seconds = close_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and do what is left; errors are logged."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(self._close_seconds)
        self._finish()

    @abstractmethod
    def _loop(self) -> None: ...

    @abstractmethod
    def _finish(self) -> None: ...


class RefusalThread(_Background):
    """Writes the records of refusals past a limit when a minute has ended, and at the stop those of this one.

    What cannot be written at the stop is lost.
    """

    def __init__(self, recorder: Recorder, close_seconds: float) -> None:
        super().__init__("refusals", close_seconds)
        self._recorder = recorder

    def _loop(self) -> None:
        while not self._ended.wait(_MINUTE - time.time() % _MINUTE):
            _try("writing the records of refusals", lambda: self._recorder.write_refusals(now()))

    def _finish(self) -> None:
        _try("writing the records of refusals", self._recorder.write_refusals)


class CheckpointThread(_Background):
    """Makes checkpoints, the first after one interval, and updates the log's metrics.

    At the stop it closes the chain of this process and makes a last checkpoint.
    """

    def __init__(self, audit_log: AuditLog, checkpointer: Checkpointer, close_seconds: float) -> None:
        super().__init__("audit-log", close_seconds)
        self._log = audit_log
        self._checkpointer = checkpointer

    def _loop(self) -> None:
        # A new node has its anchor at once, if the log has a checkpoint.
        self._maintain(self._follow)
        while not self._ended.wait(self._log.interval.total_seconds()):
            self._maintain(self._once)
            self._maintain(self._follow)

    def _finish(self) -> None:
        self._maintain(lambda: self._checkpointer.end(self._close_seconds))
        self._maintain(self._follow)

    def _follow(self) -> None:
        anchors.follow(self._log)

    @staticmethod
    def _maintain(step: Callable[[], object]) -> None:
        _try("the maintenance of the audit log", step)

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
