"""``auth/token``: makes, shows, renews and revokes tokens, the caller's own and others.

A token other than the caller's is named by its text, and whoever has that may do with it what its holder may;
or by its accessor, which is its id, as natively.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from ...access import policy
from ...errors import InvalidFields, InvalidToken, TokenNotFound, TokenUsedUp, Unauthenticated, VaultError
from ...models import Action, Principal, Token
from ...tokens import tokens
from ..dependencies import dependencies
from . import answers, authentication, body, shown_tokens, token_request
from .call import KvCall


def lookup_self(kv: KvCall) -> Response:
    """Return the caller's token."""
    principal, text = kv.call.principal, authentication.token() or ""
    if (token := principal.token) is None:
        return answers.envelope(shown_tokens.anybody(principal.actor, principal.scopes, text))
    return answers.envelope(shown_tokens.described(token, text, shown_tokens.uses_left_after_this(token)))


def renew_self(kv: KvCall) -> Response:
    """Renew the caller's token; the increment that clients send is not needed."""
    token = kv.call.principal.token
    if token is None or token.lifetime is None:
        return _not_renewable(kv)
    renewed = tokens.renew(dependencies().tokens, kv.call.entry, kv.call.principal, token.token_id)
    uses_left = shown_tokens.uses_left_after_this(token)
    return answers.envelope(None, auth=shown_tokens.auth(renewed, authentication.token() or "", uses_left))


def revoke_self(kv: KvCall) -> Response:
    """Revoke the caller's token and those that descend from it."""
    if (token := kv.call.principal.token) is not None:
        _revoke(kv, kv.call.principal, token.token_id)
    return answers.nothing()


def create(kv: KvCall) -> Response:
    """Make a token that descends from the caller's."""
    policy.require(kv.call.principal, Action.TOKEN)
    return _create(kv, body.read_object())


def create_orphan(kv: KvCall) -> Response:
    """Do as ``create``, with a warning: every token descends from its maker's."""
    policy.require(kv.call.principal, Action.TOKEN)
    return _create(kv, {**body.read_object(), "no_parent": True})


def lookup(kv: KvCall) -> Response:
    """Return the token in the body, or without one the caller's."""
    policy.require(kv.call.principal, Action.TOKEN)
    if (text := _text("token")) is None:
        return lookup_self(kv)
    try:
        token = tokens.prove(dependencies().tokens, kv.call.entry, text)
        _require_usable(token)
    except Unauthenticated as error:
        return _refused(kv, error, "bad token", status=403)
    return answers.envelope(shown_tokens.described(token, text, shown_tokens.uses_left(token)))


def renew(kv: KvCall) -> Response:
    """Renew the token in the body."""
    policy.require(kv.call.principal, Action.TOKEN)
    text = _required("token", "missing token ID")
    try:
        token = tokens.prove(dependencies().tokens, kv.call.entry, text)
        _require_usable(token)
    except Unauthenticated as error:
        return _refused(kv, error, "token not found")
    if token.lifetime is None:
        return _not_renewable(kv)
    renewed = tokens.renew(dependencies().tokens, kv.call.entry, tokens.holder(token), token.token_id)
    auth = shown_tokens.auth(renewed, text, shown_tokens.uses_left(renewed))
    return answers.envelope(None, auth=auth)


def revoke(kv: KvCall) -> Response:
    """Revoke the token in the body and those that descend from it; once more does no harm."""
    policy.require(kv.call.principal, Action.TOKEN)
    text = _required("token", "missing token ID")
    try:
        # One that has ended as well: of those that descend from it, some may have been left.
        token = tokens.prove(dependencies().tokens, kv.call.entry, text)
    except Unauthenticated as error:
        kv.call.entry.reason = error.reason
    else:
        _revoke(kv, tokens.holder(token), token.token_id)
    return answers.nothing()


def lookup_accessor(kv: KvCall) -> Response:
    """Return a token without its text, to whoever made it and to administrators."""
    policy.require(kv.call.principal, Action.TOKEN)
    accessor = _required("accessor", "missing accessor")
    try:
        token = tokens.describe(dependencies().tokens, kv.call.entry, kv.call.principal, accessor)
        _require_usable(token)
    except (TokenNotFound, InvalidToken) as error:
        return _refused(kv, error, "invalid accessor")
    return answers.envelope(shown_tokens.described(token, "", shown_tokens.uses_left(token)))


def revoke_accessor(kv: KvCall) -> Response:
    """Revoke a token and those that descend from it, for whoever made it and for administrators."""
    policy.require(kv.call.principal, Action.TOKEN)
    accessor = _required("accessor", "missing accessor")
    try:
        _revoke(kv, kv.call.principal, accessor)
    except TokenNotFound as error:
        kv.call.entry.reason = error.reason
        return answers.envelope(None, warnings=["No token found with this accessor"])
    return answers.nothing()


def _create(kv: KvCall, sent: Mapping[str, Any]) -> Response:
    request, warnings = token_request.parse(sent, kv.call.principal, dependencies().kv_token_seconds)
    text, token = tokens.create(dependencies().tokens, kv.call.entry, kv.call.principal, request)
    auth = shown_tokens.auth(token, text, shown_tokens.uses_left(token))
    return answers.envelope(None, auth=auth, warnings=warnings)


def _revoke(kv: KvCall, principal: Principal, token_id: str) -> None:
    tokens.revoke(dependencies().tokens, kv.call.entry, principal, token_id, keep_descendants=False)


def _require_usable(token: Token) -> None:
    tokens.require_in_force(token)
    if token.max_uses is not None and token.uses >= token.max_uses:
        raise TokenUsedUp


def _text(name: str) -> str | None:
    """Return a member of the body; None if it is missing or empty."""
    value = body.read_object().get(name)
    if not isinstance(value, str | None):
        raise InvalidFields({name: [f"{name} must be a text"]})
    return value or None


def _required(name: str, missing: str) -> str:
    if (text := _text(name)) is None:
        raise InvalidFields({name: [missing]})
    return text


def _not_renewable(kv: KvCall) -> Response:
    kv.call.entry.reason = "not renewable"
    return answers.refusal(400, "lease is not renewable")


def _refused(kv: KvCall, error: VaultError, text: str, status: int = 400) -> Response:
    kv.call.entry.reason = error.reason
    return answers.refusal(status, text)
