"""``auth/token``: a caller's own token."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response

from ...access import policy, token_format
from ...models import Principal, Token, now
from ...tokens import tokens
from ..dependencies import dependencies
from . import answers, authentication, go
from .call import KvCall


def lookup_self(kv: KvCall) -> Response:
    """Return the caller's token; several clients fail if one of these members is missing."""
    principal = kv.call.principal
    token = principal.token
    at = now()
    return answers.envelope(
        {
            "id": authentication.token() or "",
            "accessor": "" if token is None else token.token_id,
            "display_name": principal.actor if token is None else token.name,
            "policies": policies_of(principal),
            "path": "auth/token/create",
            "meta": None,
            "num_uses": _uses_left(token),
            "orphan": _is_orphan(token),
            "entity_id": "",
            "type": "service",
            "explicit_max_ttl": 0,
            **_times(token, at),
        }
    )


def renew_self(kv: KvCall) -> Response:
    """Renew the caller's token; the increment that clients send is not needed."""
    token = kv.call.principal.token
    if token is None or token.lifetime is None:
        kv.call.entry.reason = "not renewable"
        return answers.refusal(400, "lease is not renewable")
    renewed = tokens.renew(dependencies().tokens, kv.call.entry, kv.call.principal, token.token_id)
    policies = policies_of(kv.call.principal)
    return answers.envelope(
        None,
        auth={
            "client_token": authentication.token(),
            "accessor": renewed.token_id,
            "policies": policies,
            "token_policies": policies,
            "metadata": None,
            "lease_duration": _seconds_left(renewed, now()),
            "renewable": True,
            "entity_id": "",
            "token_type": "service",
            "orphan": _is_orphan(renewed),
            "mfa_requirement": None,
            "num_uses": _uses_left(token),
        },
    )


def revoke_self(kv: KvCall) -> Response:
    """Revoke the caller's token and those that descend from it."""
    principal = kv.call.principal
    if principal.token is not None:
        tokens.revoke(
            dependencies().tokens,
            kv.call.entry,
            principal,
            principal.token.token_id,
            keep_descendants=False,
        )
    return answers.nothing()


def policies_of(principal: Principal) -> list[str]:
    """Return the caller's scopes as Vault's policies; administrators have ``root``."""
    return ["root"] if policy.is_admin(principal) else [str(scope) for scope in principal.scopes]


def _times(token: Token | None, at: datetime) -> dict[str, Any]:
    if token is None:
        return {
            "creation_time": 0,
            "creation_ttl": 0,
            "issue_time": "",
            "expire_time": None,
            "ttl": 0,
            "renewable": False,
        }
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


def _uses_left(token: Token | None) -> int:
    """Return how many calls a token may still make; 0 if they are not limited."""
    if token is None or token.max_uses is None:
        return 0
    # This call was counted after the token was read.
    return max(0, token.max_uses - token.uses - 1)


def _is_orphan(token: Token | None) -> bool:
    return token is None or not token_format.is_id(token.created_by)
