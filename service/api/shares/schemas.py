"""Bodies of requests and responses about shares; the OpenAPI document is generated from these."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from ...models import Share, now
from ...secrets.read import SecretVersionRef
from ...shares import passphrase, shares
from ...shares.shares import ShareRequest
from ...store.secret_queries import SecretRef
from ..fields import PATH, SECRET, VERSION, Base64Bytes, Text, count, flag
from ..secrets.requests import Generate

_SHARE_ID = {
    "description": "The share's id: the part between `sml_` and the second underscore.",
    "example": "9a0b1c2d3e4f5a6b",
}
_LINK = {"description": "What follows `#` in the address that the sender has sent: `sml_…`."}
_STATES = ["waiting", "opened", "revoked", "locked", "expired"]


class ShareCreateRequest(Schema):
    """What to share: a value, a generated one, or the value of a secret; exactly one of these."""

    secret = Base64Bytes(metadata=SECRET)
    generate = fields.Nested(Generate)
    path = fields.String(metadata={**PATH, "description": "Share the value of the secret at this path."})
    version = count(
        1, metadata={**VERSION, "description": "With a path: which version; default the current."}
    )
    recipient = Text(
        data_key="for",
        required=True,
        validate=validate.Length(1, shares.MAX_RECIPIENT_CHARACTERS),
        metadata={
            "description": "Who it is for, for yourself; recipients do not see it.",
            "example": "Grace",
        },
    )
    expires_in = count(
        1, metadata={"description": "Seconds until it ends, up to SHARE_MAX_SECONDS; default one day."}
    )
    passphrase = Text(
        validate=validate.Length(passphrase.MIN_CHARACTERS, passphrase.MAX_CHARACTERS),
        load_only=True,
        metadata={"description": "What recipients have to enter as well: tell them by another way."},
    )
    qr = flag("Whether to return the QR code of the address to send.")

    @validates_schema
    def _require_one_value(self, data: dict[str, Any], **_: object) -> None:
        if len({"secret", "generate", "path"} & data.keys()) != 1:
            raise ValidationError({"secret": ["give one of secret, generate and path"]})
        if "version" in data and "path" not in data:
            raise ValidationError({"version": ["give the path of the secret as well"]})

    @post_load
    def _build(self, data: dict[str, Any], **_: object) -> tuple[ShareRequest, bool]:
        what: Any = data.get("secret", data.get("generate"))
        if "path" in data:
            what = SecretVersionRef(SecretRef(data["path"], is_path=True), data.get("version"))
        request = ShareRequest(what, data["recipient"], data.get("expires_in"), data.get("passphrase"))
        return request, data.get("qr", False)


class ShareNameRequest(Schema):
    """A share, by its id."""

    share_id = fields.String(required=True, metadata=_SHARE_ID)


class ShareListRequest(Schema):
    """Which page to list."""

    after = fields.String(
        validate=validate.Regexp(
            r"[0-9]{1,14}-[0-9a-f]{16}\Z", error="invalid: pass `next` of the previous page"
        ),
        metadata={
            "description": "`next` of the previous page.",
            "pattern": "^[0-9]{1,14}-[0-9a-f]{16}$",
        },
    )


class SharePeekRequest(Schema):
    """A link."""

    link = fields.String(required=True, load_only=True, metadata=_LINK)


class ShareRevealRequest(SharePeekRequest):
    """A link, and what tells this attempt from others."""

    attempt = fields.String(
        required=True,
        validate=validate.Regexp(r"[0-9a-f]{32}\Z", error="Send 128 random bits in hexadecimal."),
        metadata={
            "description": "128 random bits in hexadecimal, made for this attempt: if its answer is lost and"
            " it is sent again, the second answer says so.",
            "pattern": "^[0-9a-f]{32}$",
            "example": "000102030405060708090a0b0c0d0e0f",
        },
    )
    passphrase = Text(
        validate=validate.Length(max=passphrase.MAX_CHARACTERS),
        load_only=True,
        metadata={"description": "If the sender has set one."},
    )


class ShareResponse(Schema):
    """A share as its sender sees it; never the link."""

    share_id = fields.String(required=True, metadata=_SHARE_ID)
    recipient = fields.String(data_key="for", required=True)
    path = fields.String(
        required=True, allow_none=True, metadata={"description": "The secret whose value was shared, if any."}
    )
    created_at = fields.AwareDateTime(required=True)
    created_by = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True)
    state = fields.Function(
        lambda share: shares.state_of(share, now()),
        required=True,
        metadata={
            "type": "string",
            "enum": _STATES,
            "description": "`locked` after five wrong passphrases.",
        },
    )
    passphrase = fields.Function(
        lambda share: share.passphrase is not None,
        required=True,
        metadata={"type": "boolean", "description": "Whether recipients have to enter one."},
    )
    tries = fields.Integer(
        required=True, metadata={"description": "How many wrong passphrases were entered."}
    )
    looked_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When the page of the link was last loaded before it was opened."},
    )
    looked_from = fields.String(required=True, allow_none=True)
    opened_at = fields.AwareDateTime(required=True, allow_none=True)
    opened_from = fields.String(required=True, allow_none=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)
    revoked_by = fields.String(required=True, allow_none=True)


class ShareCreateResponse(ShareResponse):
    """A new share; its link cannot be shown again."""

    link = fields.String(required=True, metadata={"description": "Whoever has it can open the share, once."})
    url = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The address to send, if the service knows its own (PUBLIC_URL)."},
    )
    qr = fields.List(
        fields.String(),
        required=True,
        allow_none=True,
        metadata={
            "description": "If `qr` was sent: the modules of the QR code of the address to send, row by"
            " row, `1` for a dark one; draw four light ones around them. Without PUBLIC_URL, the address"
            " begins with the origin of the request.",
        },
    )


class ShareListResponse(Schema):
    """A page of shares, the newest first."""

    shares = fields.List(fields.Nested(ShareResponse), required=True)
    altered = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The ids of shares whose record does not authenticate; they do not open."},
    )
    next = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Pass it as `after` for the next page; null on the last page."},
    )


class SharePeekResponse(Schema):
    """What has become of a share."""

    state = fields.String(
        required=True,
        metadata={
            "enum": ["waiting", "opened", "ended"],
            "description": "`ended` if it has expired, was taken back, or its passphrase was guessed at.",
        },
    )
    expires_at = fields.AwareDateTime(required=True)
    passphrase = fields.Boolean(required=True, metadata={"description": "Whether `reveal` takes one."})
    opened_at = fields.AwareDateTime(required=True, allow_none=True)
    opened_from = fields.String(required=True, allow_none=True)


class ShareRevealResponse(Schema):
    """The value; it cannot be had again."""

    secret = Base64Bytes(required=True, metadata=SECRET)
    opened_at = fields.AwareDateTime(required=True)


def shown(share: Share) -> dict[str, Any]:
    """Return a share as it is shown to its sender."""
    found: dict[str, Any] = ShareResponse().dump(share)
    return found
