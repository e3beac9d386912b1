"""How Vault's clients are shown a token; several of them fail if a member is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...access import scopes, token_format
from ...models import ROLE_PREFIX, Scope, Token, now
from . import go


def described(token: Token, text: str, uses_left: int) -> dict[str, Any]:
    """Return what a look-up shows of a token; ``text`` is empty if only its accessor is known."""
    return {
        "id": text,
        "accessor": token.token_id,
        "display_name": token.name,
        "policies": policies(token.scopes),
        "path": "auth/approle/login" if _is_of_login(token) else "auth/token/create",
        "meta": _metadata(token),
        "num_uses": uses_left,
        "orphan": _is_orphan(token),
        "entity_id": "",
        "type": "service",
        "explicit_max_ttl": 0,
        **_times(token, now()),
    }


def anybody(actor: str, held: Sequence[Scope], text: str) -> dict[str, Any]:
    """Return what a look-up shows of callers who need no token."""
    return {
        "id": text,
        "accessor": "",
        "display_name": actor,
        "policies": policies(held),
        "path": "auth/token/create",
        "meta": None,
        "num_uses": 0,
        "orphan": True,
        "entity_id": "",
        "type": "service",
        "explicit_max_ttl": 0,
        "creation_time": 0,
        "creation_ttl": 0,
        "issue_time": "",
        "expire_time": None,
        "ttl": 0,
        "renewable": False,
    }


def auth(token: Token, text: str, uses_left: int) -> dict[str, Any]:
    """Return what whoever gets or renews a token is shown of it."""
    held = policies(token.scopes)
    return {
        "client_token": text,
        "accessor": token.token_id,
        "policies": held,
        "token_policies": held,
        "metadata": _metadata(token),
        "lease_duration": _seconds_left(token, now()),
        "renewable": token.lifetime is not None,
        "entity_id": "",
        "token_type": "service",
        "orphan": _is_orphan(token),
        "mfa_requirement": None,
        "num_uses": uses_left,
    }


def policies(held: Sequence[Scope]) -> list[str]:
    """Return scopes as Vault's policies; administrators have ``root``."""
    return ["root"] if scopes.ADMIN in held else [str(scope) for scope in held]


def uses_left(token: Token) -> int:
    """Return how many calls a token may still make; 0 if they are not limited."""
    return 0 if token.max_uses is None else max(0, token.max_uses - token.uses)


def uses_left_after_this(token: Token) -> int:
    """Return the same of the caller's token, which was read before this call was counted."""
    return 0 if token.max_uses is None else max(0, token.max_uses - token.uses - 1)


def _metadata(token: Token) -> dict[str, str] | None:
    # A token of a login has the name of its role.
    return {"role_name": token.name} if _is_of_login(token) else None


def _is_of_login(token: Token) -> bool:
    return token.created_by.startswith(ROLE_PREFIX)


def _is_orphan(token: Token) -> bool:
    return not token_format.is_id(token.created_by)


def _times(token: Token, at: datetime) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "creation_time": int(token.created_at.timestamp()),
        "creation_ttl": _first_seconds(token),
        "issue_time": go.time(token.created_at),
        "expire_time": None if token.expires_at is None else go.time(token.expires_at),
        "ttl": _seconds_left(token, at),
        "renewable": token.lifetime is not None,
    }
    if token.lifetime is not None and token.expires_at is not None:
        shown["period"] = token.lifetime
        started = int(token.expires_at.timestamp()) - token.lifetime
        if started > int(token.created_at.timestamp()):
            shown["last_renewal_time"] = started
    return shown


def _first_seconds(token: Token) -> int:
    if token.lifetime is not None:
        return token.lifetime
    return 0 if token.expires_at is None else int((token.expires_at - token.created_at).total_seconds())


def _seconds_left(token: Token, at: datetime) -> int:
    """Return how long a token is still valid, rounded up as 0 stands for no end."""
    if token.expires_at is None:
        return 0
    return max(1, -int((at - token.expires_at).total_seconds() // 1))
