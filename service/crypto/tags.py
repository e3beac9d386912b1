"""Tags: HMACs that bind fields stored in the clear to their record.

A secret's tag covers its path, or the token that owns it; a token's tag covers everything that decides
what the token may do.  Without tags, write access to the database would be enough to put another secret
at a path, to mark a secret as destroyed there, or to widen a token's scopes.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import Tampered
from ..models import StoredToken, Token
from ..records import Secret
from .keyring import KeyRing


def sign_path(secret: Secret, ring: KeyRing) -> Secret:
    """Return the secret with the tag of its path or owner, or without a tag if it has neither."""
    if not _has_path_or_owner(secret):
        return replace(secret, tag=None)
    fields = _path_fields(secret)
    return replace(secret, tag=ring.tag(fields))


def verify_path(secret: Secret, ring: KeyRing) -> None:
    """Check that the service wrote the secret's path and owner.

    Raises:
        Tampered: it did not.
        UnknownKey: the ring lacks the tag's key.
    """
    if not _has_path_or_owner(secret):
        return
    if secret.tag is None:
        raise Tampered("its path or owner does not authenticate")
    fields = _path_fields(secret)
    ring.verify(secret.tag, fields)


def retag_path(secret: Secret, ring: KeyRing) -> Secret:
    """Return the secret with its tag under the primary master key.

    Raises:
        Tampered, UnknownKey: as ``verify_path``; a path that does not authenticate gets no new tag.
    """
    return secret if secret.tag is None else replace(secret, tag=ring.retag(secret.tag, _path_fields(secret)))


def path_differs(one: Secret, other: Secret) -> bool:
    """Return whether the two have different paths or owners."""
    return _path_fields(one) != _path_fields(other)


def sign_token(token: Token, digest: bytes, ring: KeyRing) -> StoredToken:
    """Return the token as it is stored, with its tag; ``digest`` is the SHA-256 of its secret part."""
    return StoredToken(token, digest, ring.tag(_token_fields(token, digest)))


def verify_token(stored: StoredToken, ring: KeyRing) -> None:
    """Check that the service wrote this token.

    Raises:
        Tampered: it did not.
        UnknownKey: the ring lacks the tag's key.
    """
    ring.verify(stored.tag, _token_fields(stored.token, stored.digest))


def retag_token(stored: StoredToken, ring: KeyRing) -> StoredToken:
    """Return the token with its tag under the primary master key.

    Raises:
        Tampered, UnknownKey: as ``verify_token``; a token that does not authenticate gets no new tag.
    """
    return replace(stored, tag=ring.retag(stored.tag, _token_fields(stored.token, stored.digest)))


def _has_path_or_owner(secret: Secret) -> bool:
    return any(value is not None for value in (secret.path, secret.former_path, secret.owner))


def _path_fields(secret: Secret) -> dict[str, str]:
    fields = {
        "purpose": "secret",
        "secret_id": secret.secret_id,
        "path": secret.path or "",
        "owner": secret.owner or "",
    }
    return fields if secret.former_path is None else {**fields, "former_path": secret.former_path}


def _token_fields(token: Token, digest: bytes) -> dict[str, str]:
    # The use count and the revocation are not covered: they change independently, and an attacker who can
    # write to the database could restore the whole earlier document anyway.
    fields = {
        "purpose": "token",
        "token_id": token.token_id,
        "digest": digest.hex(),
        "name": token.name,
        "scopes": "\n".join(map(str, token.scopes)),
        "created_at": token.created_at.isoformat(),
        "created_by": token.created_by,
        "expires_at": token.expires_at.isoformat() if token.expires_at else "",
        "lifetime": str(token.lifetime),
        "max_uses": str(token.max_uses),
        "networks": "\n".join(token.networks),
        "rate_limit": str(token.rate_limit),
    }
    if token.makers is None:
        # Tokens of before have a tag without these.
        return fields
    limits = "\n".join(f"{token_id} {limit}" for token_id, limit in token.shared_limits)
    return {**fields, "makers": "\n".join(token.makers), "shared_limits": limits}
