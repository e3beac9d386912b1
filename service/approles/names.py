"""Names of actors, for people: those of tokens, and of roles that log in."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from ..crypto import tags
from ..errors import CannotDecrypt
from ..models import ROLE_PREFIX, StoredAppRole
from ..tokens import tokens
from .services import AppRoleServices


def names(services: AppRoleServices, actors: Iterable[str | None]) -> dict[str, str]:
    """Return the names of those of these actors that are tokens or roles, by actor, without altered ones.

    Raises:
        StoreUnavailable: the database did not answer in time.
    """
    known = {actor for actor in actors if actor is not None}
    found = tokens.names(services.tokens, known)
    role_ids = sorted(actor.removeprefix(ROLE_PREFIX) for actor in known if actor.startswith(ROLE_PREFIX))
    for role_id, stored in services.roles.find_each(role_ids) if role_ids else ():
        with suppress(CannotDecrypt):
            if isinstance(stored, StoredAppRole):
                tags.verify_role(stored, services.tokens.ring)
                found[ROLE_PREFIX + role_id] = stored.role.name
    return found
