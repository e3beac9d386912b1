"""The container health check, apart from its click command: see ``cli``."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from ..environment import DEFAULT_LISTEN, process_environment
from ..errors import ConfigurationError
from ..server.local_client import get_status, speaks_tls

_TIMEOUT_SECONDS = 5
_OK = 200  # http.HTTPStatus.OK, without the import

_WATCH_SECONDS = 295
_PAUSE_SECONDS = 5
# In a container /tmp is its own and empty when it starts.
_SEEN = "/tmp/secret-manager-healthy"  # noqa: S108  (another user can at most delay a check)


def check_health() -> None:
    """Return if the process at ``HEALTH_SOCKET``, or else at ``LISTEN``, answers ``/healthz`` with 200.

    Raises:
        ConfigurationError: it does not answer, or answers with another status.
    """
    environment = process_environment()
    own_way = environment.text("HEALTH_SOCKET", "")
    address = own_way or environment.address("LISTEN", DEFAULT_LISTEN).reachable
    tls = not own_way and speaks_tls(environment)
    try:
        status = get_status(address, "/healthz", tls=tls, seconds=_TIMEOUT_SECONDS)
    except OSError as error:
        raise ConfigurationError(f"no answer on {address}: {error.strerror or error}") from None
    if status != _OK:
        raise ConfigurationError(f"/healthz answered {status}")


def watch_health(seen: str = _SEEN, seconds: float = _WATCH_SECONDS, pause: float = _PAUSE_SECONDS) -> None:
    """Check once, or, if the last check succeeded as well, every ``pause`` seconds for ``seconds``.

    A container engine starts a process for each check, which costs it more than the check.  ``seen`` is the
    file that tells the next check of this success; where it cannot be written, each checks once.

    Raises:
        ConfigurationError: as ``check_health``, at the first failure.
    """
    end = time.monotonic() + seconds
    try:
        check_health()
        if not os.access(seen, os.F_OK):
            with suppress(OSError):
                os.close(os.open(seen, os.O_CREAT | os.O_EXCL, 0o600))
            return
        while time.monotonic() < end:
            time.sleep(pause)
            check_health()
    except ConfigurationError:
        with suppress(OSError):
            os.unlink(seen)  # noqa: PTH108  (importing pathlib costs as much as the check)
        raise
