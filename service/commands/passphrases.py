"""Passphrases, from a terminal or a file.

Never from an argument or the environment: other users can read those.
"""

from __future__ import annotations

from getpass import getpass
from pathlib import Path

from ..errors import ConfigurationError
from .private_files import private_file

# An attacker who has the file can try any number of passphrases.
MIN_CHARACTERS = 12

_OPTION = "--passphrase-file"


def known(file: str | None) -> bytes:
    """Return the passphrase under which something was sealed: from ``file``, or else from the terminal.

    Raises:
        ConfigurationError: there is no file and no terminal, or the passphrase is empty.
    """
    return private_file(_OPTION, file) if file else _ask("Passphrase: ")


def new(file: str | None) -> bytes:
    """Return a passphrase to seal something under; on a terminal it is asked for twice.

    Raises:
        ConfigurationError: as for ``known``, or it is too short, or the two do not match.
    """
    passphrase = private_file(_OPTION, file) if file else _ask("Passphrase: ")
    if len(passphrase.decode(errors="replace")) < MIN_CHARACTERS:
        raise ConfigurationError(
            f"the passphrase is shorter than {MIN_CHARACTERS} characters: choose a longer one"
        )
    if not file and _ask("The same again: ") != passphrase:
        raise ConfigurationError("the two passphrases do not match: run the command again")
    return passphrase


def _ask(prompt: str) -> bytes:
    try:
        # Without a terminal getpass would read standard input and echo what is typed.
        with Path("/dev/tty").open():
            return getpass(prompt).encode()
    except (OSError, EOFError):
        raise ConfigurationError(
            "there is no terminal to ask for the passphrase: give --passphrase-file"
        ) from None
