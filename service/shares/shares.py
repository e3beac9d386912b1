"""Creates, lists and takes back shares: links that reveal one secret once, to somebody without a token.

What is shared is a secret of its own, with one read, without a path and owned by the share: nobody but
administrators can reach it otherwise.  Every function raises StoreUnavailable if the database does not answer
in time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..access import policy, token_format
from ..access.token_format import Credential
from ..audit.recorder import Entry
from ..crypto import tags
from ..errors import CannotDecrypt, InvalidFields, SecretNotFound, ShareNotFound, TooManyShares
from ..models import Action, Principal, Scope, Share, StoredShare
from ..records import ends_at
from ..secrets import modify, read
from ..secrets.create import CreateSecret
from ..secrets.create import make as make_secret
from ..secrets.generate import Content
from ..secrets.options import SecretOptions
from ..secrets.read import SecretVersionRef
from ..store.secret_queries import SecretRef
from ..store.secrets import SecretStore
from ..store.shares import ShareStore
from . import passphrase
from .services import ShareServices

PAGE = 100
MAX_OPEN = 100
MAX_RECIPIENT_CHARACTERS = 100
DEFAULT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class ShareRequest:
    """What to share, a value or the version of a secret, with whom, and for how many seconds."""

    what: Content | SecretVersionRef = field(repr=False)
    recipient: str
    expires_in: int | None = None
    passphrase: str | None = field(default=None, repr=False)


def create(
    services: ShareServices, entry: Entry, principal: Principal, request: ShareRequest
) -> tuple[str, Share]:
    """Create a share; return its link, which is not stored, and its description.

    Raises:
        Forbidden: the caller may not share.
        InvalidFields: the request is invalid.
        SecretNotFound: the secret to share cannot be read; the message says why.
        TooLarge: the value is longer than the limit.
        TooManyShares: as many of the caller's are open already.
        Tampered, UnknownKey: the stored value cannot be decrypted.
        KeyRingMismatch: the key ring does not fit the data.
        StoreUnavailable: the share may have been stored, but its link is lost.
    """
    policy.require(principal, Action.SHARE)
    _validate(services, request)
    content, path, source_id = request.what, None, None
    if isinstance(content, SecretVersionRef):
        fetched = read.fetch(services.secrets, entry, principal, content)
        content, path, source_id = fetched.plaintext, fetched.path, fetched.secret_id
    at = services.secrets.clock()
    lifetime = timedelta(seconds=request.expires_in or min(DEFAULT_SECONDS, services.max_seconds))
    credential = token_format.new(token_format.SHARE)
    share = Share(
        share_id=credential.token_id,
        secret_id="",
        recipient=request.recipient,
        created_at=at,
        created_by=principal.actor,
        expires_at=at + lifetime,
        path=path,
        passphrase=None if request.passphrase is None else passphrase.hash_of(request.passphrase),
    )
    share = _store(services, entry, share, content, credential)
    entry.token_id = share.share_id
    if source_id is not None:
        # So that it is found by whoever asks who has read that secret.
        entry.secret_id = source_id
    # Counted afterwards, so that no number of concurrent calls comes to more.
    if services.store.count_open(principal.actor, at, passphrase.MAX_TRIES) > MAX_OPEN:
        end(services, entry, share.share_id, lambda share: replace(share, revoked_at=at, revoked_by="limit"))
        raise TooManyShares(MAX_OPEN)
    return credential.text, share


@dataclass(frozen=True, slots=True)
class SharePage:
    """Shares, the newest first; ``altered`` are the ids of those whose record does not authenticate.

    More may follow ``last``, unless it is None.
    """

    shares: list[Share]
    altered: list[str]
    last: tuple[datetime, str] | None


def list_(services: ShareServices, principal: Principal, after: tuple[datetime, str] | None) -> SharePage:
    """Return up to ``PAGE`` shares that follow ``after``; ended ones for 30 days.

    Administrators see all shares, others those that they created.

    Raises:
        Forbidden: the caller may not share.
    """
    policy.require(principal, Action.SHARE)
    creator = None if policy.is_admin(principal) else principal.actor
    found = services.store.page(creator, after, PAGE)
    shares, altered = [], []
    for share_id, stored in found:
        try:
            if not isinstance(stored, StoredShare):
                raise stored
            tags.verify_share(stored, services.secrets.ring)
            shares.append(stored.share)
        except CannotDecrypt:
            altered.append(share_id)
    more = len(found) == PAGE and bool(shares)
    return SharePage(shares, altered, (shares[-1].created_at, shares[-1].share_id) if more else None)


def revoke(services: ShareServices, entry: Entry, principal: Principal, share_id: str) -> Share:
    """Take back a share: its secret is destroyed.  Of one that was opened or has ended nothing changes.

    Nothing is left of one that does not authenticate.

    Raises:
        ShareNotFound: there is no such share, or the caller may not know of it.
        KeyRingMismatch: the key ring does not fit the data.
        Tampered, UnknownKey: it does not authenticate; it is removed.
        StoreUnavailable: it may or may not have been taken back; revoke it again.
    """
    services.secrets.key_check.require()
    # What is no id is not recorded, because it could be a whole link.
    if not token_format.is_id(share_id):
        raise ShareNotFound
    entry.token_id = share_id
    try:
        stored = find(services.store, services, share_id)
    except CannotDecrypt:
        if not policy.is_admin(principal):
            raise ShareNotFound from None
        services.store.remove(share_id)
        raise
    if stored.share.created_by != principal.actor and not policy.is_admin(principal):
        raise ShareNotFound
    entry.secret_id = stored.share.secret_id
    at = services.secrets.clock()
    return end(
        services, entry, share_id, lambda share: replace(share, revoked_at=at, revoked_by=principal.actor)
    )


def find(store: ShareStore, services: ShareServices, share_id: str) -> StoredShare:
    """Return a share.

    Raises:
        ShareNotFound: there is none with this id.
        Tampered, UnknownKey: it does not authenticate.
    """
    stored = store.find(share_id)
    if stored is None:
        raise ShareNotFound
    tags.verify_share(stored, services.secrets.ring)
    return stored


def opener(share: Share) -> Principal:
    """Return the principal that owns a share's secret."""
    return Principal(share.actor, ())


