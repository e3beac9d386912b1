"""The container health check, apart from its click command: see ``cli``."""

from __future__ import annotations

import os

from ..environment import DEFAULT_LISTEN, Environment
from ..errors import ConfigurationError
from ..server.local_client import get_status, speaks_tls

_TIMEOUT_SECONDS = 5
_OK = 200  # http.HTTPStatus.OK, without the import


def check_health() -> None:
    """Return if the process that listens on the port of ``LISTEN`` answers ``/healthz`` with 200.

    Raises:
        ConfigurationError: it does not answer, or answers with another status.
    """
    environment = Environment(os.environ)
    address = environment.address("LISTEN", DEFAULT_LISTEN).reachable
    try:
        status = get_status(address, "/healthz", tls=speaks_tls(environment), seconds=_TIMEOUT_SECONDS)
    except OSError as error:
        raise ConfigurationError(f"no answer on {address}: {error.strerror or error}") from None
    if status != _OK:
        raise ConfigurationError(f"/healthz answered {status}")
