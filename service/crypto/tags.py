"""Tags: HMACs over everything in a record: a state that the service wrote.

Secrets, tokens, sessions, shares, grants, AppRoles and their secret ids have one.

Without them, write access to the database would be enough to put another secret at a path, to serve the
password of before a rotation, to undo an expiry or a limit, or to widen a token's or a role's scopes or a
grant.  A tag cannot tell that the whole record was put back as it once was.

Records of earlier versions have a partial tag or none.  They authenticate only while the database is marked
as holding such records (``keys.canary``), and get a whole tag when they change, at the latest by a rewrap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

from ..errors import Tampered
from ..models import (
    AppRole,
    Envelope,
    Grant,
    SecretId,
    Session,
    Share,
    StoredAppRole,
    StoredGrant,
    StoredSecretId,
    StoredSession,
    StoredShare,
    StoredToken,
    Token,
)
from ..records import Secret, Version
from . import mac
from .canonical import encode, encode_record
from .keyring import KeyRing

# Whether the database holds records of earlier versions.
AcceptsEarlier = Callable[[], bool]


def sign_secret(secret: Secret, ring: KeyRing) -> Secret:
    """Return the secret with its tag, under the primary master key."""
    return replace(secret, tag=ring.tag(_secret_content(secret)))


def sign_change(before: Secret, after: Secret, ring: KeyRing) -> Secret:
    """Return ``after`` with the next revision, so that no two states have the same, and with its tag."""
    return sign_secret(replace(after, revision=(before.revision or 0) + 1), ring)


def verify_secret(secret: Secret, ring: KeyRing, accepts_earlier: AcceptsEarlier) -> None:
    """Check that the service wrote this secret, in this state; payloads are not needed.

    Raises:
        Tampered: it did not.
        UnknownKey: the ring lacks the tag's key.
    """
    if secret.tag is None or mac.is_partial(secret.tag):
        _require(accepts_earlier)
        _verify_partial(secret, ring)
        return
    ring.verify(secret.tag, _secret_content(secret))


def sign_token(token: Token, digest: bytes, ring: KeyRing) -> StoredToken:
    """Return the token as it is stored, with its tag; ``digest`` is the SHA-256 of its secret part."""
    return StoredToken(token, digest, ring.tag(_token_content(token, digest)))


def verify_token(stored: StoredToken, ring: KeyRing, accepts_earlier: AcceptsEarlier) -> None:
    """Check that the service wrote this token.

    The revocation of a revoked token may still be without a tag: it ends the token before that is made.

    Raises:
        Tampered: it did not.
        UnknownKey: the ring lacks the tag's key.
    """
    if mac.is_partial(stored.tag):
        _require(accepts_earlier)
        ring.verify(stored.tag, encode(_partial_token_fields(stored.token, stored.digest)))
        return
    try:
        ring.verify(stored.tag, _token_content(stored.token, stored.digest))
    except Tampered:
        if stored.token.revoked_at is None:
            raise
        ring.verify(stored.tag, _token_content(replace(stored.token, revoked_at=None), stored.digest))


def sign_session(session: Session, digest: bytes, ring: KeyRing) -> StoredSession:
    """Return the session as it is stored, with its tag; ``digest`` is the SHA-256 of its secret part."""
    return StoredSession(session, digest, ring.tag(_session_content(session, digest)))


def verify_session(stored: StoredSession, ring: KeyRing) -> None:
    """Check that the service wrote this session, in this state.

    Raises:
        Tampered: it did not.
        UnknownKey: the ring lacks the tag's key.
    """
    ring.verify(stored.tag, _session_content(stored.session, stored.digest))


def sign_share(share: Share, digest: bytes, ring: KeyRing) -> StoredShare:
    """Return the share as it is stored, with its tag; ``digest`` is the SHA-256 of its link's secret part."""
    return StoredShare(share, digest, ring.tag(_share_content(share, digest)))


def verify_share(stored: StoredShare, ring: KeyRing) -> None:
    """Check that the service wrote this share, in this state.

    Raises:
        Tampered: it did not.
        UnknownKey: the ring lacks the tag's key.
    """
    ring.verify(stored.tag, _share_content(stored.share, stored.digest))


def sign_grant(grant: Grant, ring: KeyRing) -> StoredGrant:
    """Return the grant as it is stored, with its tag."""
    return StoredGrant(grant, ring.tag(_grant_content(grant)))


def verify_grant(stored: StoredGrant, ring: KeyRing) -> None:
    """Check that the service wrote this grant, in this state.

    Raises:
        Tampered: it did not.
        UnknownKey: the ring lacks the tag's key.
    """
    ring.verify(stored.tag, _grant_content(stored.grant))


def sign_role(role: AppRole, ring: KeyRing) -> StoredAppRole:
    """Return the role as it is stored, with its tag."""
    return StoredAppRole(role, ring.tag(_role_content(role)))


def verify_role(stored: StoredAppRole, ring: KeyRing) -> None:
    """Check that the service wrote this role, in this state.

    Raises:
        Tampered: it did not.
        UnknownKey: the ring lacks the tag's key.
    """
    ring.verify(stored.tag, _role_content(stored.role))


