"""vault.policy: nothing is allowed that no scope allows."""

import pytest

from service.access import policy, scopes
from service.errors import Forbidden
from service.models import AccessFilter, Action, Principal


def principal(*texts: str) -> Principal:
    """Return somebody with these scopes."""
    return Principal("0f3a5b7c9d1e2f40", tuple(map(scopes.parse, texts)))


@pytest.mark.parametrize("action", Action)
def test_denies_by_default(action: Action) -> None:
    """Whoever has no scope may do nothing."""
    with pytest.raises(Forbidden, match=f"lacks a scope for this: {action}"):
        policy.require(principal(), action)
    with pytest.raises(Forbidden, match=f"lacks a scope for this path: {action}:a"):
        policy.require_path(principal(), action, "a")
    assert AccessFilter(owner="0f3a5b7c9d1e2f40") == policy.access_filter(principal(), action)


@pytest.mark.parametrize("action", Action)
def test_administrators_may_do_everything(action: Action) -> None:
    """The operator, anybody where authentication is off, and who holds admin."""
    for one in (policy.OPERATOR, policy.ANYONE, principal("admin")):
        policy.require(one, action)
        policy.require_path(one, action, "a")
        assert AccessFilter(everything=True) == policy.access_filter(one, action)


def test_reaches_what_the_scopes_name() -> None:
    """Paths, folders with their slash, and one's own; of the one action only."""
    holder = principal("fetch:a/b", "fetch:c/*", "fetch:*", "create:d", "token")

    assert AccessFilter(paths=("a/b",), folders=("c/", ""), owner="0f3a5b7c9d1e2f40") == policy.access_filter(
        holder, Action.FETCH
    )
    assert AccessFilter(paths=("d",), owner="0f3a5b7c9d1e2f40") == policy.access_filter(holder, Action.CREATE)


def test_one_scope_of_many_is_enough() -> None:
    """But only for its own action and path."""
    holder = principal("create:a/*", "fetch:b")

    policy.require(holder, Action.CREATE)
    policy.require_path(holder, Action.CREATE, "a/x")
    for action, path in ((Action.FETCH, "a/x"), (Action.CREATE, "b"), (Action.CREATE, "a")):
        with pytest.raises(Forbidden):
            policy.require_path(holder, action, path)