def state_of(share: Share, at: datetime) -> str:
    """Return ``waiting``, ``opened``, ``revoked``, ``locked`` (by wrong passphrases) or ``expired``."""
    if share.opened_at is not None:
        return "opened"
    if share.revoked_at is not None:
        return "revoked"
    if share.tries >= passphrase.MAX_TRIES:
        return "locked"
    return "expired" if share.expires_at <= at else "waiting"


def end(services: ShareServices, entry: Entry, share_id: str, change: Callable[[Share], Share]) -> Share:
    """Change a share that is still waiting and destroy its secret, both or none; return the share.

    Raises:
        ShareNotFound, Tampered, UnknownKey, StoreUnavailable: as ``find``.
    """

    def work(shares: ShareStore, secrets: SecretStore) -> Share:
        stored = find(shares, services, share_id)
        if state_of(stored.share, services.secrets.clock()) != "waiting":
            return stored.share
        changed = tags.sign_share(change(stored.share), stored.digest, services.secrets.ring)
        shares.swap(stored, changed)
        inside = replace(services.secrets, secrets=secrets)
        # MongoDB may have removed it, and a restore may be from before it.
        with suppress(SecretNotFound):
            modify.destroy(
                inside, entry, opener(stored.share), SecretRef(stored.share.secret_id), in_use=True
            )
        return changed.share

    return services.store.in_transaction(work)


def destroy_locked(services: ShareServices, entry: Entry, share_id: str) -> None:
    """Destroy the secret of a share that nobody has opened and that has no tries left.

    Raises:
        ShareNotFound, Tampered, UnknownKey, StoreUnavailable: as ``find``.
    """
    share = find(services.store, services, share_id).share
    if state_of(share, services.secrets.clock()) == "locked":
        with suppress(SecretNotFound):
            modify.destroy(services.secrets, entry, opener(share), SecretRef(share.secret_id), in_use=True)


def _validate(services: ShareServices, request: ShareRequest) -> None:
    text = request.recipient
    if not (0 < len(text) <= MAX_RECIPIENT_CHARACTERS and text.isprintable()) or token_format.is_within(text):
        raise InvalidFields(
            {"for": [f"must be 1 to {MAX_RECIPIENT_CHARACTERS} printable characters that contain no token"]}
        )
    if request.expires_in is not None and request.expires_in > services.max_seconds:
        raise InvalidFields(
            {"expires_in": [f"must be at most {services.max_seconds} seconds (SHARE_MAX_SECONDS)"]}
        )


def _store(
    services: ShareServices, entry: Entry, share: Share, content: Content, credential: Credential
) -> Share:
    """Store a share and its secret, both or none; return the share with its secret's id."""
    maker = Principal(share.created_by, (Scope(Action.CREATE, "*"),))
    secret = make_secret(
        services.secrets,
        entry,
        maker,
        CreateSecret(
            content,
            options=SecretOptions(max_reads=1, expires_at=share.expires_at),
            owner=share.actor,
        ),
    )
    share = replace(share, secret_id=secret.secret_id)
    signed = tags.sign_share(share, credential.digest, services.secrets.ring)

    def insert(shares: ShareStore, secrets: SecretStore) -> None:
        secrets.insert(secret, ends_at(secret))
        shares.insert(signed)

    services.store.in_transaction(insert)
    return share
