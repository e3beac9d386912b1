"""``health``: asks the local process whether it runs; needs no curl in the image."""

from __future__ import annotations

import argparse
import os
from http import HTTPStatus

from ..environment import DEFAULT_LISTEN, Environment
from ..errors import ConfigurationError
from ..server.local_client import get_status, speaks_tls

_SECONDS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options: there are none."""


def run(args: argparse.Namespace) -> int:
    """Return 0 where the process answers on the port of ``LISTEN``.

    Raises:
        ConfigurationError: it does not answer, or not with 200.
    """
    environment = Environment(os.environ)
    address = environment.address("LISTEN", DEFAULT_LISTEN).reachable
    try:
        status = get_status(address, "/healthz", tls=speaks_tls(environment), seconds=_SECONDS)
    except OSError as error:
        raise ConfigurationError(f"no answer on {address}: {error.strerror or error}") from None
    if status != HTTPStatus.OK:
        raise ConfigurationError(f"/healthz answered {status}")
    return 0
