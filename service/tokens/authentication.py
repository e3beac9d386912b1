"""Finds out who asks, from the token they send.

A token that was good a moment ago is good without asking the database again, for ``RECHECK_SECONDS``:
that is how long a revocation can take to reach every process.  Where uses are counted, each is.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from ..access import policy, token_format
from ..access.token_format import Credential
from ..audit.recorder import Entry
from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..errors import (
    AddressNotAllowed,
    InvalidToken,
    NoToken,
    TokenExpired,
    TokenRevoked,
    TokenUsedUp,
    TooManyRequests,
    Unauthenticated,
)
from ..models import Principal, StoredToken, Token, now
from ..store.rate_limits import RateLimitStore
from ..store.tokens import TokenStore

RECHECK_SECONDS = 5.0

# More tokens than any process meets in RECHECK_SECONDS; beyond it everybody is looked up again.
_MAX_REMEMBERED = 10_000
_NOBODY = bytes(32)


@dataclass(frozen=True, slots=True)
class _Remembered:
    stored: StoredToken
    until: float


class Authenticator:
    """Proves who asks.  ``failures_per_minute`` bounds wrong attempts by address, and again by token.

    Only failures are counted and refused: whoever has a good token is let in however many others
    guess from the same address, so that nobody can lock them out.
    """

    def __init__(
        self,
        tokens: TokenStore,
        attempts: RateLimitStore,
        ring: KeyRing,
        failures_per_minute: int,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._attempts = attempts
        self._ring = ring
        self._failures_per_minute = failures_per_minute
        self._clock = clock
        self._remembered: dict[str, _Remembered] = {}

    def authenticate(self, entry: Entry, text: str | None) -> Principal:
        """Return who sends this token, and say so in the audit entry.

        Raises:
            NoToken, MalformedToken: there is nothing to look up.
            InvalidToken: unknown, wrong, expired, revoked, used up, or not for this address.
            TooManyRequests: too many failures, or more calls than the token's own limit allows.
            Tampered, UnknownKey: the stored token is not one that this service made.
            StoreUnavailable: the database did not answer.
        """
        claimed = None
        try:
            if text is None:
                raise NoToken
            credential = token_format.parse(text)
            claimed = credential.token_id
            entry.actor = f"unproven:{claimed}"
            token = self._prove(credential)
            entry.actor = token.token_id
            _check(token, entry.caller.client_ip)
            if token.rate_limit is not None:
                self._limit(f"calls {token.token_id}", token.rate_limit, "this token's calls")
            # Last, so that a call that is refused for another reason costs no use.
            if token.max_uses is not None and not self._tokens.use(token.token_id):
                raise TokenUsedUp
        except Unauthenticated:
            self._count_failure(entry.caller.client_ip, claimed)
            raise
        return Principal(token.token_id, token.scopes, token)

    def forget(self, token_id: str) -> None:
        """Look a token up anew at its next use: it was changed or ended by this process."""
        self._remembered.pop(token_id, None)

    def _prove(self, credential: Credential) -> Token:
        asked_at = self._clock()
        recalled = self._recall(credential.token_id)
        stored = recalled or self._tokens.find(credential.token_id)
        # Also where there is none, so that an unknown id takes no less time than a wrong secret.
        if not hmac.compare_digest(stored.digest if stored else _NOBODY, credential.digest) or not stored:
            raise InvalidToken
        if recalled is None:
            tags.verify_token(stored, self._ring)
            self._remember(stored, asked_at + RECHECK_SECONDS)
        return stored.token

    def _recall(self, token_id: str) -> StoredToken | None:
        remembered = self._remembered.get(token_id)
        if remembered is None or self._clock() >= remembered.until:
            return None
        # Another process may have renewed one whose time is over here.
        return None if _is_over(remembered.stored.token) else remembered.stored

    def _remember(self, stored: StoredToken, until: float) -> None:
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[stored.token.token_id] = _Remembered(stored, until)

    def _count_failure(self, client_ip: str, claimed: str | None) -> None:
        limit, what = self._failures_per_minute, "failed attempts"
        self._limit(f"failures from {_rate_limit_key(client_ip)}", limit, what)
        if claimed is not None:
            self._limit(f"failures of {claimed}", limit, what)

    def _limit(self, subject: str, limit: int, what: str) -> None:
        if self._attempts.count(subject) > limit:
            raise TooManyRequests(
                f"too many {what}: {limit} per minute are allowed; wait as long as Retry-After says",
                self._attempts.seconds_left(),
            )


def _check(token: Token, client_ip: str) -> None:
    if token.revoked_at is not None:
        raise TokenRevoked
    if _is_over(token):
        raise TokenExpired
    if token.networks and not _within(client_ip, token.networks):
        raise AddressNotAllowed


def _is_over(token: Token) -> bool:
    return token.expires_at is not None and token.expires_at <= now()


def _within(client_ip: str, networks: tuple[str, ...]) -> bool:
    try:
        address = ip_address(client_ip)
    except ValueError:
        return False
    return any(address in ip_network(network) for network in networks)


def _rate_limit_key(client_ip: str) -> str:
    """Return what one client can be expected to hold: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        address = ip_address(client_ip)
    except ValueError:
        return client_ip
    return str(ip_network((address, 64), strict=False) if isinstance(address, IPv6Address) else address)


def authentication_disabled(_entry: Entry, _text: str | None) -> Principal:
    """Stand in for ``Authenticator.authenticate`` where authentication is switched off."""
    return policy.ANYONE
