"""secrets.listing: finds secrets by words and by their end, within what the caller may list."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.models import now
from tests.calls import ask

FAR = "9999-12-31T23:59:59-23:00"


@pytest.fixture
def stored(client: FlaskClient) -> None:
    """Some secrets."""
    for path, more in {
        "team/billing/db-password": {"labels": {"env": "Prod"}},
        "team/billing/api.key": {"labels": {"env": "test"}, "expires_in": 3600},
        "team/shop/DB": {"labels": {"owner": "Größe"}, "expires_in": 360_000},
        "other/db": {},
    }.items():
        assert 200 == ask(client, "create/", path=path, secret="YQ==", **more).status_code


def found(client: FlaskClient, token: str | None = None, **query: Any) -> list[str]:
    """Return the paths, over all pages."""
    paths: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = ask(client, "list", token, limit=1, **query, **cursor)
        assert 200 == page.status_code, page.text
        paths += [secret["path"] for secret in page.json["secrets"]]
        if page.json["cursor"] is None:
            return paths
        cursor = {"cursor": page.json["cursor"]}


@pytest.mark.parametrize(
    ("match", "paths"),
    [
        ("db", ["other/db", "team/billing/db-password", "team/shop/DB"]),
        ("DB team", ["team/billing/db-password", "team/shop/DB"]),
        ("prod", ["team/billing/db-password"]),
        ("ENV billing", ["team/billing/api.key", "team/billing/db-password"]),
        ("api.key", ["team/billing/api.key"]),
        ("api.k.y", []),
        (".*", []),
        ("größe", ["team/shop/DB"]),
        ("db nowhere", []),
        ("  ", ["other/db", "team/billing/api.key", "team/billing/db-password", "team/shop/DB"]),
    ],
)
@pytest.mark.usefixtures("stored")
def test_every_word_is_somewhere(client: FlaskClient, match: str, paths: list[str]) -> None:
    """In the path or in a label, in upper or lower case; nothing in a word is a pattern."""
    assert paths == found(client, match=match)


@pytest.mark.usefixtures("stored")
def test_what_ends_soon(client: FlaskClient) -> None:
    """Not what has no end."""
    at = now().timestamp()

    def before(seconds: int) -> str:
        return now().fromtimestamp(at + seconds, now().tzinfo).isoformat()

    assert ["team/billing/api.key"] == found(client, ends_before=before(7200))
    assert ["team/billing/api.key", "team/shop/DB"] == found(client, ends_before=before(400_000))
    assert ["team/shop/DB"] == found(client, ends_before=before(400_000), match="shop")
    assert [] == found(client, ends_before=before(60))


@pytest.mark.usefixtures("stored")
def test_finds_only_what_the_caller_may_list(
    client: FlaskClient, guarded: FlaskClient, give: Callable[..., str]
) -> None:
    """And within the prefix, and one level at a time if that is asked for."""
    assert ["team/shop/DB"] == found(guarded, give("list:team/shop/*"), match="db")
    assert ["other/db"] == found(guarded, give("list:other/*", "list:team/x/*"), match="db")
    assert ["team/shop/DB"] == found(client, match="db", prefix="team/shop/")
    level = ask(client, "list", match="password", prefix="team/", recursive=False).json
    assert (["team/billing/"], []) == (level["folders"], level["secrets"])


@pytest.mark.parametrize(
    "query",
    [{"match": "a b c d e f g h i"}, {"match": "a" * 257}, {"ends_before": "soon"}, {"ends_before": FAR}],
)
def test_refuses_what_makes_no_sense(client: FlaskClient, query: dict[str, str]) -> None:
    """Too many words, and what is no time."""
    assert 422 == ask(client, "list", **query).status_code