def sign_secret_id(secret_id: SecretId, digest: bytes, ring: KeyRing) -> StoredSecretId:
    """Return the secret id as it is stored, with its tag; ``digest`` is the SHA-256 of its secret part."""
    return StoredSecretId(secret_id, digest, ring.tag(_secret_id_content(secret_id, digest)))


def verify_secret_id(stored: StoredSecretId, ring: KeyRing) -> None:
    """Check that the service wrote this secret id, in this state.

    Raises:
        Tampered: it did not.
        UnknownKey: the ring lacks the tag's key.
    """
    ring.verify(stored.tag, _secret_id_content(stored.secret_id, stored.digest))


def is_current(tag: bytes | None, ring: KeyRing) -> bool:
    """Return whether a tag is a whole one under the primary master key."""
    return tag is not None and not mac.is_partial(tag) and mac.key_id(tag).hex() == ring.key_ids[0]


# A record's content is what differs from the defaults, as in its document: so a field that is added later,
# with a default, leaves the tags of earlier records valid.  A default must never change.
def _names(record: type, *left_out: str) -> tuple[tuple[str, object], ...]:
    return tuple(
        (each.name, each.default)
        for each in sorted(fields(record), key=lambda each: each.name)
        if each.name not in left_out
    )


_SECRET = _names(Secret, "versions", "tag")
_VERSION = _names(Version, "sealed")
_TOKEN = _names(Token, "scopes")
_SESSION = _names(Session)
_SHARE = _names(Share)
_GRANT = _names(Grant)
_ROLE = _names(AppRole, "scopes")
_SECRET_ID = _names(SecretId)


def _content(record: object, names: tuple[tuple[str, object], ...]) -> dict[str, object]:
    return {name: value for name, default in names if (value := getattr(record, name)) != default}


def _secret_content(secret: Secret) -> bytes:
    content = _content(secret, _SECRET)
    content["purpose"] = "secret"
    content["versions"] = [_version_content(version) for version in secret.versions]
    return encode_record(content)


def _version_content(version: Version) -> dict[str, object]:
    content = _content(version, _VERSION)
    if isinstance(version.sealed, Envelope):
        # A data key seals one payload only, so it stands for that as well: lists read no payloads.
        content["data_key"] = version.sealed.data_key
    return content


def _token_content(token: Token, digest: bytes) -> bytes:
    content = _content(token, _TOKEN)
    content["purpose"] = "token"
    content["scopes"] = [scope.stored for scope in token.scopes]
    content["digest"] = digest
    return encode_record(content)


def _session_content(session: Session, digest: bytes) -> bytes:
    content = _content(session, _SESSION)
    content["purpose"] = "session"
    content["digest"] = digest
    return encode_record(content)


def _share_content(share: Share, digest: bytes) -> bytes:
    content = _content(share, _SHARE)
    content["purpose"] = "share"
    content["digest"] = digest
    return encode_record(content)


def _grant_content(grant: Grant) -> bytes:
    content = _content(grant, _GRANT)
    content["purpose"] = "grant"
    return encode_record(content)


def _role_content(role: AppRole) -> bytes:
    content = _content(role, _ROLE)
    content["purpose"] = "approle"
    content["scopes"] = [scope.stored for scope in role.scopes]
    return encode_record(content)


def _secret_id_content(secret_id: SecretId, digest: bytes) -> bytes:
    content = _content(secret_id, _SECRET_ID)
    content["purpose"] = "approle secret id"
    content["digest"] = digest
    return encode_record(content)


def _require(accepts_earlier: AcceptsEarlier) -> None:
    if not accepts_earlier():
        raise Tampered("its tag does not cover all of it, and this database holds no such record any more")


def _verify_partial(secret: Secret, ring: KeyRing) -> None:
    if secret.tag is not None:
        ring.verify(secret.tag, encode(_path_fields(secret)))
    elif any(value is not None for value in (secret.path, secret.former_path, secret.owner)):
        raise Tampered("its path or owner does not authenticate")


def _path_fields(secret: Secret) -> dict[str, str]:
    content = {
        "purpose": "secret",
        "secret_id": secret.secret_id,
        "path": secret.path or "",
        "owner": secret.owner or "",
    }
    return content if secret.former_path is None else {**content, "former_path": secret.former_path}


def _partial_token_fields(token: Token, digest: bytes) -> dict[str, str]:
    content = {
        "purpose": "token",
        "token_id": token.token_id,
        "digest": digest.hex(),
        "name": token.name,
        "scopes": "\n".join(scope.stored for scope in token.scopes),
        "created_at": token.created_at.isoformat(),
        "created_by": token.created_by,
        "expires_at": token.expires_at.isoformat() if token.expires_at else "",
        "lifetime": str(token.lifetime),
        "max_uses": str(token.max_uses),
        "networks": "\n".join(token.networks),
        "rate_limit": str(token.rate_limit),
    }
    if token.makers is None:
        return content
    limits = "\n".join(f"{token_id} {limit}" for token_id, limit in token.shared_limits)
    return {**content, "makers": "\n".join(token.makers), "shared_limits": limits}
