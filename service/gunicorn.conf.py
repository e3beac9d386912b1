"""gunicorn's settings; those that an operator may change come from the environment (see settings.py)."""

# Before any other import: a module that already holds a socket, a lock or a TLS context would keep the
# standard library's, which blocks the whole process.
from gevent import monkey

monkey.patch_all()

import gc

# Until a worker is ready everything that is made stays: there is nothing to collect.
gc.disable()

import os
import resource
import ssl
import sys
from logging.config import dictConfig
from pathlib import Path
from typing import TYPE_CHECKING

# gunicorn may be started in any folder but this one, where Python would take `secrets` for its own module.
_PACKAGE = Path(__file__).resolve().parent
if Path.cwd() == _PACKAGE:
    sys.exit(
        f"secret-manager: start gunicorn in another folder, such as {_PACKAGE.parent}, not in the package's"
    )
if str(_PACKAGE.parent) not in sys.path:
    sys.path.insert(0, str(_PACKAGE.parent))

from service.environment import process_environment
from service.errors import ConfigurationError, Unavailable
from service.hardening import harden_process
from service.server import logs, metrics_files, stop_signals
from service.server.connection import TlsSocket
from service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from gunicorn.arbiter import Arbiter

    from service.server.worker import Worker

# In memory: neither the workers' heartbeat nor their counters may wait for a disk.
_MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108  (a tmpfs, not shared files)

# The youngest generation is collected after 5,000 net allocations, each older one after 20 collections of
# the one before.
_GC_THRESHOLDS = (5_000, 20, 20)

# For a thousand connections of clients and a hundred to MongoDB; many systems give a process 1024.
_FILES = 4096

_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if resource.RLIM_INFINITY != _soft < _FILES:
    _most = _FILES if _hard == resource.RLIM_INFINITY else min(_FILES, _hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _hard))

# Before the keys are read; the workers inherit it.
harden_process()

try:
    _settings = Settings.from_environment(process_environment())
except ConfigurationError as error:
    sys.exit(f"secret-manager: {error}")

bind = [str(_settings.listen)]
if _settings.health_socket:
    # Only this user may connect to it: see ``Worker._accept_local``.
    bind.append(f"unix:{_settings.health_socket}")
    umask = 0o077
workers = _settings.workers
worker_class = "service.server.worker.Worker"
threads = _settings.threads
worker_tmp_dir = _MEMORY and str(_MEMORY)

# For a worker without a heartbeat, not for a request: a request is bounded by its database time.
timeout = 60
# Requests in flight may finish: each has the database timeout three times, for the token, the work and the
# audit record.  The orchestrator's stop_grace_period must be longer than this.
graceful_timeout = 3 * _settings.store.mongo_timeout + 5
keepalive = 5

if _settings.tls:
    # gunicorn serves TLS if these two are set; the context is created below.
    certfile, keyfile = str(_settings.tls.certificate), str(_settings.tls.key)
    _tls_context = _settings.tls.context()
    _tls_context.sslsocket_class = TlsSocket

# What a proxy adds is read in api.caller, and there only for TRUSTED_PROXIES: gunicorn would believe
# whatever loopback sends.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}

# By default gunicorn opens a socket for commands to the server.
control_socket_disable = True
accesslog = None
logconfig_dict = logs.config(_settings.log_level)


def ssl_context(config: object, default: "Callable[[], ssl.SSLContext]") -> ssl.SSLContext:
    """Return this process's only context; gunicorn would create one per connection."""
    return _tls_context


def pre_fork(server: "Arbiter", worker: "Worker") -> None:
    """Give a new worker the number of its metrics, and the space that they need; block its signals."""
    worker.number = metrics_files.numbers.take()
    try:
        metrics_files.allocate(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]), worker.number)
    except OSError as error:
        # The space for as many as WORKERS was taken at the start: this is one more, during a reload.
        server.log.error("a worker may be killed by SIGBUS when it counts: %s", error.strerror)
    stop_signals.block()


def post_fork(server: object, worker: "Worker") -> None:
    """Give a new worker the settings that gunicorn's own settings do not have."""
    metrics_files.numbers.own = worker.number
    worker.request_seconds = _settings.request_seconds
    worker.trusted_proxies = _settings.trusted_proxies


def post_worker_init(worker: "Worker") -> None:
    """Freeze the objects that exist now for the garbage collector, and start the audit log's threads."""
    from service.app import background_threads

    worker.max_body_bytes = worker.wsgi.config["MAX_CONTENT_LENGTH"]
    # Requests create hardly any reference cycles: without this, Python would scan all imported modules
    # again and again and find nothing to free.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    gc.enable()
    for thread in background_threads(worker.wsgi):
        thread.start()


def worker_exit(server: object, worker: "Worker") -> None:
    """Complete this worker's chain in the audit log; gunicorn calls this when no request is left."""
    from service.app import background_threads

    if (app := getattr(worker, "wsgi", None)) is not None:
        for thread in background_threads(app):
            thread.stop()


def on_starting(server: object) -> None:
    """Prepare the database, once, before there is a socket or a worker."""
    try:
        # Before anything imports prometheus_client's metrics.
        metrics_files.open_folder(_MEMORY, 1 + workers)
        from service.server.startup import prepare

        dictConfig(logconfig_dict)
        prepare(_settings)
    except (ConfigurationError, Unavailable) as error:
        sys.exit(f"secret-manager: {error}")
    stop_signals.unblock_after_forks()


def child_exit(server: object, worker: "Worker") -> None:
    """Release what a worker that is gone had; the next one goes on counting where it stopped."""
    worker.slot.release()
    metrics_files.numbers.free(worker.number)
