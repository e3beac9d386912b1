"""``health``: ask the local API whether its process runs; needs no curl in the image."""

from __future__ import annotations

import click

from .base import Command
from .health_check import check_health


@click.command(
    cls=Command, help="Ask the local API whether its process is running; for container health checks."
)
def command() -> int:
    """Return 0 if it answers.

    Raises:
        ConfigurationError: it does not.
    """
    check_health()
    return 0
