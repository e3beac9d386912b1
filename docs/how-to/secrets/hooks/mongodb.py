#!/usr/bin/env python3
"""Changes between two users of MongoDB: a hook for ``roll``, see docs/how-to/secrets/roll-hook.md.

The secret's value is ``USER:PASSWORD``.  Of the environment it reads ``HOOK_USERS``, the names of the two
users; ``HOOK_DATABASE``, where they are defined; and ``HOOK_MONGO_URI_FILE``, a file with the connection
string of a user that may change their passwords.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

_OLD, _NEW = 3, 4
_VALUE = re.compile(r"([A-Za-z0-9_.-]+):([!-~]+)", re.ASCII)
_MILLISECONDS = 10_000


def main(moment: str) -> None:
    """Do what is to be done at this moment."""
    (old_user, _), (new_user, new_password) = _read(_OLD), _read(_NEW)
    if old_user == new_user:
        sys.exit(f"both versions are of the user {new_user}: store one for the other user")
    match moment:
        case "before":
            _set_password(new_user, new_password)
            _log_in(new_user, new_password)
        case "after":
            _withdraw(old_user)
        case "failed":
            _withdraw(new_user)
        case _:
            sys.exit(f"there is no moment {moment}")


def _read(descriptor: int) -> tuple[str, str]:
    with os.fdopen(descriptor, "rb") as file:
        match = _VALUE.fullmatch(file.read().decode("latin-1"))
    if not match:
        sys.exit("a version's value is not USER:PASSWORD in ASCII, without spaces and without an end of line")
    user, password = match.groups()
    # A wrong value must not lock somebody else out.
    if user not in _setting("HOOK_USERS").split():
        sys.exit(f"the user {user} is not one of HOOK_USERS")
    return user, password


def _setting(name: str) -> str:
    if text := os.environ.get(name):
        return text
    sys.exit(f"set {name} in the environment")


def _withdraw(user: str) -> None:
    # MongoDB cannot lock a user; a password that nobody has does the same.
    _set_password(user, secrets.token_urlsafe(32))


def _set_password(user: str, password: str) -> None:
    with _client() as client:
        client[_setting("HOOK_DATABASE")].command("updateUser", user, pwd=password)


def _log_in(user: str, password: str) -> None:
    """Log in as this user, so that a mistake is found before a service is touched."""
    database = _setting("HOOK_DATABASE")
    login = {"username": user, "password": password, "authSource": database, "authMechanism": "SCRAM-SHA-256"}
    with _client(**login) as client:
        client[database].command("ping")


def _client(**options: Any) -> MongoClient[dict[str, Any]]:
    file = Path(_setting("HOOK_MONGO_URI_FILE"))
    try:
        uri = file.read_text().strip()
        return MongoClient(uri, serverSelectionTimeoutMS=_MILLISECONDS, **options)
    except OSError as error:
        sys.exit(f"cannot read {file}: {error.strerror}")
    except (PyMongoError, ValueError):
        # The error may have a part of the password.
        sys.exit(
            f"{file} does not hold a connection string such as mongodb://USER:PASSWORD@HOST/?authSource=admin"
        )


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except PyMongoError as error:
        sys.exit(f"MongoDB: {error}")
