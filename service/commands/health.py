"""``health``: ask the local API whether its process runs; needs no curl in the image."""

from __future__ import annotations

import click

from .base import Command
from .health_check import check_health, watch_health


@click.command(
    cls=Command, help="Ask the local API whether its process is running; for container health checks."
)
@click.option(
    "--watch",
    is_flag=True,
    help="If the last check succeeded, too, ask every 5 s for five minutes, and end at the first failure.",
)
def command(*, watch: bool) -> int:
    """Return 0 if it answers.

    Raises:
        ConfigurationError: it does not.
    """
    (watch_health if watch else check_health)()
    return 0
