"""access.scopes: what a scope allows, and which scopes it implies."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.access import scopes, token_format
from service.errors import InvalidFields
from service.models import Action, Scope

# Short, with few letters, so that Hypothesis finds similar ones.
PATHS = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4).map("/".join)
PATTERNS = PATHS | PATHS.map(lambda path: f"{path}/*") | st.just("*")
SCOPES = st.builds(Scope, st.sampled_from(sorted(scopes.ON_PATHS)), PATTERNS) | st.sampled_from(
    [Scope(Action.TOKEN), Scope(Action.AUDIT), Scope(Action.ADMIN)]
)


@given(scope=SCOPES)
def test_parses_what_it_prints(scope: Scope) -> None:
    """A scope is unchanged by printing and parsing it."""
    assert scope == scopes.parse(str(scope))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with one of create, fetch"),
        ("read:team/app", "begins with one of create, fetch"),
        ("Fetch:*", "begins with one of create, fetch"),
        ("*", "begins with one of create, fetch"),
        (" fetch:*", "begins with one of create, fetch"),
        ("fetch", "fetch takes a path"),
        ("fetch:", "fetch takes a path"),
        ("fetch:/*", "fetch takes a path"),
        ("fetch:**", "fetch takes a path"),
        ("fetch:team/*/db", "fetch takes a path"),
        ("fetch:team/*/*", "fetch takes a path"),
        ("fetch:team/app*", "fetch takes a path"),
        ("fetch:*/db", "fetch takes a path"),
        ("fetch:team/", "fetch takes a path"),
        ("fetch:../*", "fetch takes a path"),
        ("fetch:a\nadmin", "fetch takes a path"),
        ("fetch:*\n", "fetch takes a path"),
        ("admin:*", "admin takes no path"),
        ("admin:", "admin takes no path"),
        ("token:team/*", "token takes no path"),
        ("audit:", "audit takes a path"),
        ("audit:team/", "audit takes a path"),
        ("audit_paths", "begins with one of create, fetch"),
        ("audit_paths:*", "begins with one of create, fetch"),
        ("share:*", "share takes no path"),
    ],
    ids=repr,
)
def test_refuses_a_malformed_scope(text: str, says: str) -> None:
    """The error shows the syntax."""
    with pytest.raises(InvalidFields) as caught:
        scopes.parse(text)

    (message,) = caught.value.errors["scopes"]
    assert says in message


@pytest.mark.parametrize("before", ["", "fetch:", "fetch:team/"])
def test_does_not_repeat_a_token_in_the_wrong_field(before: str) -> None:
    """The message could end up on a terminal or in a log."""
    token = token_format.new().text
    with pytest.raises(InvalidFields) as caught:
        scopes.parse(before + token)

    assert token[21:40] not in str(caught.value.errors)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("scoped", Action)
@pytest.mark.parametrize(
    ("pattern", "held", "not_held"),
    [
        ("team/app", {"team/app"}, {"team/apple", "team/app/db", "team", "team/ap", "app", "x/team/app"}),
        (
            "team/app/*",
            {"team/app/db", "team/app/x/y"},
            {"team/app", "team/apple", "team/apple/db", "team/x"},
        ),
        ("team/*", {"team/app", "team/app/db"}, {"team", "teams/app", "x/team/app", "Team/app"}),
        ("*", {"team", "team/app", "team/app/db"}, set()),
    ],
)
def test_the_matrix(scoped: Action, action: Action, pattern: str, held: set[str], not_held: set[str]) -> None:
    """Action by scope by path: ``admin`` allows everything, ``audit`` the log of all paths."""
    on_paths = scoped in scopes.ON_PATHS
    scope = Scope(scoped, pattern if on_paths else None)
    everywhere = scoped is Action.ADMIN or (scoped, action) == (Action.AUDIT, Action.AUDIT_PATHS)
    allowed = held | not_held if everywhere else held if on_paths and scoped is action else set()

    assert allowed == {path for path in held | not_held if scopes.allows(scope, action, path)}


@pytest.mark.parametrize(
    ("held", "requested", "expected"),
    [
        ("fetch:team/*", "fetch:team/app/*", True),
        ("fetch:team/*", "fetch:team/app", True),
        ("fetch:team/*", "fetch:team/*", True),
        ("fetch:*", "fetch:*", True),
        ("fetch:*", "fetch:team/*", True),
        ("fetch:team/app", "fetch:team/app", True),
        ("admin", "fetch:*", True),
        ("admin", "admin", True),
        ("token", "token", True),
        ("fetch:team/app/*", "fetch:team/app", False),
        ("fetch:team/app/*", "fetch:team/*", False),
        ("fetch:team/app/*", "fetch:team/apple/*", False),
        ("fetch:team/app", "fetch:team/app/*", False),
        ("fetch:team/*", "fetch:*", False),
        ("fetch:*", "create:team/app", False),
        ("fetch:*", "admin", False),
        ("token", "admin", False),
        ("token", "fetch:a", False),
        ("audit", "token", False),
        ("audit", "audit:team/*", True),
        ("audit", "audit:*", True),
        ("audit:team/*", "audit:team/app/*", True),
        ("audit:*", "audit", False),
        ("audit:*", "fetch:team/app", False),
        ("audit:team/app", "audit:team/*", False),
        ("fetch:*", "audit:team/app", False),
    ],
)
def test_implies(held: str, requested: str, expected: bool) -> None:
    """A scope implies those that allow no more, and no others."""
    assert expected == scopes.implies([scopes.parse(held)], scopes.parse(requested))


@given(held=st.lists(SCOPES, max_size=4), requested=SCOPES, action=st.sampled_from(Action), path=PATHS)
@example([Scope(Action.FETCH, "a/*")], Scope(Action.FETCH, "a/*"), Action.FETCH, "a/b")
def test_never_implies_more_than_is_held(
    held: list[Scope], requested: Scope, action: Action, path: str
) -> None:
    """Whatever an implied scope allows, one of the held scopes allows too."""
    if scopes.implies(held, requested) and scopes.allows(requested, action, path):
        assert any(scopes.allows(scope, action, path) for scope in held)
    if requested.action is Action.ADMIN and scopes.implies(held, requested):
        assert scopes.ADMIN in held


@given(held=SCOPES, path=PATHS)
def test_implies_what_is_held(held: Scope, path: str) -> None:
    """A scope implies itself, and a scope for each path that it allows."""
    assert scopes.implies([held], held)
    if held.pattern and scopes.allows(held, held.action, path):
        assert scopes.implies([held], Scope(held.action, path))
