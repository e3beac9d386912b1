"""Response wrapping: ``sys/wrapping``, and the answers of all calls with the header ``X-Vault-Wrap-TTL``."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from ... import strict_json, wrapping
from ...audit.recorder import Entry
from ...errors import AlreadyRead, InvalidFields, SecretNotFound, Unauthenticated, Unavailable, VaultError
from ..caller import current_caller
from ..dependencies import dependencies
from . import answers, authentication, body, go
from .authentication import API
from .call import KvCall

_HEADER = "X-Vault-Wrap-TTL"
_INVALID = "wrapping token is not valid or does not exist"


def seconds_asked_for() -> int | None:
    """Return how long the answer to the current request is to be kept; None if it is not to be wrapped.

    Raises:
        InvalidFields: the header is malformed.
    """
    sent = request.headers.get(_HEADER)
    if not sent:
        return None
    try:
        seconds = go.parse_duration(sent)
    except ValueError:
        seconds = 0
    if not 1 <= seconds <= wrapping.MAX_SECONDS:
        rule = f"it must be a duration such as 60, 60s or 1h30m, from 1s to {wrapping.MAX_SECONDS}s"
        raise InvalidFields({_HEADER: [f"error parsing {_HEADER} header: {rule}"]})
    return seconds


def wrapped(answer: Response, actor: str, path: str, seconds: int) -> Response:
    """Return a wrapping token in place of an answer.

    The call has been made and recorded, as without wrapping.  If its answer cannot be kept, it is lost like
    one that does not arrive.
    """
    parts = dependencies()
    with parts.recorder.entry("wrap", current_caller()) as entry:
        entry.api, entry.actor = API, actor
        with parts.request_deadline():
            try:
                text, token = wrapping.wrap(
                    parts.secrets, parts.tokens, entry, answer.get_data(), path, seconds
                )
            except Unavailable as error:
                raise type(error)(f"the call was made, but its answer is lost: {error}") from None
    info = {
        "token": text,
        "accessor": token.token_id,
        "ttl": seconds,
        "creation_time": go.time(token.created_at),
        "creation_path": path,
    }
    if auth := strict_json.read(answer.get_data(as_text=True), 0)[0]["auth"]:
        info["wrapped_accessor"] = auth["accessor"]
    return answers.envelope(None, wrap_info=info)


def wrap(_kv: KvCall) -> Response:
    """Return the body, to be wrapped."""
    if seconds_asked_for() is None:
        return answers.refusal(400, "endpoint requires response wrapping to be used")
    return answers.envelope(body.read_object())


def unwrap(entry: Entry) -> Response:
    """Return the answer that a wrapping token stands for, word for word."""
    text = _token_in_body()
    if text is None:
        text = authentication.token()
    else:
        authentication.authenticate(entry)
    parts = dependencies()
    try:
        answer = wrapping.unwrap(parts.secrets, parts.tokens, entry, text or "")
    except (Unauthenticated, SecretNotFound) as error:
        return _refused(entry, error)
    return answers.raw(answer)


def lookup(entry: Entry) -> Response:
    """Return which call a wrapping token is from, and until when it is good."""
    text = _token_in_body() or authentication.token()
    parts = dependencies()
    try:
        found = wrapping.describe(parts.secrets, parts.tokens, entry, text or "")
    except (Unauthenticated, SecretNotFound) as error:
        return _refused(entry, error)
    token = found.token
    ttl = 0 if token.expires_at is None else int((token.expires_at - token.created_at).total_seconds())
    return answers.envelope(
        {"creation_path": found.path, "creation_time": go.time(token.created_at), "creation_ttl": ttl}
    )


def _token_in_body() -> str | None:
    sent: Any = body.read_object().get("token")
    if not isinstance(sent, str | None):
        raise InvalidFields({"token": ["token must be a text"]})
    return sent or None


def _refused(entry: Entry, error: VaultError) -> Response:
    """Return that there is nothing to unwrap, to whoever had the right token also who was faster."""
    entry.reason = error.reason
    dependencies().login.count_failure(entry)
    return answers.refusal(400, _INVALID, *([str(error)] if isinstance(error, AlreadyRead) else []))
