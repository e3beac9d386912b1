"""Bodies of requests and responses about sessions; the OpenAPI document is generated from these."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

_SESSION_ID = {
    "description": "The session's id: the part between `sme_` and the second underscore.",
    "example": "7c1d0a9b8e6f5d42",
}


class SessionCreateRequest(Schema):
    """Nothing is needed: the token and the address are the caller's."""


class SessionRenewRequest(Schema):
    """Nothing is needed: the session is the caller's."""


class SessionConfirmRequest(Schema):
    """The token that the session was created with."""

    token = fields.String(required=True, load_only=True, metadata={"description": "The whole token."})


class SessionOwnRequest(Schema):
    """A session, by its id; without a session_id your own."""

    session_id = fields.String(metadata=_SESSION_ID)


class SessionListRequest(Schema):
    """Which page to list."""

    after = fields.String(
        validate=validate.Regexp(r"[0-9a-f]{16}\Z", error="invalid: pass `next` of the previous page"),
        metadata={"description": "`next` of the previous page.", "pattern": "^[0-9a-f]{16}$"},
    )


class SessionResponse(Schema):
    """A session's description; never the session itself."""

    session_id = fields.String(required=True, metadata=_SESSION_ID)
    token_id = fields.String(required=True, metadata={"description": "The token that it stands in for."})
    client_network = fields.String(
        required=True, metadata={"description": "The address, or IPv6 network, that it is bound to."}
    )
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(
        required=True, metadata={"description": "When it ends unless it is renewed."}
    )
    ends_at = fields.AwareDateTime(
        required=True, metadata={"description": "When it ends even if it is renewed."}
    )
    confirmed_at = fields.AwareDateTime(
        required=True, metadata={"description": "When its token was last shown: by create or confirm."}
    )


class SessionCreateResponse(SessionResponse):
    """A new session; it cannot be shown again."""

    session = fields.String(
        required=True, metadata={"description": "The session; send it as `Authorization: Bearer <session>`."}
    )


class SessionListResponse(Schema):
    """A page of sessions."""

    sessions = fields.List(fields.Nested(SessionResponse), required=True)
    altered = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The ids of sessions whose record does not authenticate; they are refused."},
    )
    next = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Pass it as `after` for the next page; null on the last page."},
    )


class SessionRevokeResponse(Schema):
    """The id of the revoked session."""

    revoked = fields.String(required=True)
