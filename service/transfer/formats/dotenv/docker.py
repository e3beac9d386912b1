"""Reads ``.env`` files as ``docker run --env-file`` and ``env_file`` of ``docker stack deploy`` do.

The value is all that follows the equals sign, with its quotes, spaces and backslashes: the package
``pkg/kvfile`` of Docker's command line, version 28.
"""

from __future__ import annotations

from ..line import LineError
from .assignment import BARE, NO_EQUALS_SIGN, NO_NAME, Assignment, Reading
from .compose import SPACE

_SPACE_IN_NAME = "docker refuses a space in front of the equals sign, and so `export`: write NAME=value"


def read(text: str) -> Reading:
    """Yield the assignment or the error in each line."""
    for number, line in enumerate(text.split("\n"), 1):
        content = line.removesuffix("\r").lstrip(SPACE)
        if not content or content.startswith("#"):
            continue
        name, equals, value = content.partition("=")
        if not equals:
            yield LineError(number, NO_EQUALS_SIGN)
        elif not name:
            yield LineError(number, NO_NAME)
        elif " " in name or "\t" in name:
            yield LineError(number, _SPACE_IN_NAME)
        else:
            quotes = "quotes are part of the value" if value.startswith(("'", '"')) else BARE
            yield Assignment(number, 1, name, value, quotes)
