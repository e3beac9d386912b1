"""Which tokens reach a secret."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ..access import paths, policy, scopes
from ..audit.recorder import Entry
from ..errors import CannotDecrypt
from ..models import Action, Principal, Scope, StoredToken, now
from .tokens import TokenServices, verify

MAX_TOKENS = 1000


@dataclass(frozen=True, slots=True)
class Access:
    """What a token may do at a path, through one of its scopes."""

    token_id: str
    name: str
    actions: tuple[Action, ...]
    through: Scope
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Who reaches a path; ``complete`` if that is everybody."""

    tokens: list[Access]
    complete: bool


def reach(services: TokenServices, entry: Entry, principal: Principal, path: str) -> Reach:
    """Return the tokens that can be used and whose scopes cover a path, whether there is a secret or not.

    Administrators see all, others their own token and those that descend from it.

    Raises:
        Forbidden: the caller may not list this path.
        InvalidFields: the path is malformed.
        StoreUnavailable: the database did not answer in time.
    """
    paths.require_path(path)
    entry.path = path
    policy.require_path(principal, Action.LIST, path)
    all_ = policy.is_admin(principal)
    covering = scopes.covering(path)
    found = services.store.with_any_scope(covering, None if all_ else principal.actor, now(), MAX_TOKENS + 1)
    tokens: list[Access] = []
    for stored in found[:MAX_TOKENS]:
        # One that does not authenticate is refused, so it reaches nothing.
        with suppress(CannotDecrypt):
            if not isinstance(stored, StoredToken):
                continue
            verify(services, stored)
            token = stored.token
            if token.max_uses is None or token.uses < token.max_uses:
                tokens += [
                    Access(token.token_id, token.name, _actions(scope), scope, token.expires_at)
                    for scope in token.scopes
                    if scope in covering
                ]
    return Reach(tokens, complete=all_ and len(found) <= MAX_TOKENS)


def _actions(scope: Scope) -> tuple[Action, ...]:
    # Deliveries are for others than the caller, and take a grant.
    everything = sorted(scopes.ON_SECRETS - {Action.DELIVER})
    return tuple(everything) if scope.action is Action.ADMIN else (scope.action,)
