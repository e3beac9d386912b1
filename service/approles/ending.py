"""Ends what descends from a revoked token: as its tokens, so its roles and secret ids."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from ..crypto import tags
from ..crypto.keyring import KeyRing
from ..errors import CannotDecrypt, Tampered
from ..models import now
from ..store.approles import AppRoleStore
from ..store.secret_ids import SecretIdStore


def end_made_by(
    roles: AppRoleStore, secret_ids: SecretIdStore, ring: KeyRing, token_ids: Sequence[str], actor: str
) -> None:
    """Delete the roles and revoke the secret ids that descend from these tokens.

    The tokens of their logins descend from them as well, and are revoked by the caller.  What does not
    authenticate logs nobody in.

    Raises:
        StoreUnavailable: some may have ended; call it again.
    """
    # One that changes meanwhile is found again.
    while _end_roles(roles, ring, token_ids, actor) + _end_secret_ids(secret_ids, ring, token_ids, actor):
        pass


def _end_roles(store: AppRoleStore, ring: KeyRing, token_ids: Sequence[str], actor: str) -> int:
    tried = 0
    for _, stored in store.made_by(token_ids):
        with suppress(CannotDecrypt):
            if not isinstance(stored, Tampered):
                tags.verify_role(stored, ring)
                tried += 1
                store.swap(
                    stored, tags.sign_role(replace(stored.role, deleted_at=now(), deleted_by=actor), ring)
                )
    return tried


def _end_secret_ids(store: SecretIdStore, ring: KeyRing, token_ids: Sequence[str], actor: str) -> int:
    tried = 0
    for _, stored in store.made_by(token_ids):
        with suppress(CannotDecrypt):
            if not isinstance(stored, Tampered):
                tags.verify_secret_id(stored, ring)
                tried += 1
                ended = replace(stored.secret_id, revoked_at=now(), revoked_by=actor)
                store.swap(stored, tags.sign_secret_id(ended, stored.digest, ring))
    return tried
