#!/usr/bin/env python3
"""Changes between two users of PostgreSQL: a hook for ``roll``, see docs/how-to/secrets/roll-hook.md.

The secret's value is ``USER:PASSWORD``.  Of the environment it reads ``HOOK_USERS``, the names of the two
users, and psql reads where the server is, who logs in there and with which password file: ``PGHOST``,
``PGDATABASE``, ``PGUSER``, ``PGPASSFILE`` and so on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import subprocess
import sys

_OLD, _NEW = 3, 4
_VALUE = re.compile(r"([a-z_][a-z0-9_]{0,62}):([!-~]+)", re.ASCII)
# As the server itself would choose.
_ITERATIONS, _SALT_BYTES = 4096, 16
# Errors without the line of SQL that they are about, and no question for a password.
_PSQL = ("psql", "-X", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse")


def main(moment: str) -> None:
    """Do what is to be done at this moment."""
    (old_user, _), (new_user, new_password) = _read(_OLD), _read(_NEW)
    if old_user == new_user:
        sys.exit(f"both versions are of the user {new_user}: store one for the other user")
    match moment:
        case "before":
            _execute(f"ALTER ROLE \"{new_user}\" LOGIN PASSWORD '{_verifier(new_password)}';")
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
    # Whoever is logged in would stay so.
    _execute(
        f'ALTER ROLE "{user}" NOLOGIN PASSWORD NULL;\n'
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}';"
    )


def _log_in(user: str, password: str) -> None:
    """Log in as this user, so that a mistake is found before a service is touched."""
    # libpq takes a password file only if nobody else may read it.
    file = os.memfd_create("pgpass")
    os.fchmod(file, 0o600)
    escaped = re.sub(r"([\\:])", r"\\\1", password)
    os.write(file, f"*:*:*:{user}:{escaped}\n".encode())
    _execute("SELECT 1;", file, PGUSER=user, PGPASSFILE=f"/proc/self/fd/{file}")


def _execute(sql: str, *files: int, **variables: str) -> None:
    """Send SQL through standard input: everybody can read the arguments of a process."""
    environment = {name: text for name, text in os.environ.items() if name != "PGPASSWORD"} | variables
    try:
        finished = subprocess.run(
            _PSQL,
            input=sql,
            text=True,
            stdout=subprocess.DEVNULL,
            env=environment,
            pass_fds=files,
            check=False,
        )
    except FileNotFoundError:
        sys.exit("psql is not installed")
    if finished.returncode:
        sys.exit(f"psql ended with status {finished.returncode}")


def _verifier(password: str) -> str:
    """Return what the server stores of a password (RFC 5803), so that its log cannot have the password."""
    salt = secrets.token_bytes(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(each).decode() for each in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


if __name__ == "__main__":
    main(sys.argv[1])
