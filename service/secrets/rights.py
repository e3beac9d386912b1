"""What else a caller needs who may update a secret: some updates do what other actions do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ..models import Action
from ..records import Defaults, Secret, ends_at
from .defaults import applied


def needed(before: Secret, after: Secret, defaults_of: Callable[[str | None], Defaults]) -> frozenset[Action]:
    """Return the actions that changing ``before`` to ``after`` takes on ``before``, besides ``update``.

    A move takes the secret away from its path, and callers who may read the new path read it there.  To end a
    secret or a version sooner, or to keep fewer versions, is to delete.  More reads than the secret was
    created with are what only a new secret would give.
    """
    actions: set[Action] = set()
    if after.path != before.path:
        actions |= {Action.FETCH, Action.DELETE}
    if _lives_shorter(before, after) or _options_shorten(
        applied(before, defaults_of(before.path)), applied(after, defaults_of(after.path))
    ):
        actions.add(Action.DELETE)
    if _reads_more(before, after):
        actions |= {Action.CREATE, Action.DELETE}
    return frozenset(actions)


def _lives_shorter(before: Secret, after: Secret) -> bool:
    kept = {version.version: version for version in after.versions}
    return (
        _sooner(before.expires_at, after.expires_at)
        or _sooner(ends_at(before), ends_at(after))
        or _fewer(before.reads_left, after.reads_left)
        or any(
            _sooner(version.expires_at, kept[version.version].expires_at)
            for version in before.versions
            if version.version in kept
        )
    )


def _options_shorten(before: Defaults, after: Defaults) -> bool:
    return after.max_versions < before.max_versions or _fewer(
        before.delete_version_after, after.delete_version_after
    )


def _reads_more(before: Secret, after: Secret) -> bool:
    return before.reads_left is not None and (
        after.reads_left is None or after.reads_left > before.reads_left
    )


def _sooner(before: datetime | None, after: datetime | None) -> bool:
    return after is not None and (before is None or after < before)


def _fewer(before: int | None, after: int | None) -> bool:
    return after is not None and (before is None or after < before)
