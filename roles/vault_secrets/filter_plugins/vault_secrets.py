"""How the API is asked for secrets, and what it says if there are none."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def vault_secrets_references(secrets: Iterable[str]) -> list[dict[str, str]]:
    """Refer to each secret as the API expects it: a UUID by ``secret_id``, anything else by ``path``."""
    return [{"secret_id" if _ID.fullmatch(secret) else "path": secret} for secret in secrets]


def vault_secrets_token(text: str) -> str:
    """Return a file's token without the byte order mark and the white space that editors add."""
    return text.removeprefix("\ufeff").strip()


def vault_secrets_on_controller(url: str) -> bool:
    """Return whether a URL's host is the machine that asks: what is sent there is for no proxy."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def vault_secrets_problem(document: Mapping[str, Any]) -> str:
    """Say what a problem document says; for invalid fields also what is wrong with each."""
    return "; ".join([document["detail"], *_messages(document.get("errors", []))])


def _messages(found: Any, *names: str) -> Iterator[str]:
    if isinstance(found, str):
        yield ": ".join([".".join(names), found] if names else [found])
    elif isinstance(found, Mapping):
        for name, nested in found.items():
            yield from _messages(nested, *names, name)
    else:
        for nested in found:
            yield from _messages(nested, *names)


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "vault_secrets_on_controller": vault_secrets_on_controller,
            "vault_secrets_problem": vault_secrets_problem,
            "vault_secrets_references": vault_secrets_references,
            "vault_secrets_token": vault_secrets_token,
        }
