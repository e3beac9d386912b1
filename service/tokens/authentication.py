"""Authenticates callers by their token, or by a session, which stands in for one.

A valid token is cached for ``RECHECK_SECONDS``: a revocation can take that long to reach every process.
If a token's uses are limited, each use is counted in the database nevertheless.  In a session, session and
token are both checked at every call.

A client that has passed a limit is refused from memory.  What was wrong a moment ago is not looked up again;
what has not been seen may be valid, and is looked up together with all others like it.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..access import policy, token_format
from ..access.token_format import Credential
from ..audit.recorder import Entry
from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..errors import (
    AddressNotAllowed,
    InvalidToken,
    NoToken,
    SessionEnded,
    TokenRevoked,
    TokenUsedUp,
    TooManyRequests,
    Unauthenticated,
)
from ..keys.canary import KeyRingCheck
from ..models import Principal, Session, StoredSession, StoredToken, Token, now
from ..networks import client_network, is_within
from ..store.rate_limits import RateLimitStore
from ..store.sessions import SessionStore
from ..store.tokens import TokenStore
from .cache import MAX_CACHED, RECHECK_SECONDS, Cache
from .rate_limits import RateLimits
from .tokens import holder, require_in_force

_NO_DIGEST = bytes(32)
# A batch that is refused takes its calls back: a single one may have been over the limit only because of it.
_RECOUNT_SECONDS = 1.0


class Authenticator:
    """Authenticates callers; ``failures_per_minute`` limits failed attempts, per address and per token.

    Only failures are counted and refused: a valid token is accepted however many others guess from the
    same address, so guessing cannot lock its holder out.

    What is refused past a limit costs the database nothing but a shared look-up of tokens not seen before,
    and the audit log one record for all of it: see ``audit.refusals``.
    """

    def __init__(
        self,
        tokens: TokenStore,
        sessions: SessionStore,
        attempts: RateLimitStore,
        ring: KeyRing,
        key_check: KeyRingCheck,
        failures_per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._limits = RateLimits(attempts, clock)
        self._ring = ring
        self._key_check = key_check
        self._failures_per_minute = failures_per_minute
        self._clock = clock
        self._cache = Cache[StoredToken](clock)
        self._session_cache = Cache[StoredSession](clock)
        # What was refused, from which address: whose it was, and until when that is remembered.
        self._refused: dict[tuple[str, Credential], tuple[str, float]] = {}

    def authenticate(
        self, entry: Entry, text: str | None, *, batch: bool = False, sessions: bool = True
    ) -> Principal:
        """Return who sends this token or session, and record that as the actor of the audit entry.

        A ``batch`` takes as many uses as it has values: ``charge`` counts them once their number is known.
        Without ``sessions``, one is refused like anything else that is no token.

        Raises:
            NoToken, MalformedToken: there is nothing to look up.
            InvalidToken: unknown, wrong, expired, revoked, used up, or not allowed from this address; of a
                session, or of the token that it stands in for.
            TooManyRequests: too many failures, or more calls than the token's own limit allows.
            Tampered, UnknownKey: the stored token or session does not authenticate.
            StoreUnavailable: the database did not answer in time.
        """
        client_ip, credential = entry.caller.client_ip, None
        subjects = [_failures_from(client_ip)]
        try:
            if text is None:
                raise NoToken
            is_session = sessions and text.startswith(token_format.SESSION)
            credential = token_format.parse(text, token_format.SESSION if is_session else token_format.TOKEN)
            subjects.append(f"failures of {credential.token_id}")
            entry.actor = f"unproven:{credential.token_id}"
            limited = self._limits.is_exceeded(subjects)
            if limited and (actor := self._refused_before(client_ip, credential)) is not None:
                entry.actor = actor
                raise InvalidToken
            session = self._prove_session(credential, limited=limited) if is_session else None
            token = self._token_of(session) if session else self._prove(credential, limited=limited)
            entry.actor = token.token_id
            if session is not None:
                _check_session(session, client_ip)
            _check(token, client_ip)
            self.count_calls(token, 1)
            # Last, so that a call that is refused for another reason costs no use.
            if not batch:
                self._use(token, 1)
        except Unauthenticated:
            if credential is not None:
                self._remember_refused(client_ip, credential, entry.actor)
            self._count_failure(subjects)
            raise
        return holder(token, session)

    def charge(self, principal: Principal, values: int) -> None:
        """Count a batch as so many calls, before anything of it is done; one was counted with its token.

        Raises:
            TooManyRequests: that is more than the token may make, or one that it descends from.
            TokenUsedUp: the token has fewer uses left, of which none is taken.
            StoreUnavailable: the database did not answer in time; uses may have been taken.
        """
        if (token := principal.token) is not None:
            if values > 1:
                self.count_calls(token, values - 1)
            self._use(token, values)

    def forget(self, record_id: str) -> None:
        """Drop a token or session from the cache, and all refusals, because this process has changed it."""
        self._cache.drop(record_id)
        self._session_cache.drop(record_id)
        self._refused.clear()

    def _prove(self, credential: Credential, *, limited: bool) -> Token:
        asked_at = self._clock()
        cached = self._cached(credential.token_id)
        find = self._tokens.find_with_others if limited else self._tokens.find
        stored = cached or find(credential.token_id)
        # Compared even if there is no token, so that an unknown id takes as long as a wrong secret.
        if not hmac.compare_digest(stored.digest if stored else _NO_DIGEST, credential.digest) or not stored:
            raise InvalidToken
        if cached is None:
            tags.verify_token(stored, self._ring, self._key_check.accepts_earlier)
            self._cache.put(credential.token_id, stored, asked_at)
        return stored.token

    def _prove_session(self, credential: Credential, *, limited: bool) -> Session:
        asked_at = self._clock()
        cached = self._session_cache.get(credential.token_id)
        if cached is not None and cached.session.expires_at <= now():
            # Another process may have renewed it.
            cached = None
        find = self._sessions.find_with_others if limited else self._sessions.find
        stored = cached or find(credential.token_id)
        # As for a token.
        if not hmac.compare_digest(stored.digest if stored else _NO_DIGEST, credential.digest) or not stored:
            raise InvalidToken
        if cached is None:
            tags.verify_session(stored, self._ring)
            self._session_cache.put(credential.token_id, stored, asked_at)
        return stored.session

    def _token_of(self, session: Session) -> Token:
        """Return the token that a session stands in for."""
        stored = self._cached(session.token_id)
        if stored is None:
            asked_at = self._clock()
            stored = self._find_authentic(session.token_id)
            self._cache.put(session.token_id, stored, asked_at)
        return stored.token

    def _cached(self, token_id: str) -> StoredToken | None:
        cached = self._cache.get(token_id)
        # If it has expired here, another process may have renewed it.
        return None if cached is None or _has_expired(cached.token) else cached

    def _refused_before(self, client_ip: str, credential: Credential) -> str | None:
        """Return the actor of a refusal of the same credential a moment ago, if there was one."""
        actor, until = self._refused.get((client_ip, credential), ("", 0.0))
        return actor if self._clock() < until else None

    def _remember_refused(self, client_ip: str, credential: Credential, actor: str) -> None:
        if self._refused_before(client_ip, credential) is not None:
            return
        if len(self._refused) >= MAX_CACHED:
            self._refused.clear()
        self._refused[client_ip, credential] = (actor, self._clock() + RECHECK_SECONDS)

    def is_limited(self, client_ip: str) -> bool:
        """Return whether this process knows that too many attempts from this address have failed."""
        return self._limits.is_exceeded([_failures_from(client_ip)])

    def count_failure(self, client_ip: str) -> None:
        """Count a failed login like a failed authentication.

        Raises:
            TooManyRequests: there were too many from this address.
            StoreUnavailable: the database did not answer in time.
        """
        self._count_failure([_failures_from(client_ip)])

    def count_calls(self, token: Token, calls: int) -> None:
        """Count calls of a token.

        Raises:
            TooManyRequests: that is more than the token may make, or one that it descends from.
            StoreUnavailable: the database did not answer in time.
        """
        own = () if token.rate_limit is None else ((token.token_id, token.rate_limit),)
        counted: list[str] = []
        for token_id, limit in (*token.shared_limits, *own):
            subject = f"calls {token_id}"
            known = self._limits.is_exceeded([subject])
            if not known:
                counted.append(subject)
                if self._limits.count(subject, limit, calls, recount_seconds=_RECOUNT_SECONDS):
                    continue
            if calls > 1:
                # Nothing of the batch is done, so it takes nothing from the calls that follow.
                for each in counted:
                    self._limits.take_back(each, calls)
            whose = (
                "this token" if token_id == token.token_id else f"all tokens made with {token_id} together"
            )
            raise self._too_many(f"rate limit exceeded: {whose} may make {limit} calls per minute")

    def _use(self, token: Token, uses: int) -> None:
        """Count uses by compare-and-swap, because the token's tag covers their number."""
        if token.max_uses is None:
            return
        self._key_check.require()
        asked_at = self._clock()
        stored = self._cached(token.token_id)
        while True:
            if stored is None:
                stored = self._find_authentic(token.token_id)
            if stored.token.revoked_at is not None:
                raise TokenRevoked
            used = stored.token.uses + uses
            if used > token.max_uses:
                raise TokenUsedUp(uses)
            after = tags.sign_token(replace(stored.token, uses=used), stored.digest, self._ring)
            if self._tokens.swap(stored, after):
                self._cache.put(token.token_id, after, asked_at)
                return
            asked_at, stored = self._clock(), None

    def _find_authentic(self, token_id: str) -> StoredToken:
        stored = self._tokens.find(token_id)
        if stored is None:
            raise InvalidToken
        tags.verify_token(stored, self._ring, self._key_check.accepts_earlier)
        return stored

    def _count_failure(self, subjects: Sequence[str]) -> None:
        limit = self._failures_per_minute
        exceeded = self._limits.is_exceeded(subjects)
        if exceeded or not all(self._limits.count(subject, limit) for subject in subjects):
            raise self._too_many(f"too many failed attempts: {limit} per minute are allowed")

    def _too_many(self, message: str) -> TooManyRequests:
        return TooManyRequests(
            f"{message}; wait as long as Retry-After says", self._limits.seconds_left(), tallied=True
        )


def _failures_from(client_ip: str) -> str:
    return f"failures from {client_network(client_ip)}"


def _check(token: Token, client_ip: str) -> None:
    require_in_force(token)
    if token.networks and not is_within(client_ip, token.networks):
        raise AddressNotAllowed


def _check_session(session: Session, client_ip: str) -> None:
    if session.revoked_at is not None or session.expires_at <= now():
        raise SessionEnded
    if client_network(client_ip) != session.client_network:
        raise AddressNotAllowed(
            "the session may not be used from this address: it is bound to the one that it was created from"
        )


def _has_expired(token: Token) -> bool:
    return token.expires_at is not None and token.expires_at <= now()


class NoAuthentication:
    """Replaces ``Authenticator`` if authentication is disabled."""

    def authenticate(
        self, _entry: Entry, _text: str | None, *, batch: bool = False, sessions: bool = True
    ) -> Principal:
        """Return the same principal for everybody."""
        return policy.ANYONE

    def charge(self, principal: Principal, values: int) -> None:
        """Count nothing."""
