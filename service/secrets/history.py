"""Creates secrets that have a past elsewhere: their versions keep their numbers, times and deletions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..access import paths, policy
from ..audit.recorder import Entry
from ..crypto import secret_values, tags
from ..models import Action, Principal
from ..records import Secret, Version
from . import create, lifecycle
from .generate import value_of
from .options import SecretOptions, resolve
from .services import SecretServices


@dataclass(frozen=True, slots=True)
class PastVersion:
    """A version as it was elsewhere; ``content`` is None if its value is gone.

    ``deleted_at`` may be in the future, as in ``Version``.
    """

    number: int
    created_at: datetime
    content: bytes | None = field(repr=False)
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SecretHistory:
    """A secret to create; ``versions``, at least one, are ordered by number, and the last one is current.

    Times are in UTC and whole milliseconds.
    """

    path: str
    versions: Sequence[PastVersion]
    created_at: datetime
    updated_at: datetime | None = None
    options: SecretOptions = field(default_factory=SecretOptions)


def create_with_history(
    services: SecretServices, entry: Entry, principal: Principal, request: SecretHistory
) -> Secret:
    """Store a new secret with all its versions; one whose value is gone counts as destroyed just now.

    The creator of every version is the caller.  Versions beyond ``max_versions`` are destroyed.

    Raises:
        VaultError: any error of ``create_secret``.
    """
    paths.require_path(request.path)
    entry.path = request.path
    policy.require_path(principal, Action.CREATE, request.path)
    services.key_check.require()

    at = services.clock()
    secret = Secret(
        secret_id=str(uuid.uuid4()),
        current=0,
        versions=(),
        created_at=request.created_at,
        created_by=principal.actor,
        updated_at=request.updated_at,
        path=request.path,
    )
    entry.secret_id = secret.secret_id
    secret = lifecycle.configure(secret, resolve(request.options, at))
    for past in request.versions:
        secret = _add(services, secret, past, at, principal.actor)
    secret = tags.sign_secret(lifecycle.tidy(secret, at), services.ring)
    create.insert(services, secret)
    return secret


def _add(services: SecretServices, secret: Secret, past: PastVersion, at: datetime, by: str) -> Secret:
    version = Version(past.number, past.created_at, created_by=by, deleted_at=past.deleted_at)
    if past.content is None:
        version = replace(version, destroyed_at=at, destroyed_by=by)
    else:
        value = value_of(past.content, services.max_secret_bytes)
        # Versions may be missing between two others.
        before = replace(secret, current=past.number - 1)
        version = replace(version, sealed=secret_values.seal(before, value, services.ring))
    return replace(secret, current=past.number, versions=(*secret.versions, version))
