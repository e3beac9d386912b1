"""``/vault/session``: stand-ins for a token, for people at a browser."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from ...errors import ConfirmationRequired, Forbidden, SessionNotFound
from ...models import Session
from ...tokens import sessions
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..guard import Call, guarded
from . import schemas

blueprint = JsonBlueprint(
    "sessions",
    __name__,
    url_prefix="/vault/session",
    description="Stand-ins for a token, for one address and a short time.",
)

_SESSION = {
    "session_id": "7c1d0a9b8e6f5d42",
    "token_id": "0f3a5b7c9d1e2f40",
    "client_network": "192.0.2.7",
    "created_at": "2026-01-31T12:00:00+00:00",
    "expires_at": "2026-01-31T12:15:00+00:00",
    "ends_at": "2026-01-31T20:00:00+00:00",
    "confirmed_at": "2026-01-31T12:00:00+00:00",
}
_OF_SESSIONS = {
    **COMMON_ERRORS,
    HTTPStatus.FORBIDDEN: Forbidden("this is for sessions: call it with one"),
}


@blueprint.post("/create")
@guarded(blueprint, "session_create")
@blueprint.arguments(schemas.SessionCreateRequest(), example={})
@blueprint.response(
    200,
    schemas.SessionCreateResponse,
    example={**_SESSION, "session": "sme_7c1d0a9b8e6f5d42_" + 64 * "0" + "deadbeef"},
)
@documents_errors(
    blueprint,
    {
        **COMMON_ERRORS,
        HTTPStatus.FORBIDDEN: Forbidden("a session cannot create another one: use the token itself"),
    },
)
def create(call: Call, _body: dict[str, Any]) -> Response:
    """Create a session for your token, and your address (IPv6: its /64). Only this response contains it.

    It can do what the token can, for 15 minutes; `renew` moves that up to `ends_at`: 8 hours, or the end of
    the token. It ends with its token. Tokens with max_uses can have none.
    """
    with dependencies().request_deadline():
        text, session = sessions.create(dependencies().tokens, call.entry, call.principal)
    shown: dict[str, Any] = schemas.SessionResponse().dump(session)
    return jsonify({**shown, "session": text})


@blueprint.post("/renew")
@guarded(blueprint, "session_renew")
@blueprint.arguments(schemas.SessionRenewRequest(), example={})
@blueprint.response(200, schemas.SessionResponse, example=_SESSION)
@documents_errors(blueprint, _OF_SESSIONS)
def renew(call: Call, _body: dict[str, Any]) -> Session:
    """Let your session live for 15 minutes from now, but not beyond `ends_at`."""
    with dependencies().request_deadline():
        return sessions.renew(dependencies().tokens, call.entry, call.principal)


@blueprint.post("/confirm")
@guarded(blueprint, "session_confirm")
@blueprint.arguments(
    schemas.SessionConfirmRequest(), example={"token": "smt_0f3a5b7c9d1e2f40_" + 64 * "0" + "deadbeef"}
)
@blueprint.response(200, schemas.SessionResponse, example=_SESSION)
@documents_errors(blueprint, {**_OF_SESSIONS, HTTPStatus.FORBIDDEN: ConfirmationRequired()})
def confirm(call: Call, body: dict[str, Any]) -> Session:
    """Show the session's token once more: for ten minutes the session may then create what outlasts it.

    That is tokens, AppRoles and secret ids; a new session may create them for its first ten minutes.
    """
    with dependencies().request_deadline():
        return sessions.confirm(dependencies().tokens, call.entry, call.principal, body["token"])


@blueprint.post("/list")
@guarded(blueprint, "session_list")
@blueprint.arguments(schemas.SessionListRequest(), example={})
@blueprint.response(
    200, schemas.SessionListResponse, example={"sessions": [_SESSION], "altered": [], "next": None}
)
@documents_errors(blueprint, COMMON_ERRORS)
def list_(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """List the sessions that have not ended: administrators see all, others those of their token."""
    with dependencies().request_deadline():
        page = sessions.list_(dependencies().tokens, call.principal, body.get("after", ""))
    return {"sessions": page.sessions, "altered": page.altered, "next": page.last}


@blueprint.post("/revoke")
@guarded(blueprint, "session_revoke")
@blueprint.arguments(schemas.SessionOwnRequest(), example={"session_id": _SESSION["session_id"]})
@blueprint.response(200, schemas.SessionRevokeResponse, example={"revoked": _SESSION["session_id"]})
@documents_errors(blueprint, {**COMMON_ERRORS, HTTPStatus.NOT_FOUND: SessionNotFound()})
def revoke(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """End a session of your token, or any as an administrator; without a session_id your own.

    Every replica rejects it within five seconds.
    """
    session = call.principal.session
    session_id = body.get("session_id", "" if session is None else session.session_id)
    with dependencies().request_deadline():
        sessions.revoke(dependencies().tokens, call.entry, call.principal, session_id)
    return {"revoked": session_id}
