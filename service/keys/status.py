"""The status of the master keys: which ones exist, and how much is under each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..access import policy
from ..audit.key import AuditKey
from ..crypto import aead, mac
from ..crypto.keyring import KeyRing
from ..errors import Tampered
from ..models import Action, EncryptedItem, Principal
from ..store.canary import CanaryStore
from ..store.master_keys import KeyStore
from ..store.rewrap import RewrapStore
from . import text_keys, wrap_counter


@dataclass(frozen=True, slots=True)
class KeyServices:
    """The dependencies of the use cases for master keys."""

    ring: KeyRing
    store: KeyStore
    rewrap_store: RewrapStore
    canaries: CanaryStore
    audit_key: AuditKey


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One master key: whether this process holds it, and how much is under it.

    ``wraps`` is an upper bound of the wraps that the key has made.
    """

    key_id: str
    held: bool
    primary: bool
    versions: int
    secret_tags: int
    token_tags: int
    grant_tags: int
    approle_tags: int
    canary: bool
    audit_key: bool
    wraps: int


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """All keys that this process holds or that stored data names, the primary first.

    ``legacy`` counts records of an earlier implementation, which name no key; ``malformed`` counts items
    that should name a key but do not.
    """

    keys: list[KeyUse]
    legacy: int
    malformed: int
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class KeySummary:
    """A master key that this process holds; ``wraps`` is an upper bound of those counted."""

    key_id: str
    primary: bool
    wraps: int


def key_summaries(keys: KeyServices) -> tuple[list[KeySummary], list[str]]:
    """Return the keys that this process holds, the primary first, and warnings of them.

    Raises:
        StoreUnavailable: the database did not answer in time.
    """
    reserved = keys.store.registered()
    primary, *_ = held = keys.ring.key_ids
    of_text = text_keys.text_key_ids(keys.ring)
    found = [KeySummary(key_id, key_id == primary, reserved.get(key_id, 0)) for key_id in held]
    warnings = [
        warning
        for key in found
        for warning in _warnings(key.key_id, key.wraps, is_held=True, is_text=key.key_id in of_text)
    ]
    return found, warnings


def key_status(keys: KeyServices, principal: Principal) -> KeyStatus:
    """Count what is under each key; with millions of secrets this takes seconds.

    Raises:
        Forbidden: the caller is not an administrator.
        StoreUnavailable: the database did not answer in time.
    """
    policy.require(principal, Action.ADMIN)
    counts = Counter((kind, _key_id(kind, sealed)) for kind, sealed in keys.rewrap_store.list_encrypted())
    legacy = counts.pop((EncryptedItem.LEGACY, None), 0)
    canary = _canary_key_id(keys.canaries)
    reserved = keys.store.registered()
    held = keys.ring.key_ids
    of_text = text_keys.text_key_ids(keys.ring)
    under = {key_id for _, key_id in counts} | {canary}
    shown = [*held, *sorted(key_id for key_id in under if key_id is not None and key_id not in held)]
    uses = [
        KeyUse(
            key_id=key_id,
            held=key_id in held,
            primary=key_id == held[0],
            versions=counts[EncryptedItem.VERSION, key_id],
            secret_tags=counts[EncryptedItem.SECRET_TAG, key_id],
            token_tags=counts[EncryptedItem.TOKEN_TAG, key_id],
            grant_tags=counts[EncryptedItem.GRANT_TAG, key_id],
            approle_tags=counts[EncryptedItem.APPROLE_TAG, key_id],
            canary=key_id == canary,
            audit_key=counts[EncryptedItem.AUDIT_KEY, key_id] > 0,
            # Wraps made before there was a counter are in no block, but the versions they left are counted.
            wraps=reserved.get(key_id, 0) + counts[EncryptedItem.VERSION, key_id],
        )
        for key_id in shown
    ]
    return KeyStatus(
        keys=uses,
        legacy=legacy,
        malformed=sum(count for (_, key_id), count in counts.items() if key_id is None),
        warnings=[
            warning
            for use in uses
            for warning in _warnings(use.key_id, use.wraps, is_held=use.held, is_text=use.key_id in of_text)
        ],
    )


def _key_id(kind: EncryptedItem, sealed: bytes) -> str | None:
    key_id = aead.key_id if kind in (EncryptedItem.VERSION, EncryptedItem.AUDIT_KEY) else mac.key_id
    try:
        return key_id(sealed).hex()
    except Tampered:
        return None


def _canary_key_id(canaries: CanaryStore) -> str | None:
    try:
        canary = canaries.find()
        return None if canary is None else aead.key_id(canary.data_key).hex()
    except Tampered:
        return None


def _warnings(key_id: str, wraps: int, *, is_held: bool, is_text: bool) -> list[str]:
    missing = (
        f"this process lacks master key {key_id} and cannot decrypt what is under it: add the key to"
        " MASTER_KEYS_DIR"
    )
    text = f"master key {key_id} looks like text, and may be guessed: rotate to 32 random bytes"
    warnings = [
        None if is_held else missing,
        text if is_text else None,
        wrap_counter.warn(key_id, wraps),
    ]
    return [warning for warning in warnings if warning is not None]
