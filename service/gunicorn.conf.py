"""gunicorn's settings; what an operator may change comes from the environment (see settings.py)."""

# Before anything else is imported: what has a socket, a lock or a context for TLS by then would keep
# the one that blocks a whole process.
from gevent import monkey

monkey.patch_all()

import gc
import os
import shutil
import ssl
import sys
import tempfile
from logging.config import dictConfig
from pathlib import Path
from typing import TYPE_CHECKING

from service.environment import Environment
from service.errors import ConfigurationError, Unavailable
from service.server import logs
from service.server.connection import TlsSocket
from service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.server.worker import Worker

# Memory, not disk: neither the workers' heartbeat nor their counters may wait for a disk.
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  (a tmpfs, not shared files)

# So many objects are made and not freed before the youngest are looked through, and so often that is done
# before the next older ones are.
_GC_THRESHOLDS = (5_000, 20, 20)

try:
    _settings = Settings.from_environment(Environment(os.environ))
except ConfigurationError as refused:
    sys.exit(f"secret-manager: {refused}")

bind = str(_settings.listen)
workers = _settings.workers
worker_class = "service.server.worker.Worker"
threads = _settings.threads
worker_tmp_dir = _MEMORY

# Of a worker that no longer beats, not of a request: those are bounded by their database time.
timeout = 60
# Requests in flight finish: the database has its time for the token, for the work and for the record.
# The orchestrator's own patience (stop_grace_period) must be longer than this.
graceful_timeout = 3 * _settings.store.mongo_timeout + 5
keepalive = 5

if _settings.tls:
    # gunicorn takes these two as the sign that it is to speak TLS; the context is made below.
    certfile, keyfile = str(_settings.tls.certificate), str(_settings.tls.key)
    _tls_context = _settings.tls.context()
    _tls_context.sslsocket_class = TlsSocket

# gunicorn opens a socket that commands the server unless it is told not to.
control_socket_disable = True
accesslog = None
logconfig_dict = logs.config(_settings.log_level)


def ssl_context(config: object, default: "Callable[[], ssl.SSLContext]") -> ssl.SSLContext:
    """Return the one context of this process; gunicorn would make another for every connection."""
    return _tls_context


def post_fork(server: object, worker: "Worker") -> None:
    """Tell a new worker what it cannot read from gunicorn's own settings."""
    worker.request_seconds = _settings.request_seconds


def post_worker_init(worker: "Worker") -> None:
    """Leave what was made until now out of garbage collection, and begin to look after the audit log."""
    from service.app import checkpoint_thread

    # Hardly anything that a request makes refers to itself: without this, Python would look through all
    # that was imported again and again for something to free.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    if (keeper := checkpoint_thread(worker.wsgi)) is not None:
        keeper.start()


def worker_exit(server: object, worker: "Worker") -> None:
    """Close this worker's chain in the audit log; called when no request is left."""
    from service.app import checkpoint_thread

    if (app := getattr(worker, "wsgi", None)) is not None and (keeper := checkpoint_thread(app)) is not None:
        keeper.stop()


def on_starting(server: object) -> None:
    """Get the database ready, once, before there is a socket or a worker."""
    # A new folder each time, so that no counter of an earlier run is counted again; and named before
    # prometheus_client is imported, because it decides at import how it keeps values.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="secret-manager-metrics-", dir=_MEMORY)
    from service.server.startup import prepare

    dictConfig(logconfig_dict)
    try:
        prepare(_settings)
    except (ConfigurationError, Unavailable) as refused:
        on_exit(server)
        sys.exit(f"secret-manager: {refused}")


def child_exit(server: object, worker: "Worker") -> None:
    """Take a dead worker's present values out of the metrics, its counts stay; its seat is another's."""
    from prometheus_client.multiprocess import mark_process_dead

    worker.slot.release()
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the library's is not annotated


def on_exit(server: object) -> None:
    """Remove this run's counters."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
