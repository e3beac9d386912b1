"""secrets.listing: what a caller may list, page by page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from pymongo.database import Database

from service.crypto import tags
from service.crypto.keyring import KeyRing
from service.models import AccessFilter, now
from service.records import Secret, Version
from service.secrets.listing import _ranges
from service.store import secret_documents
from tests.calls import ask
from tests.conftest import Clock

ONE = base64.b64encode(b"one").decode()
PATHS = ["a", "a/b", "a/b/c", "a/b0", "a0", "b", "team/app/db", "team/app/x/y", "team/apple", "team/z", "z"]


@pytest.fixture
def filled(client: FlaskClient, indexed: None) -> None:
    """A secret at each of the paths, and one without a path."""
    for path in PATHS:
        created = ask(
            client, "create/", secret=ONE, path=path, labels={"first": path[0], "length": str(len(path))}
        )
        assert 200 == created.status_code
    ask(client, "create/", secret=ONE)


def pages(client: FlaskClient, token: str | None = None, **query: Any) -> Iterator[dict[str, Any]]:
    """Return all pages of a list."""
    more: dict[str, Any] = {}
    while True:
        answer = ask(client, "list", token, **query, **more)
        assert 200 == answer.status_code, answer.text
        yield answer.json
        if answer.json["cursor"] is None:
            return
        more = {"cursor": answer.json["cursor"]}


def listed(client: FlaskClient, token: str | None = None, **query: Any) -> list[str]:
    """Return the paths and the folders of all pages."""
    return [
        entry
        for page in pages(client, token, **query)
        for entry in [*(secret["path"] for secret in page["secrets"]), *page["folders"]]
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_hold_every_path_once_and_in_order(client: FlaskClient, filled: None, limit: int) -> None:
    """This holds for every page size; a secret without a path is not listed by path."""
    found = list(pages(client, limit=limit))

    assert PATHS == [secret["path"] for page in found for secret in page["secrets"]]
    assert all(len(page["secrets"]) <= limit for page in found)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("prefix", "level"),
    [
        ({}, {"a", "a/", "a0", "b", "team/", "z"}),
        ({"prefix": "a"}, {"a", "a/", "a0"}),
        ({"prefix": "a/"}, {"a/b", "a/b/", "a/b0"}),
        ({"prefix": "team/"}, {"team/app/", "team/apple", "team/z"}),
        ({"prefix": "team/app"}, {"team/app/", "team/apple"}),
        ({"prefix": "nothing"}, set()),
    ],
    ids=lambda each: "".join(sorted(each)) if isinstance(each, set) else str(each),
)
def test_one_level_shows_names_and_folders(
    client: FlaskClient, filled: None, prefix: dict[str, str], level: set[str], limit: int
) -> None:
    """A name may be both a secret and a folder; nothing is listed twice, whatever the page size."""
    found = listed(client, recursive=False, limit=limit, **prefix)

    assert sorted(level) == sorted(found)


@pytest.mark.parametrize(
    ("scopes", "query", "expected"),
    [
        (["list:a"], {}, ["a"]),
        (["list:a/*"], {}, ["a/b", "a/b/c", "a/b0"]),
        (["list:a/*", "list:a/b", "list:z", "list:a/b/*"], {}, ["a/b", "a/b/c", "a/b0", "z"]),
        (["list:*"], {"prefix": "team/app"}, ["team/app/db", "team/app/x/y", "team/apple"]),
        (["list:team/app/*"], {"prefix": "team/"}, ["team/app/db", "team/app/x/y"]),
        (["list:team/app/*"], {"prefix": "team/app/x"}, ["team/app/x/y"]),
        (["list:team/app/*"], {"prefix": "a"}, []),
        (["list:team/app/*"], {"recursive": False}, ["team/"]),
        (["list:team/app/*", "fetch:*"], {"prefix": "team/", "recursive": False}, ["team/app/"]),
    ],
    ids=str,
)
def test_lists_what_the_scopes_allow(
    client: FlaskClient,
    guarded: FlaskClient,
    give: Callable[..., str],
    filled: None,
    scopes: list[str],
    query: dict[str, Any],
    expected: list[str],
) -> None:
    """Nothing else is listed, not even a folder."""
    assert expected == listed(guarded, give(*scopes), limit=2, **query)


def test_takes_a_scope_to_list(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """Other scopes are not enough."""
    assert 403 == ask(guarded, "list", give("fetch:*")).status_code


def test_secrets_without_a_path_belong_to_their_creator(
    client: FlaskClient, guarded: FlaskClient, give: Callable[..., str], filled: None
) -> None:
    """Besides their creator, only administrators see them."""
    mine, admin = give("create:*", "list:a"), give("admin")
    own = {ask(guarded, "create/", mine, secret=ONE).json["secret_id"] for _ in range(3)}
    ask(guarded, "create/", admin, secret=ONE)

    def unnamed(token: str) -> list[str]:
        return [
            s["secret_id"] for page in pages(guarded, token, unnamed=True, limit=2) for s in page["secrets"]
        ]

    assert sorted(own) == unnamed(mine)
    assert (5, True) == (len(unnamed(admin)), own < set(unnamed(admin)))


def test_finds_by_labels(client: FlaskClient, filled: None) -> None:
    """All given labels must match."""
    assert ["a", "a/b", "a/b/c", "a/b0", "a0"] == listed(client, labels={"first": "a"}, limit=2)
    assert ["a/b/c"] == listed(client, labels={"first": "a", "length": "5"})
    assert ["a/b/", "a/b0"] == sorted(listed(client, labels={"first": "a"}, prefix="a/", recursive=False))[1:]
    assert [] == listed(client, labels={"first": ""})
    assert PATHS == listed(client, labels={})


def test_deleted_secrets_have_a_list_of_their_own(client: FlaskClient, filled: None, clock: Clock) -> None:
    """Destroyed and expired secrets are in no list, nor are folders that contain nothing else."""
    ask(client, "delete", path="a/b/c")
    ask(client, "destroy", path="team/app/x/y")
    ask(client, "update", path="team/app/db", expires_in=60)
    clock.ahead = timedelta(seconds=61)

    assert ["a/b/c"] == listed(client, deleted=True)
    assert {"a/b/c", "team/app/x/y", "team/app/db"} == set(PATHS) - set(listed(client))
    assert ["team/apple", "team/z"] == listed(client, prefix="team/", recursive=False)
    assert ["a/b", "a/b0"] == listed(client, prefix="a/", recursive=False)
    ask(client, "undelete", path="a/b/c")
    assert [] == listed(client, deleted=True)


def test_pages_are_stable_while_secrets_come_and_go(client: FlaskClient, filled: None) -> None:
    """A secret that exists throughout is listed once, whatever changes before and after the page."""
    first = ask(client, "list", limit=4).json
    ask(client, "destroy", path="a")
    ask(client, "destroy", path="a/b0")
    ask(client, "create/", secret=ONE, path="a/a")
    ask(client, "create/", secret=ONE, path="c")

    rest = ask(client, "list", cursor=first["cursor"]).json

    assert PATHS[:4] == [secret["path"] for secret in first["secrets"]]
    assert ["a0", "b", "c", *PATHS[6:]] == [secret["path"] for secret in rest["secrets"]]


def test_an_altered_record_hides_no_other(client: FlaskClient, filled: None, database: Database) -> None:
    """It is not in the list; a call that names it gets an error."""
    database.secrets.update_many({"path": {"$in": ["a/b", "a/b/c"]}}, {"$set": {"labels": 5}})

    assert set(PATHS) - {"a/b", "a/b/c"} == set(listed(client, limit=1))
    assert {"a", "a/", "a0"} == set(listed(client, prefix="a", recursive=False, limit=1))
    assert 500 == ask(client, "describe", path="a/b").status_code


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"prefix": "many/"},
        {"labels": {"kind": "many"}},
        {"unnamed": True},
        {"deleted": True},
        {"prefix": "many/", "recursive": False},
    ],
    ids=str,
)
def test_a_page_costs_the_same_however_many_there_are(
    client: FlaskClient, indexed: None, database: Database, ring: KeyRing, query: dict[str, Any]
) -> None:
    """The database examines only as much as the page holds, as its profiler shows."""
    stamp = {"current": 1, "versions": (Version(1, None),), "created_at": None}
    label = {"labels": (("kind", "many"),)}
    secrets = [
        *(Secret(f"n{n:04}", path=f"many/{n % 500:03}/{n}", **label, **stamp) for n in range(1500)),
        *(Secret(f"d{n:04}", path=f"gone/{n}", deleted_at=now(), **stamp) for n in range(1500)),
        *(Secret(f"u{n:04}", **stamp) for n in range(1500)),
    ]
    database.secrets.insert_many(
        [{"_id": each.secret_id, **secret_documents.write(tags.sign_secret(each, ring))} for each in secrets]
    )
    first = ask(client, "list", **query, limit=10).json
    for more in ({}, {"cursor": first["cursor"]}):
        database["system.profile"].drop()
        database.command("profile", 2)
        page = ask(client, "list", **query, **more, limit=10).json
        database.command("profile", 0)
        profile = list(database["system.profile"].find({"ns": "vault.secrets"}))
        assert 10 == len(page["secrets"]) + len(page["folders"])
        assert 0 == sum(query["planSummary"] == "COLLSCAN" for query in profile)
        assert 22 >= sum(query["keysExamined"] for query in profile), profile
        assert 12 >= sum(query["docsExamined"] for query in profile), profile


_PATHS = st.text("ab/", min_size=1, max_size=4).filter(
    lambda text: not text.startswith("/") and not text.endswith("/") and "//" not in text
)


@given(
    paths=st.lists(_PATHS, max_size=4),
    folders=st.lists(_PATHS.map(lambda path: path + "/") | st.just(""), max_size=4),
    prefix=_PATHS | st.just(""),
    path=_PATHS,
)
def test_ranges_contain_the_accessible_paths_and_nothing_else(
    paths: list[str], folders: list[str], prefix: str, path: str
) -> None:
    """They are sorted and disjoint."""
    ranges = _ranges(AccessFilter(paths=tuple(paths), folders=tuple(folders)), prefix)

    within = path.startswith(prefix) and (path in paths or any(path.startswith(folder) for folder in folders))
    assert within == (1 == sum(first <= path < end for first, end in ranges))
    ends = [end for range_ in ranges for end in range_]
    assert sorted(ends) == ends
