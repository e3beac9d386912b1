"""``health``: asks the local process whether it runs; needs no curl in the image."""

from __future__ import annotations

import argparse
import http.client
import os

from ..environment import Environment
from ..errors import StartRefused
from ..settings import DEFAULT_LISTEN

_SECONDS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options: there are none."""


def run(args: argparse.Namespace) -> int:
    """Return 0 where the process answers on the port of ``LISTEN``.

    Raises:
        StartRefused: it does not answer, or not with 200.
    """
    address = Environment(os.environ).address("LISTEN", DEFAULT_LISTEN).reachable
    connection = http.client.HTTPConnection(address.host, address.port, timeout=_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except OSError as error:
        raise StartRefused(f"no answer on {address}: {error.strerror or error}") from None
    finally:
        connection.close()
    if status != http.client.OK:
        raise StartRefused(f"/healthz answered {status}")
    return 0
