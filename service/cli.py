"""``python -m service COMMAND``: commands for operators, and for the roles that act for them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress

from .errors import VaultError

REFUSED = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    2 if the command cannot do what it is told to, with a message on standard error; 130 after Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = _run(arguments)
        # Not at exit, where an error has no message.
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except VaultError as error:
        return _refuse(str(error))
    except OSError as error:
        # What no command has a message of its own for: a folder that cannot be read, a disk that is full.
        return _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def _refuse(why: str) -> int:
    # The terminal may be gone, or the disk full.
    with suppress(OSError):
        print(f"secret-manager: {why}", file=sys.stderr)
    return REFUSED


def _run(arguments: list[str]) -> int:
    # Every container runs exactly these, again and again.  There is nothing to parse, and importing click
    # would more than double the processor time and the memory of a check.
    if arguments in (["health"], ["health", "--watch"]):
        from .commands.health_check import check_health, watch_health

        (watch_health if len(arguments) > 1 else check_health)()
        return 0
    from .commands.root import run

    return run(arguments)
