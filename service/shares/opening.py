"""Opens shares: for whoever has a link, with no token.

Asking about a share changes nothing but when it was last looked at.  Revealing it takes the only read of its
secret in the same transaction that marks it as opened, so the value is given at most once, however many ask.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..access import token_format
from ..access.token_format import Credential
from ..audit.recorder import Entry
from ..crypto import tags
from ..errors import (
    AlreadyRead,
    InvalidFields,
    MalformedToken,
    SecretNotFound,
    ShareEnded,
    ShareNotFound,
    ShareOpened,
    TooManyRequests,
    WrongPassphrase,
)
from ..models import Share, StoredShare
from ..networks import client_network
from ..secrets import read
from ..secrets.read import SecretVersionRef
from ..store.secret_queries import SecretRef
from ..store.secrets import SecretStore
from ..store.shares import ShareStore
from ..tokens.authentication import Authenticator
from ..tokens.rate_limits import RateLimits
from . import passphrase, shares
from .services import ShareServices

# Of one share, by one client.  A page asks once; whoever has the link could otherwise fill the audit log.
CALLS_PER_MINUTE = 30

_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class Peek:
    """What holders of a link may know: ``state`` is ``waiting``, ``opened`` or ``ended``."""

    state: str
    expires_at: datetime
    passphrase: bool
    opened_at: datetime | None
    opened_from: str | None


@dataclass(frozen=True, slots=True)
class Revealed:
    """A value in plaintext, on its way to the recipient."""

    plaintext: bytes = field(repr=False)
    opened_at: datetime


class Opener:
    """Opens shares; ``authenticator`` counts unknown links with the failed authentications of an address."""

    def __init__(self, services: ShareServices, authenticator: Authenticator, limits: RateLimits) -> None:
        self._services = services
        self._authenticator = authenticator
        self._limits = limits

    def peek(self, entry: Entry, link: str) -> Peek:
        """Tell the holder of a link what has become of the share; the sender sees that somebody asked.

        Raises:
            ShareNotFound: there is no such share (any more), or the link is wrong.
            TooManyRequests: too many wrong links, or calls for this share, came from this address.
            Tampered, UnknownKey: the share does not authenticate.
            KeyRingMismatch: the key ring does not fit the data.
            StoreUnavailable: the database did not answer in time.
        """
        stored = self._prove(entry, link)
        at = self._services.secrets.clock()
        share = replace(stored.share, looked_at=at, looked_from=entry.caller.client_ip)
        state = shares.state_of(share, at)
        if state == "waiting":
            # If it fails, somebody else has looked at the same time, or opened it.
            ring = self._services.secrets.ring
            self._services.store.swap(stored, tags.sign_share(share, stored.digest, ring))
        return Peek(
            state=state if state in ("waiting", "opened") else "ended",
            expires_at=share.expires_at,
            passphrase=share.passphrase is not None,
            opened_at=share.opened_at,
            opened_from=share.opened_from,
        )

    def reveal(self, entry: Entry, link: str, attempt: bytes, text: str | None) -> Revealed:
        """Return the value, once; ``attempt`` is random, of this request; ``text`` is a passphrase, or None.

        The share is used up even if the response does not arrive.

        Raises:
            ShareNotFound, TooManyRequests, Tampered, UnknownKey, KeyRingMismatch: as ``peek``.
            ShareOpened: it was opened, by this attempt or by another.
            ShareEnded: it ended without being opened.
            InvalidFields: it takes a passphrase, which is missing.
            WrongPassphrase: the passphrase is another; that counts as a try.
            StoreUnavailable: the database did not answer in time; it may have been opened.
        """
        stored = self._prove(entry, link)
        proof = hashlib.sha256(attempt).digest()
        share_id = stored.share.share_id
        self._require_waiting(stored.share, proof)
        tried = 0
        if stored.share.passphrase is not None:
            if text is None:
                raise InvalidFields({"passphrase": ["required: the sender has set one"]})
            self._try(entry, share_id, proof, text)
            tried = 1

        def open_(store: ShareStore, secrets: SecretStore) -> Revealed:
            found = shares.find(store, self._services, share_id)
            # A right passphrase opens even if it was the last try.
            self._require_waiting(replace(found.share, tries=found.share.tries - tried), proof)
            inside = replace(self._services.secrets, secrets=secrets)
            ref = SecretVersionRef(SecretRef(found.share.secret_id))
            try:
                fetched = read.fetch(inside, entry, shares.opener(found.share), ref)
            except AlreadyRead as error:
                # By an administrator, by its id.
                raise ShareOpened(error.end["at"], error.end["from"], same_attempt=False) from None
            except SecretNotFound:
                raise ShareEnded from None
            at = inside.clock()
            opened = replace(
                found.share,
                tries=found.share.tries - tried,
                opened_at=at,
                opened_from=entry.caller.client_ip,
                attempt=proof,
            )
            store.swap(found, tags.sign_share(opened, found.digest, inside.ring))
            return Revealed(fetched.plaintext, at)

        return self._services.store.in_transaction(open_)

    def _prove(self, entry: Entry, link: str) -> StoredShare:
        """Return the share of a link, and record it in the audit entry."""
        try:
            credential = _parse(link)
            entry.token_id, entry.actor = credential.token_id, f"unproven:{credential.token_id}"
            stored = self._find(credential, entry.caller.client_ip)
        except ShareNotFound:
            self._authenticator.count_failure(entry.caller.client_ip)
            raise
        entry.actor, entry.secret_id = stored.share.actor, stored.share.secret_id
        subject = f"share {stored.share.share_id} from {client_network(entry.caller.client_ip)}"
        if not self._limits.count(subject, CALLS_PER_MINUTE):
            raise TooManyRequests(
                f"rate limit exceeded: {CALLS_PER_MINUTE} calls per minute for one share; wait as long as"
                " Retry-After says",
                self._limits.seconds_left(),
                tallied=True,
            )
        self._services.secrets.key_check.require()
        tags.verify_share(stored, self._services.secrets.ring)
        return stored

    def _find(self, credential: Credential, client_ip: str) -> StoredShare:
        store = self._services.store
        limited = self._authenticator.is_limited(client_ip)
        stored = (store.find_with_others if limited else store.find)(credential.token_id)
        # Compared even if there is no share, so that an unknown id takes as long as a wrong secret.
        if not hmac.compare_digest(stored.digest if stored else _NO_DIGEST, credential.digest) or not stored:
            raise ShareNotFound
        return stored

    def _require_waiting(self, share: Share, proof: bytes) -> None:
        """Check that a share can be opened; ``proof`` is the SHA-256 of the attempt.

        Raises:
            ShareOpened, ShareEnded: it cannot.
        """
        state = shares.state_of(share, self._services.secrets.clock())
        if state == "opened" and share.opened_at is not None:
            raise ShareOpened(
                share.opened_at.isoformat(),
                share.opened_from or "",
                same_attempt=hmac.compare_digest(share.attempt or b"", proof),
            )
        if state != "waiting":
            raise ShareEnded

    def _try(self, entry: Entry, share_id: str, proof: bytes, text: str) -> None:
        """Check a passphrase; the last wrong one ends the share.

        It is counted first: of any number that come at the same time, ``MAX_TRIES`` are looked at.

        Raises:
            WrongPassphrase: it is another.
            ShareOpened, ShareEnded: the share can no longer be opened.
        """
        store, ring = self._services.store, self._services.secrets.ring
        while True:
            stored = shares.find(store, self._services, share_id)
            self._require_waiting(stored.share, proof)
            counted = replace(stored.share, tries=stored.share.tries + 1)
            if store.swap(stored, tags.sign_share(counted, stored.digest, ring)):
                break
        if passphrase.is_right(text, counted.passphrase or b""):
            return
        left = passphrase.MAX_TRIES - counted.tries
        if not left:
            shares.destroy_locked(self._services, entry, share_id)
        raise WrongPassphrase(left)


def _parse(link: str) -> Credential:
    try:
        return token_format.parse(link, token_format.SHARE)
    except MalformedToken:
        raise ShareNotFound from None
