"""What a table of requests consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ADMIN = "admin"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request, such as ``Request("reads it", "GET M/data/a")``; the path is below ``/v1/``.

    ``M`` is the scenario's own mount; in bodies and headers ``$name`` is the token of that name, and
    ``$name.accessor`` its accessor.  ``body`` is sent as JSON, bytes as they are, and ``token`` names the
    token that is sent.  ``keep`` names what later requests need of the answer, and ``only`` is the member
    that is compared if not all of them are; both such as ``auth|client_token``.
    """

    name: str
    line: str
    body: Any = None
    token: str | None = ADMIN
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    only: str = ""


def patch(name: str, path: str, body: Any = None, **options: Any) -> Request:
    """Return a PATCH with the content type that it wants."""
    return Request(name, f"PATCH {path}", body, headers=MERGE_PATCH, **options)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a token or role may do, such as ``fetch:M/team/*``; OpenBao has a policy that says the same."""

    scopes: tuple[str, ...]
    seconds: int | None = None
    renewable: bool = False
    uses: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """Requests in their order, on a mount that nobody else has; ``name`` is also the mount's.

    Of each of the ``roles`` there are ``$name.role_id`` and ``$name.secret_id``.
    """

    name: str
    requests: tuple[Request, ...]
    tokens: Mapping[str, Rights] = field(default_factory=dict)
    roles: Mapping[str, Rights] = field(default_factory=dict)

    def scopes(self, rights: Rights) -> list[str]:
        """Return a token's scopes, on this mount."""
        return [scope.replace(":M/", f":{self.name}/") for scope in rights.scopes]
