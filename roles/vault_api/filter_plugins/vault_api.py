"""Parts of the API's service that follow from its settings, and what is imported from the Swarm."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

# The service runs as this user and is the only one that reads its files.
_OWNER = {"uid": "65532", "gid": "65532", "mode": 0o400}

_TIMEOUT = "MONGO_TIMEOUT_SECONDS"
# The service's own default and its upper limit (service/settings.py).
_DEFAULT_TIMEOUT, _MAX_TIMEOUT = 5, 30
# Between gunicorn's last moment and SIGKILL: its workers are killed, its files removed.
_MARGIN = 10
_MIN_GRACE = 45

# A Docker secret's name, and behind a colon the path that it gets.
_IMPORTED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*)(?::(.+))?")


def vault_api_stop_grace_seconds(environment: Mapping[str, Any]) -> int:
    """Say how long a replica that was told to stop may take until it is killed, in seconds.

    gunicorn lets requests in flight finish for ``3 * MONGO_TIMEOUT_SECONDS + 5`` seconds, see
    service/gunicorn.conf.py.
    The orchestrator must wait longer, or it cuts these requests off.

    Args:
        environment: the variables of the service.  If the time comes from a file, its longest is assumed.

    Raises:
        ValueError: ``MONGO_TIMEOUT_SECONDS`` is no whole number.
    """
    if f"{_TIMEOUT}_FILE" in environment:
        timeout = _MAX_TIMEOUT
    else:
        given = environment.get(_TIMEOUT, _DEFAULT_TIMEOUT)
        try:
            timeout = int(str(given))
        except ValueError:
            raise ValueError(
                f"{_TIMEOUT} in vault_api_environment is {given!r}: "
                f"write a whole number from 1 to {_MAX_TIMEOUT}"
            ) from None
    return max(_MIN_GRACE, 3 * timeout + 5 + _MARGIN)


def vault_api_secret_files(secrets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Describe the Docker secrets to mount, given their names by file name under ``/run/secrets``."""
    return [{**_OWNER, "secret_name": secret, "filename": name} for name, secret in secrets.items()]


def vault_api_config_files(configs: Mapping[str, str]) -> list[dict[str, Any]]:
    """Describe the Docker configs to mount beside the secrets, given their names by file name."""
    return [
        {**_OWNER, "config_name": config, "filename": f"/run/secrets/{name}"}
        for name, config in configs.items()
    ]


def vault_api_import_paths(secrets: Iterable[str]) -> dict[str, str]:
    """Return the path of each Docker secret that is to be imported, by its name.

    Args:
        secrets: names, each alone or as ``NAME:PATH``; a path is by default the name.

    Raises:
        ValueError: there is none, one is malformed, or one is named twice.
    """
    paths: dict[str, str] = {}
    for secret in map(str.strip, secrets):
        match = _IMPORTED.fullmatch(secret)
        if not match:
            raise ValueError(f"{secret!r} is not the name of a Docker secret: write NAME or NAME:PATH")
        name, path = match.groups()
        if name in paths:
            raise ValueError(f"{name} is named twice: a secret is imported to one path")
        paths[name] = path or name
    if not paths:
        raise ValueError("no secret is named: write NAME or NAME:PATH for each")
    return paths


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "vault_api_config_files": vault_api_config_files,
            "vault_api_import_paths": vault_api_import_paths,
            "vault_api_secret_files": vault_api_secret_files,
            "vault_api_stop_grace_seconds": vault_api_stop_grace_seconds,
        }
