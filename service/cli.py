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
    # Every container runs exactly this every few seconds.  Without options there is nothing to parse, and
    # importing click would more than double the processor time of the check.
    if arguments == ["health"]:
        from .commands.health_check import check_health

        check_health()
        return 0
    from .commands.root import run

    return run(arguments)
