"""Creates, renews, confirms, lists and revokes sessions: stand-ins for a token, for a person at a browser.

A session can do what its token can, from one address and for a short time, but nothing that outlasts it: see
``policy.require_confirmed``.  Every function raises StoreUnavailable if the database does not answer in time.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from ..access import policy, token_format
from ..audit.recorder import Entry
from ..crypto import tags
from ..errors import CannotDecrypt, Forbidden, SessionEnded, SessionNotFound, TokenRevoked
from ..models import Principal, Session, StoredSession, now
from ..networks import client_network
from . import tokens
from .tokens import TokenServices

PAGE = 100
# How long a session lives unless it is renewed, and how long with all renewals.
IDLE = timedelta(minutes=15)
MAX_AGE = timedelta(hours=8)


def create(services: TokenServices, entry: Entry, principal: Principal) -> tuple[str, Session]:
    """Create a session for the caller's token and address; return its text, which is not stored, and itself.

    Raises:
        Forbidden: the caller has no token, one with limited uses, or only a session.
        KeyRingMismatch: the key ring does not fit the data.
        TokenRevoked: the caller's token was revoked a moment ago.
        StoreUnavailable: the session may have been stored, but its text is lost.
    """
    token = principal.token
    if token is None:
        raise Forbidden("authentication is off: no session is needed")
    if principal.session is not None:
        raise Forbidden("a session cannot create another one: use the token itself")
    if token.max_uses is not None:
        raise Forbidden("a token with max_uses can have no session: its calls could not be counted")
    services.key_check.require()
    at = now()
    credential = token_format.new(token_format.SESSION)
    ends_at = at + MAX_AGE if token.expires_at is None else min(at + MAX_AGE, token.expires_at)
    session = Session(
        session_id=credential.token_id,
        token_id=token.token_id,
        client_network=client_network(entry.caller.client_ip),
        created_at=at,
        expires_at=min(at + IDLE, ends_at),
        ends_at=ends_at,
        confirmed_at=at,
    )
    entry.token_id = session.session_id
    services.sessions.insert(tags.sign_session(session, credential.digest, services.ring))
    if not tokens.has_live_makers(services, principal, token.makers or ()):
        services.sessions.remove(session.session_id)
        raise TokenRevoked
    return credential.text, session


def renew(services: TokenServices, entry: Entry, principal: Principal) -> Session:
    """Let the caller's session live for another ``IDLE`` from now on, but not beyond its end.

    Raises:
        Forbidden: the caller is no session.
        KeyRingMismatch: the key ring does not fit the data.
        SessionEnded: it was revoked, or has ended, a moment ago.
        StoreUnavailable: it may or may not have been renewed.
    """
    return _change_own(
        services,
        entry,
        principal,
        lambda session: replace(session, expires_at=min(now() + IDLE, session.ends_at)),
    )


def confirm(services: TokenServices, entry: Entry, principal: Principal, text: str) -> Session:
    """Note that the caller has shown the session's token, ``text``, once more.

    Raises:
        Forbidden: the caller is no session, or this is not its token.
        KeyRingMismatch: the key ring does not fit the data.
        SessionEnded: it was revoked, or has ended, a moment ago.
        MalformedToken: it is no token.
        StoreUnavailable: it may or may not have been confirmed.
    """
    _require_session(principal)
    credential = token_format.parse(text)
    stored = services.store.find(principal.actor) if credential.token_id == principal.actor else None
    if stored is None or not hmac.compare_digest(stored.digest, credential.digest):
        raise Forbidden("this is not the token that the session was created with")
    tags.verify_token(stored, services.ring, services.key_check.accepts_earlier)
    return _change_own(services, entry, principal, lambda session: replace(session, confirmed_at=now()))


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Sessions, ordered by id; ``altered`` are the ids of those whose record does not authenticate.

    More may follow ``last``, unless it is None.
    """

    sessions: list[Session]
    altered: list[str]
    last: str | None


def list_(services: TokenServices, principal: Principal, after: str) -> SessionPage:
    """Return up to ``PAGE`` sessions that have not ended and whose ids follow ``after``.

    Administrators see all sessions, others those of their own token.
    """
    token_id = None if policy.is_admin(principal) else principal.actor
    found = services.sessions.page(token_id, after, PAGE, now())
    sessions, altered = [], []
    for session_id, stored in found:
        try:
            if not isinstance(stored, StoredSession):
                raise stored
            tags.verify_session(stored, services.ring)
            sessions.append(stored.session)
        except CannotDecrypt:
            altered.append(session_id)
    return SessionPage(sessions, altered, found[-1][0] if len(found) == PAGE else None)


def revoke(services: TokenServices, entry: Entry, principal: Principal, session_id: str) -> None:
    """Revoke a session: one of the caller's token, or any for administrators.  Once more does no harm.

    Nothing is left of one that does not authenticate.

    Raises:
        SessionNotFound: there is no such session, or the caller may not know of it.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: it may or may not have been revoked; revoke it again.
    """
    services.key_check.require()
    # What is no id is not recorded, because it could be a whole session.
    if not token_format.is_id(session_id):
        raise SessionNotFound
    entry.token_id = session_id
    while not _try_to_revoke(services, principal, session_id):
        pass
    services.forget(session_id)


def _try_to_revoke(services: TokenServices, principal: Principal, session_id: str) -> bool:
    """Revoke a session, unless it has changed since it was read."""
    try:
        stored = services.sessions.find(session_id)
        if stored is None or not (stored.session.token_id == principal.actor or policy.is_admin(principal)):
            raise SessionNotFound
        tags.verify_session(stored, services.ring)
    except CannotDecrypt:
        if not policy.is_admin(principal):
            raise SessionNotFound from None
        services.sessions.remove(session_id)
        return True
    if stored.session.revoked_at is not None:
        return True
    revoked = replace(stored.session, revoked_at=now(), revoked_by=principal.actor)
    return services.sessions.swap(stored, tags.sign_session(revoked, stored.digest, services.ring))


def _change_own(
    services: TokenServices, entry: Entry, principal: Principal, change: Callable[[Session], Session]
) -> Session:
    """Change the caller's session, in whatever state it is now."""
    session_id = entry.token_id = _require_session(principal).session_id
    services.key_check.require()
    while True:
        stored = services.sessions.find(session_id)
        if stored is None or stored.session.revoked_at is not None or stored.session.expires_at <= now():
            services.forget(session_id)
            raise SessionEnded
        tags.verify_session(stored, services.ring)
        changed = change(stored.session)
        # If it was changed in between, it is read again.
        if services.sessions.swap(stored, tags.sign_session(changed, stored.digest, services.ring)):
            services.forget(session_id)
            return changed


def _require_session(principal: Principal) -> Session:
    if principal.session is None:
        raise Forbidden("this is for sessions: call it with one")
    return principal.session
