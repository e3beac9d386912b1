"""access.policy: an action is allowed only if a scope allows it."""

import pytest

from service.access import policy, scopes
from service.errors import Forbidden
from service.models import AccessFilter, Action, Principal, Scope


def principal(*texts: str) -> Principal:
    """Return a caller with these scopes."""
    return Principal("0f3a5b7c9d1e2f40", tuple(map(scopes.parse, texts)))


@pytest.mark.parametrize("action", Action)
def test_denies_by_default(action: Action) -> None:
    """A caller without scopes may do nothing."""
    with pytest.raises(Forbidden, match=f"lacks a scope for this: {action}"):
        policy.require(principal(), action)
    with pytest.raises(Forbidden, match=f"lacks a scope for this path: {Scope(action, 'a')}"):
        policy.require_path(principal(), action, "a")
    assert AccessFilter(owner="0f3a5b7c9d1e2f40") == policy.access_filter(principal(), action)


@pytest.mark.parametrize("action", Action)
def test_administrators_may_do_everything(action: Action) -> None:
    """The operator, every caller if authentication is disabled, and holders of ``admin``."""
    for admin in (policy.OPERATOR, policy.ANYONE, principal("admin")):
        policy.require(admin, action)
        policy.require_path(admin, action, "a")
        assert AccessFilter(everything=True) == policy.access_filter(admin, action)


def test_the_filter_has_what_the_scopes_name() -> None:
    """Paths, folders with their slash, and the caller's own secrets; for the one action only."""
    holder = principal("fetch:a/b", "fetch:c/*", "fetch:*", "create:d", "token")

    assert AccessFilter(paths=("a/b",), folders=("c/", ""), owner="0f3a5b7c9d1e2f40") == policy.access_filter(
        holder, Action.FETCH
    )
    assert AccessFilter(paths=("d",), owner="0f3a5b7c9d1e2f40") == policy.access_filter(holder, Action.CREATE)


def test_one_scope_of_many_is_enough() -> None:
    """It allows only its own action and path."""
    holder = principal("create:a/*", "fetch:b")

    policy.require(holder, Action.CREATE)
    policy.require_path(holder, Action.CREATE, "a/x")
    for action, path in ((Action.FETCH, "a/x"), (Action.CREATE, "b"), (Action.CREATE, "a")):
        with pytest.raises(Forbidden):
            policy.require_path(holder, action, path)
        assert not policy.has_scope(holder, action, path)
    assert policy.has_scope(holder, Action.CREATE, "a/x")


def test_the_filter_of_the_log_is_never_wider_than_the_scopes() -> None:
    """Only ``audit`` by itself and ``admin`` have all of it."""
    for whole in (principal("audit"), principal("admin"), principal("audit:a", "audit")):
        assert AccessFilter(everything=True) == policy.audit_filter(whole)
    assert AccessFilter(paths=("a/b",), folders=("c/",)) == policy.audit_filter(
        principal("audit:a/b", "audit:c/*", "fetch:*")
    )
    assert AccessFilter(folders=("",)) == policy.audit_filter(principal("audit:*"))
    for without in (principal(), principal("fetch:*", "token")):
        with pytest.raises(Forbidden, match="lacks a scope for this: audit"):
            policy.audit_filter(without)


def test_the_log_of_paths_gives_nothing_of_their_secrets() -> None:
    """Nor the rest of the log."""
    holder = principal("audit:*")

    assert not policy.reaches(holder, "")
    assert not any(policy.has_scope(holder, action, "a") for action in scopes.ON_SECRETS)
    with pytest.raises(Forbidden):
        policy.require(holder, Action.AUDIT)


def test_a_query_has_only_the_scopes_that_concern_its_paths() -> None:
    """However many there are, and however long."""
    fat = principal(
        *(f"fetch:{'x' * 400}/{number}/*" for number in range(100)), "fetch:a/*", "fetch:b", "fetch:*"
    )
    access = policy.access_filter(fat, Action.FETCH)

    assert AccessFilter(folders=("a/", ""), owner=access.owner) == policy.narrowed(access, ["a/c"])
    assert AccessFilter(paths=("b",), folders=("",), owner=access.owner) == policy.narrowed(access, ["b"])
    assert AccessFilter(everything=True) == policy.narrowed(AccessFilter(everything=True), ["a"])
