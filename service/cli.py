"""``python -m service COMMAND``: commands for operators, and for the roles that act for them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .errors import ConfigurationError, Unavailable

REFUSED = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    2 if the command line or the configuration is invalid, with a message on standard error; 130 after Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _run(arguments)
    except (ConfigurationError, Unavailable) as error:
        print(f"secret-manager: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    # Every container runs exactly these, again and again.  There is nothing to parse, and importing click
    # would more than double the processor time and the memory of a check.
    if arguments in (["health"], ["health", "--watch"]):
        from .commands.health_check import check_health, watch_health

        (watch_health if len(arguments) > 1 else check_health)()
        return 0
    from .commands.root import run

    return run(arguments)
