"""Answers as Vault's clients expect them; each detail is one that some client relies on."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from ... import errors, strict_json
from .. import problems
from ..caller import current_caller

# hvac compares the whole header.
_JSON = "application/json"
DENIED = "permission denied"


def envelope(
    data: Mapping[str, Any] | None,
    *,
    status: int = 200,
    auth: Mapping[str, Any] | None = None,
    wrap_info: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
    repeated: bool = False,
) -> Response:
    """Return an answer with all of Vault's members; with ``repeated`` those of ``data`` are there as well."""
    return bare(
        {
            **(data if repeated and data else {}),
            "request_id": _request_id(),
            # With an id clients would renew it; with a duration consul-template would wait as long.
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "data": data,
            "wrap_info": wrap_info,
            "warnings": list(warnings) or None,
            "auth": auth,
        },
        status=status,
    )


def bare(document: Mapping[str, Any], *, status: int = 200) -> Response:
    """Return an answer without Vault's members around it."""
    return Response(f"{strict_json.write(document)}\n", status, content_type=_JSON)


def raw(document: bytes) -> Response:
    """Return an answer that was made before."""
    return Response(document, content_type=_JSON)


def nothing() -> Response:
    """Return the answer to a change."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def refusal(status: int, *texts: str) -> Response:
    """Return an error: clients take any further member for something else than an error."""
    return bare({"errors": list(texts)}, status=status)


def of_error(error: errors.VaultError) -> Response:
    """Return an error of the domain, with the texts that clients look for.

    There is no 401: some clients take only 400, 403 and 404 for an invalid token.
    """
    match error:
        case errors.InvalidLogin():
            return refusal(400, str(error))
        case errors.Unauthenticated():
            return refusal(403, DENIED)
        case errors.Forbidden():
            return refusal(403, DENIED, str(error))
        case errors.AlreadyRead():
            return refusal(404, str(error))
        case errors.SecretNotFound() | errors.TokenNotFound():
            return refusal(404)
        case errors.VersionConflict():
            return refusal(400, "check-and-set parameter did not match the current version", str(error))
        case errors.ExpectedVersionRequired():
            return refusal(400, "check-and-set parameter required for this call")
        case errors.InvalidFields():
            return refusal(400, *_texts(error.errors))
        case errors.TooLarge():
            return refusal(413, str(error))
        case errors.EncodedBody():
            return refusal(415, str(error))
        case errors.UnexpectedHost():
            return refusal(421, str(error))
        case errors.TooManyRequests():
            response = refusal(429, str(error))
            response.headers["Retry-After"] = str(error.retry_after)
            return response
        case errors.InputRefused() | errors.SecretInUse() | errors.PathTaken():
            return refusal(400, str(error))
        case errors.CannotDecrypt():
            problems.report_unopenable(error)
            return refusal(500, f"the record cannot be opened: {error}")
        case errors.Unavailable():
            problems.report_unavailable(error)
            response = refusal(503, str(error))
            response.headers["Retry-After"] = "1"
            return response
    return of_unexpected(error)


def of_unexpected(error: Exception) -> Response:
    """Return the answer to an error that nobody foresaw."""
    problems.report_unexpected(error)
    return refusal(500, f"internal error: search the service's log for {current_caller().request_id}")


def _texts(messages: Any) -> list[str]:
    """Return all messages of a tree of them, by field."""
    if isinstance(messages, Mapping):
        return [text for each in messages.values() for text in _texts(each)]
    return [messages] if isinstance(messages, str) else [text for each in messages for text in _texts(each)]


def _request_id() -> str:
    """Return the service's own id of the request, if it is a UUID, else another one."""
    try:
        return str(uuid.UUID(hex=current_caller().request_id))
    except ValueError:
        return str(uuid.uuid4())
