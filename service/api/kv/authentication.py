"""Who calls, by Vault's header or the usual one."""

from __future__ import annotations

from flask import request

from ...audit.recorder import Entry
from ...errors import Unavailable, VaultError
from ...models import Principal
from ..caller import current_caller
from ..dependencies import dependencies

# What the audit records of this door have as their api.
API = "v1"

_SCHEME = "bearer "


def token() -> str | None:
    """Return the token that the client sends, if any; some clients send both headers, and Vault's counts."""
    if own := request.environ.get("HTTP_X_VAULT_TOKEN"):
        return str(own)
    header = request.environ.get("HTTP_AUTHORIZATION", "")
    return header[len(_SCHEME) :].strip() if header[: len(_SCHEME)].lower() == _SCHEME else None


def authenticate(entry: Entry) -> Principal:
    """Return who calls, and record that in the audit entry.

    Sessions are for people at a browser: clients of Vault would look them up, renew and revoke them, and
    mean the token.

    Raises:
        Unauthenticated, TooManyRequests, CannotDecrypt, Unavailable: as ``Authenticator.authenticate``.
    """
    parts = dependencies()
    with parts.request_deadline():
        return parts.authentication.authenticate(entry, token(), sessions=False)


def authenticate_unrecorded() -> Principal:
    """Return who calls; only a refusal is recorded, for calls that are about no secret and no token.

    Raises:
        Unauthenticated, TooManyRequests, CannotDecrypt, Unavailable: as ``authenticate``.
    """
    entry = Entry("token_whoami", current_caller(), api=API)
    try:
        return authenticate(entry)
    except Unavailable:
        # Nobody was refused.
        raise
    except VaultError as error:
        dependencies().recorder.fail(entry, error)
        raise
