"""Scopes as text, and which scope holds which.

``fetch:team/app/*`` allows to fetch every secret below ``team/app``, at any depth;
``fetch:team/app/db-password`` that one; ``fetch:*`` every one that has a path.  ``token``, ``audit``
and ``admin`` stand alone; ``admin`` holds every other.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InvalidFields
from ..models import Action, Scope
from . import paths

ON_PATHS = frozenset({Action.CREATE, Action.FETCH, Action.LIST, Action.UPDATE, Action.DELETE})
ADMIN = Scope(Action.ADMIN)

_ALL = "*"
_BELOW = "/*"


def parse(text: str) -> Scope:
    """Read a scope.

    Raises:
        InvalidFields: it is none; the message says how one looks.
    """
    word, colon, pattern = text.partition(":")
    try:
        action = Action(word)
    except ValueError:
        # What was sent instead is not repeated: it may be a token that went into the wrong field.
        raise _refused(f"a scope begins with one of {', '.join(Action)}") from None
    if action not in ON_PATHS:
        if colon:
            raise _refused(f"{action} takes no path")
        return Scope(action)
    if not (pattern == _ALL or paths.is_path(pattern.removesuffix(_BELOW))):
        raise _refused(
            f"{action} takes a path: write {action}:team/app/db-password,"
            f" {action}:team/app/* for all below, or {action}:*"
        )
    return Scope(action, pattern)


def allows(scope: Scope, action: Action, path: str) -> bool:
    """Return whether ``scope`` allows ``action`` on the secret at ``path``."""
    if scope.action is Action.ADMIN:
        return True
    return scope.action is action and scope.pattern is not None and _matches(scope.pattern, path)


def implies(holder: Iterable[Scope], wanted: Scope) -> bool:
    """Return whether one of the holder's scopes allows everything that ``wanted`` allows."""
    return any(_implies(scope, wanted) for scope in holder)


def _implies(scope: Scope, wanted: Scope) -> bool:
    if scope.action is Action.ADMIN:
        return True
    if scope.action is not wanted.action:
        return False
    if scope.pattern is None or wanted.pattern is None:
        return scope.pattern == wanted.pattern
    # What lies below a folder is matched as one path would be: `team/app/*` holds `team/app/x/*`, and
    # of `team/*` it holds nothing.
    return _matches(scope.pattern, wanted.pattern)


def _matches(pattern: str, path: str) -> bool:
    if pattern == _ALL:
        return True
    if pattern.endswith(_BELOW):
        return path.startswith(pattern.removesuffix(_ALL))
    return path == pattern


def _refused(hint: str) -> InvalidFields:
    return InvalidFields({"scopes": [hint]})
