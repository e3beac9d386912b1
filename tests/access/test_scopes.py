"""vault.scopes: what a scope allows, and that nobody gives what they do not hold."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.access import scopes, token_format
from service.errors import InvalidFields
from service.models import Action, Scope

# Short, of few letters, so that Hypothesis meets those that are alike.
PATHS = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4).map("/".join)
PATTERNS = PATHS | PATHS.map(lambda path: f"{path}/*") | st.just("*")
SCOPES = st.builds(Scope, st.sampled_from(sorted(scopes.ON_PATHS)), PATTERNS) | st.sampled_from(
    [Scope(Action.TOKEN), Scope(Action.AUDIT), Scope(Action.ADMIN)]
)


@given(scope=SCOPES)
def test_reads_what_it_writes(scope: Scope) -> None:
    """As text and back."""
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
        ("audit:*", "audit takes no path"),
    ],
    ids=repr,
)
def test_refuses_what_is_no_scope(text: str, says: str) -> None:
    """And shows how one looks."""
    with pytest.raises(InvalidFields) as caught:
        scopes.parse(text)

    (message,) = caught.value.errors["scopes"]
    assert says in message


@pytest.mark.parametrize("before", ["", "fetch:", "fetch:team/"])
def test_repeats_no_token_that_went_into_the_wrong_field(before: str) -> None:
    """Neither in the answer nor, with it, on a terminal."""
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
    """Action by scope by path: the same action on those paths; for administrators, everything."""
    on_paths = scoped in scopes.ON_PATHS
    scope = Scope(scoped, pattern if on_paths else None)
    allowed = held | not_held if scoped is Action.ADMIN else held if on_paths and scoped is action else set()

    assert allowed == {path for path in held | not_held if scopes.allows(scope, action, path)}


@pytest.mark.parametrize(
    ("holder", "wanted", "given_"),
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
    ],
)
def test_gives(holder: str, wanted: str, given_: bool) -> None:
    """What lies within what is held, and nothing that only looks so."""
    assert given_ == scopes.implies([scopes.parse(holder)], scopes.parse(wanted))


@given(holder=st.lists(SCOPES, max_size=4), wanted=SCOPES, action=st.sampled_from(Action), path=PATHS)
@example([Scope(Action.FETCH, "a/*")], Scope(Action.FETCH, "a/*"), Action.FETCH, "a/b")
def test_never_gives_more_than_is_held(holder: list[Scope], wanted: Scope, action: Action, path: str) -> None:
    """Whatever the given scope allows, one of the holder's allows too."""
    if scopes.implies(holder, wanted) and scopes.allows(wanted, action, path):
        assert any(scopes.allows(scope, action, path) for scope in holder)
    if wanted.action is Action.ADMIN and scopes.implies(holder, wanted):
        assert scopes.ADMIN in holder


@given(holder=SCOPES, path=PATHS)
def test_gives_what_is_held(holder: Scope, path: str) -> None:
    """And is no stricter than it must be: itself, and each path that it holds."""
    assert scopes.implies([holder], holder)
    if holder.pattern and scopes.allows(holder, holder.action, path):
        assert scopes.implies([holder], Scope(holder.action, path))
