"""Who may do what: every decision about a caller's scopes, deny by default."""

from __future__ import annotations

from ..errors import Forbidden
from ..models import AccessFilter, Action, Principal
from . import scopes

# Who asks where nobody has to say who they are: a trusted network decides instead.
ANYONE = Principal("anonymous", (scopes.ADMIN,))
# Who asks on the machine itself, with the keys of the service in hand.
OPERATOR = Principal("operator", (scopes.ADMIN,))


def is_admin(principal: Principal) -> bool:
    """Return whether the caller may do everything."""
    return scopes.ADMIN in principal.scopes


def require(principal: Principal, action: Action) -> None:
    """Return where the caller holds an action, on whatever path.

    Raises:
        Forbidden: they do not.
    """
    if not (is_admin(principal) or any(scope.action is action for scope in principal.scopes)):
        raise Forbidden(f"the token lacks a scope for this: {action}")


def require_path(principal: Principal, action: Action, path: str) -> None:
    """Return where the caller holds an action on this path.

    Raises:
        Forbidden: they do not, whether there is such a path or not.
    """
    if not any(scopes.allows(scope, action, path) for scope in principal.scopes):
        raise Forbidden(f"the token lacks a scope for this path: {action}:{path}")


def access_filter(principal: Principal, action: Action) -> AccessFilter:
    """Return the secrets on which the caller may do ``action``; the database looks at no others."""
    if is_admin(principal):
        return AccessFilter(everything=True)
    patterns = [scope.pattern for scope in principal.scopes if scope.action is action and scope.pattern]
    return AccessFilter(
        paths=tuple(pattern for pattern in patterns if not pattern.endswith("*")),
        folders=tuple(pattern.removesuffix("*") for pattern in patterns if pattern.endswith("*")),
        owner=principal.actor,
    )
