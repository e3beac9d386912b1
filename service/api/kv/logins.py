"""``auth/approle/login``: a token for a role's id and one of its secret ids."""

from __future__ import annotations

from flask import Response

from ...audit.recorder import Entry
from ..dependencies import dependencies
from . import answers, body, shown_tokens

_MEMBERS = ("role_id", "secret_id")


def log_in(entry: Entry) -> Response:
    """Exchange both for a token; whatever is wrong with them has one answer."""
    sent = body.read_object()
    role_id, secret_id = (sent[name] if isinstance(sent.get(name), str) else "" for name in _MEMBERS)
    found = dependencies().login.log_in(entry, role_id, secret_id)
    auth = shown_tokens.auth(found.token, found.text, shown_tokens.uses_left(found.token))
    return answers.envelope(None, auth=auth)
