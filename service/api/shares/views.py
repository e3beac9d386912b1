"""``/vault/share``: links that reveal one secret once; senders have a token, recipients do not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify

from ...audit.recorder import Entry
from ...errors import (
    SecretNotFound,
    ShareNotFound,
    ShareOpened,
    TooLarge,
    TooManyShares,
    VaultError,
    WrongPassphrase,
)
from ...models import Share
from ...shares import shares
from ...shares.opening import Peek
from ...shares.shares import ShareRequest
from ..blueprint import JsonBlueprint
from ..dependencies import dependencies
from ..error_docs import COMMON_ERRORS, documents_errors
from ..fields import EXAMPLE_SECRET, EXAMPLE_TIME
from ..guard import Call, for_logins, guarded
from . import qr_code, schemas

blueprint = JsonBlueprint(
    "shares", __name__, url_prefix="/vault/share", description="Links that reveal one secret once."
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_SHARE = {
    "share_id": "9a0b1c2d3e4f5a6b",
    "for": "Grace",
    "path": None,
    "created_at": EXAMPLE_TIME,
    "created_by": "0f3a5b7c9d1e2f40",
    "expires_at": "2026-02-01T12:00:00+00:00",
    "state": "waiting",
    "passphrase": False,
    "tries": 0,
    "looked_at": None,
    "looked_from": None,
    "opened_at": None,
    "opened_from": None,
    "revoked_at": None,
    "revoked_by": None,
}
_LINK = "sml_9a0b1c2d3e4f5a6b_" + 64 * "0" + "deadbeef"
_OPENED = ShareOpened(EXAMPLE_TIME, "192.0.2.7", same_attempt=False)
_OF_RECIPIENTS: dict[HTTPStatus, VaultError] = {
    **{
        status: error
        for status, error in COMMON_ERRORS.items()
        if status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    },
    HTTPStatus.NOT_FOUND: ShareNotFound(),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLarge("the body must be shorter than 8192 bytes"),
}


@blueprint.post("/create")
@guarded(blueprint, "share_create")
@blueprint.arguments(
    schemas.ShareCreateRequest(), example={"secret": EXAMPLE_SECRET, "for": "Grace", "expires_in": 86400}
)
@blueprint.response(
    200,
    schemas.ShareCreateResponse,
    example={**_SHARE, "link": _LINK, "url": f"https://vault.example.org/share#{_LINK}", "qr": None},
)
@documents_errors(
    blueprint,
    {
        **COMMON_ERRORS,
        HTTPStatus.NOT_FOUND: SecretNotFound(),
        HTTPStatus.CONFLICT: TooManyShares(shares.MAX_OPEN),
    },
)
def create(call: Call, body: tuple[ShareRequest, bool]) -> Response:
    """Create a link that reveals a value once. Only this response contains it.

    Takes the scope `share`, and `fetch` on the path if a secret's value is shared. That is a fetch: if its
    reads are limited, it uses one up.
    """
    parts, (request, wants_qr) = dependencies(), body
    with parts.request_deadline():
        link, share = shares.create(parts.shares, call.entry, call.principal, request)
    url = f"{parts.public_url}/share#{link}" if parts.public_url else None
    qr = qr_code.modules(url or f"{qr_code.origin()}/share#{link}") if wants_qr else None
    return jsonify({**schemas.shown(share), "link": link, "url": url, "qr": qr})


@blueprint.post("/list")
@guarded(blueprint, "share_list")
@blueprint.arguments(schemas.ShareListRequest(), example={})
@blueprint.response(200, schemas.ShareListResponse, example={"shares": [_SHARE], "altered": [], "next": None})
@documents_errors(blueprint, COMMON_ERRORS)
def list_(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """List shares, the newest first: administrators see all, others those that they created.

    Those that were opened or have ended are listed for 30 days.
    """
    after = None
    if "after" in body:
        milliseconds, share_id = body["after"].split("-")
        after = (_EPOCH + int(milliseconds) * _MILLISECOND, share_id)
    with dependencies().request_deadline():
        page = shares.list_(dependencies().shares, call.principal, after)
    following = None
    if page.last is not None:
        following = f"{(page.last[0] - _EPOCH) // _MILLISECOND}-{page.last[1]}"
    return {"shares": page.shares, "altered": page.altered, "next": following}


@blueprint.post("/revoke")
@guarded(blueprint, "share_revoke")
@blueprint.arguments(schemas.ShareNameRequest(), example={"share_id": _SHARE["share_id"]})
@blueprint.response(
    200,
    schemas.ShareResponse,
    example={**_SHARE, "state": "revoked", "revoked_at": EXAMPLE_TIME, "revoked_by": "0f3a5b7c9d1e2f40"},
)
@documents_errors(blueprint, {**COMMON_ERRORS, HTTPStatus.NOT_FOUND: ShareNotFound()})
def revoke(call: Call, body: dict[str, Any]) -> Share:
    """Take back a share that is still waiting: its value is destroyed at once.

    Of one that was opened or has ended nothing changes; see `state`.
    """
    with dependencies().request_deadline():
        return shares.revoke(dependencies().shares, call.entry, call.principal, body["share_id"])


@blueprint.post("/peek")
@for_logins(blueprint, "share_peek")
@blueprint.arguments(schemas.SharePeekRequest(), example={"link": _LINK})
@blueprint.response(
    200,
    schemas.SharePeekResponse,
    example={
        "state": "waiting",
        "expires_at": "2026-02-01T12:00:00+00:00",
        "passphrase": False,
        "opened_at": None,
        "opened_from": None,
    },
)
@documents_errors(blueprint, _OF_RECIPIENTS)
def peek(entry: Entry, body: dict[str, Any]) -> Peek:
    """Return what has become of a share; this call needs no token and uses nothing up.

    The sender sees when and from where. A link that is wrong, or unknown (any more), is not found, and counts
    like a wrong token.
    """
    with dependencies().request_deadline():
        return dependencies().opener.peek(entry, body["link"])


@blueprint.post("/reveal")
@for_logins(blueprint, "share_reveal")
@blueprint.arguments(
    schemas.ShareRevealRequest(), example={"link": _LINK, "attempt": "000102030405060708090a0b0c0d0e0f"}
)
@blueprint.response(
    200, schemas.ShareRevealResponse, example={"secret": EXAMPLE_SECRET, "opened_at": EXAMPLE_TIME}
)
@documents_errors(
    blueprint, {**_OF_RECIPIENTS, HTTPStatus.NOT_FOUND: _OPENED, HTTPStatus.FORBIDDEN: WrongPassphrase(4)}
)
def reveal(entry: Entry, body: dict[str, Any]) -> Any:
    """Return the value, once; this call needs no token. The share is used up even if the response is lost.

    Five wrong passphrases end the share. If it was opened already, the 404 says when and from where, and
    whether it was by this very `attempt`.
    """
    with dependencies().request_deadline():
        found = dependencies().opener.reveal(
            entry, body["link"], bytes.fromhex(body["attempt"]), body.get("passphrase")
        )
    return {"secret": found.plaintext, "opened_at": found.opened_at}
