"""Scopes as text, and which scope implies which.

``fetch:team/app/*`` allows fetching every secret below ``team/app``, at any depth;
``fetch:team/app/db-password`` only that one; ``fetch:*`` every secret with a path.  ``deliver:*`` allows
fetching for Swarm services, as far as grants allow it.  ``audit:team/*`` allows searching the audit log for
records about such paths, ``audit`` alone everything about the log.  ``token``, ``share`` and ``admin`` take
no path; ``admin`` implies every other scope.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InvalidFields
from ..models import Action, Scope
from . import paths

ON_SECRETS = frozenset(
    {Action.CREATE, Action.FETCH, Action.LIST, Action.UPDATE, Action.DELETE, Action.DELIVER}
)
ON_PATHS = ON_SECRETS | {Action.AUDIT_PATHS}
ADMIN = Scope(Action.ADMIN)

# What a scope begins with.
_WORDS = [action for action in Action if action is not Action.AUDIT_PATHS]
_WILDCARD = "*"
_BELOW = "/*"


def parse(text: str) -> Scope:
    """Parse a scope.

    Raises:
        InvalidFields: it is malformed; the message shows the syntax.
    """
    word, colon, pattern = text.partition(":")
    if word not in _WORDS:
        # The text is not repeated: it may be a token in the wrong field.
        raise _invalid(f"a scope begins with one of {', '.join(_WORDS)}")
    action = Action.AUDIT_PATHS if word == Action.AUDIT and colon else Action(word)
    if action not in ON_PATHS:
        if colon:
            raise _invalid(f"{word} takes no path")
        return Scope(action)
    if not is_pattern(pattern):
        raise _invalid(
            f"{word} takes a path: write {word}:team/app/db-password,"
            f" {word}:team/app/* for all below, or {word}:*"
        )
    return Scope(action, pattern)


def is_pattern(text: str) -> bool:
    """Return whether ``text`` is a pattern of paths: a path, ``folder/*``, or ``*``."""
    return text == _WILDCARD or paths.is_path(text.removesuffix(_BELOW))


def matches(pattern: str, path: str) -> bool:
    """Return whether a path is one of those that the pattern stands for."""
    if pattern == _WILDCARD:
        return True
    if pattern.endswith(_BELOW):
        return path.startswith(pattern.removesuffix(_WILDCARD))
    return path == pattern


def covering(path: str) -> list[Scope]:
    """Return every scope that allows something on the secret at ``path``."""
    segments = path.split("/")
    folders = ["/".join(segments[:depth]) + _BELOW for depth in range(1, len(segments))]
    patterns = [path, *folders, _WILDCARD]
    return [ADMIN, *(Scope(action, pattern) for action in sorted(ON_SECRETS) for pattern in patterns)]


def allows(scope: Scope, action: Action, path: str) -> bool:
    """Return whether ``scope`` allows ``action`` on the secret at ``path``."""
    if scope.action is Action.ADMIN or (scope.action is Action.AUDIT and action is Action.AUDIT_PATHS):
        return True
    return scope.action is action and scope.pattern is not None and matches(scope.pattern, path)


def implies(held: Iterable[Scope], requested: Scope) -> bool:
    """Return whether one of the held scopes allows everything that ``requested`` allows."""
    return any(_implies(scope, requested) for scope in held)


def _implies(scope: Scope, requested: Scope) -> bool:
    if scope.action is Action.ADMIN:
        return True
    if scope.action is Action.AUDIT and requested.action is Action.AUDIT_PATHS:
        return True
    if scope.action is not requested.action:
        return False
    if scope.pattern is None or requested.pattern is None:
        return scope.pattern == requested.pattern
    # Matching the pattern as if it were a path is right: `team/app/*` implies `team/app/x/*`, but not
    # `team/*`.
    return matches(scope.pattern, requested.pattern)


def _invalid(message: str) -> InvalidFields:
    return InvalidFields({"scopes": [message]})
