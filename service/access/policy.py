"""Authorization: every decision about a caller's scopes, deny by default."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from ..errors import ConfirmationRequired, Forbidden
from ..models import AccessFilter, Action, Principal, Scope, now
from . import scopes

# How long after its token was shown a session may do what outlives it.
CONFIRMED_FOR = timedelta(minutes=10)

# Every caller, if authentication is disabled (on a trusted network).
ANYONE = Principal("anonymous", (scopes.ADMIN,))
# Who runs the command line, and so holds the service's keys.
OPERATOR = Principal("operator", (scopes.ADMIN,))


def is_admin(principal: Principal) -> bool:
    """Return whether the caller has the scope ``admin``."""
    return scopes.ADMIN in principal.scopes


def require(principal: Principal, action: Action) -> None:
    """Check that the caller has a scope for this action, on any path.

    Raises:
        Forbidden: they do not.
    """
    if not (is_admin(principal) or any(scope.action is action for scope in principal.scopes)):
        raise Forbidden(f"the token lacks a scope for this: {action}")


def require_confirmed(principal: Principal) -> None:
    """Check that the caller shows a token, or a session in which the token was shown a moment ago.

    Whoever steals a session must not turn it into something that lasts: a token, an AppRole or a secret id.

    Raises:
        ConfirmationRequired: it is a session, and that was too long ago.
    """
    if principal.session is not None and principal.session.confirmed_at + CONFIRMED_FOR <= now():
        raise ConfirmationRequired


def require_path(principal: Principal, action: Action, path: str) -> None:
    """Check that the caller has a scope for this action on this path.

    Raises:
        Forbidden: they do not, whether the path exists or not.
    """
    if not has_scope(principal, action, path):
        raise Forbidden(f"the token lacks a scope for this path: {Scope(action, path)}")


def has_scope(principal: Principal, action: Action, path: str) -> bool:
    """Return whether the caller has a scope for this action on this path."""
    return any(scopes.allows(scope, action, path) for scope in principal.scopes)


def reaches(principal: Principal, folder: str, action: Action | None = None) -> bool:
    """Return whether the caller has a scope for this action on a path in a folder.

    Without an action, any on secrets will do but delivering.  The folder has its slash; the empty one has
    every path.
    """
    if is_admin(principal):
        return True
    # Deliveries are for others than the caller.
    actions = {action} if action else scopes.ON_SECRETS - {Action.DELIVER}
    for scope in principal.scopes:
        if scope.action in actions and scope.pattern is not None:
            start = scope.pattern.removesuffix("*")
            if start.startswith(folder) or (start != scope.pattern and folder.startswith(start)):
                return True
    return False


def require_on(principal: Principal, action: Action, path: str | None, owner: str | None) -> None:
    """Check that the caller may do this to a secret at this path, or without one and with this owner.

    Raises:
        Forbidden: they may not.  The path is not named: they may have named the secret by its id.
    """
    if path is None:
        allowed = is_admin(principal) or (owner is not None and owner == principal.actor)
    else:
        allowed = has_scope(principal, action, path)
    if not allowed:
        raise Forbidden(f"the token lacks a scope for this change: it needs {action} on the secret as well")


def access_filter(principal: Principal, action: Action) -> AccessFilter:
    """Return the filter for the secrets on which the caller may do ``action``; queries apply it."""
    if is_admin(principal):
        return AccessFilter(everything=True)
    patterns = [scope.pattern for scope in principal.scopes if scope.action is action and scope.pattern]
    return AccessFilter(
        paths=tuple(pattern for pattern in patterns if not pattern.endswith("*")),
        folders=tuple(pattern.removesuffix("*") for pattern in patterns if pattern.endswith("*")),
        owner=principal.actor,
    )


def audit_filter(principal: Principal) -> AccessFilter:
    """Return the filter for the paths about which the caller may search the audit log, or one for all of it.

    Raises:
        Forbidden: they may search for nothing.
    """
    if has_whole_log(principal):
        return AccessFilter(everything=True)
    found = replace(access_filter(principal, Action.AUDIT_PATHS), owner="")
    if not (found.paths or found.folders):
        raise Forbidden(f"the token lacks a scope for this: {Action.AUDIT}")
    return found


def has_whole_log(principal: Principal) -> bool:
    """Return whether the caller may see every record of the audit log."""
    return is_admin(principal) or Scope(Action.AUDIT) in principal.scopes


def narrowed(access: AccessFilter, paths: Collection[str]) -> AccessFilter:
    """Return the filter without what does not concern these paths: its size is not its token's choice."""
    folders = (each for each in access.folders if any(path.startswith(each) for path in paths))
    return replace(
        access, paths=tuple(path for path in access.paths if path in paths), folders=tuple(folders)
    )
