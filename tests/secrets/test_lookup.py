"""secrets.lookup: which caller finds which secret, and that the others stay hidden.

Tested over HTTP with a real database, because the whole response counts.
"""

import base64
import os
import statistics
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from tests.calls import BATCH, CREATE, FETCH, OF_CALLERS, ask, id_of, post
from tests.conftest import MASTER_KEY

HELLO = base64.b64encode(b"hello").decode()
OTHER = base64.b64encode(b"other").decode()


@pytest.fixture
def admin(give: Callable[..., str]) -> str:
    """An administrator's token."""
    return give("admin")


def create(guarded: FlaskClient, token: str | None, path: str | None = None, secret: str = HELLO) -> str:
    """Store a secret and return its id."""
    body = {"secret": secret} if path is None else {"secret": secret, "path": path}
    answer = post(guarded, CREATE, body, token)
    assert 200 == answer.status_code, answer.text
    return str(answer.json["secret_id"])


def said(answer: TestResponse) -> tuple[int, dict[str, Any]]:
    """Return status and body, without the request id, which always differs."""
    return answer.status_code, {name: value for name, value in answer.json.items() if name != "request_id"}


NOT_FOUND = (
    404,
    {"type": "/problems/secret-not-found", "title": "Not Found", "status": 404, "detail": "Secret not found"},
)


def test_a_secret_has_a_path_and_an_id(guarded: FlaskClient, admin: str) -> None:
    """The path and the id name the same secret."""
    secret_id = create(guarded, admin, "team/app/db-password")

    by_path = post(guarded, FETCH, {"path": "team/app/db-password"}, admin)
    by_id = post(guarded, FETCH, {"secret_id": secret_id}, admin)

    assert by_path.json == by_id.json
    assert (secret_id, HELLO, "team/app/db-password") == (
        by_path.json["secret_id"],
        by_path.json["secret"],
        by_path.json["path"],
    )


def test_a_path_is_taken_once(
    guarded: FlaskClient, give: Callable[..., str], admin: str, indexed: None
) -> None:
    """The second gets 409; a caller who may not create there does not learn that the path is taken."""
    create(guarded, admin, "team/app")

    taken = post(guarded, CREATE, {"secret": OTHER, "path": "team/app"}, admin)
    elsewhere = give("create:other/*")

    assert (409, "another secret has this path: choose another") == (
        taken.status_code,
        taken.json["detail"],
    )
    assert HELLO == post(guarded, FETCH, {"path": "team/app"}, admin).json["secret"]
    for path in ("team/app", "team/free"):
        refused = post(guarded, CREATE, {"secret": OTHER, "path": path}, elsewhere)
        assert (403, f"the token lacks a scope for this path: create:{path}") == (
            refused.status_code,
            refused.json["detail"],
        )
    create(guarded, elsewhere, "other/app")


def test_a_secret_without_a_path_is_its_token_s(
    guarded: FlaskClient, give: Callable[..., str], admin: str, client: FlaskClient
) -> None:
    """Administrators can fetch it too, but no other token with the same scopes."""
    mine, same_scopes, nothing = give("create:*", "fetch:*"), give("create:*", "fetch:*"), give("fetch:*")
    own = create(guarded, mine)
    ownerless = post(client, CREATE, {"secret": HELLO}).json["secret_id"]

    assert 403 == post(guarded, CREATE, {"secret": HELLO}, nothing).status_code
    for token, secret_id, status in (
        (mine, own, 200),
        (admin, own, 200),
        (same_scopes, own, 404),
        (nothing, own, 404),
        (admin, ownerless, 200),
        (mine, ownerless, 404),
    ):
        assert status == post(guarded, FETCH, {"secret_id": secret_id}, token).status_code


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("fetch:team/app", {"team/app"}),
        ("fetch:team/app/*", {"team/app/db", "team/app/x/y"}),
        ("fetch:team/*", {"team/app", "team/app/db", "team/app/x/y", "team/apple"}),
        ("fetch:*", {"team/app", "team/app/db", "team/app/x/y", "team/apple", "t"}),
        ("fetch:tea", set()),
        ("fetch:t/*", set()),
        ("create:*", set()),
        ("list:*", set()),
        ("update:*", set()),
        ("delete:*", set()),
        ("token", set()),
        ("audit", set()),
    ],
)
def test_finds_what_the_scopes_allow(
    guarded: FlaskClient, give: Callable[..., str], admin: str, scope: str, expected: set[str]
) -> None:
    """This holds by path, by id and in a batch; other secrets are not found."""
    ids = {
        path: create(guarded, admin, path)
        for path in ("team/app", "team/app/db", "team/app/x/y", "team/apple", "t")
    }
    token = give(scope)

    for path, secret_id in ids.items():
        for body in ({"path": path}, {"secret_id": secret_id}):
            answer = post(guarded, FETCH, body, token)
            if path in expected:
                assert (200, HELLO) == (answer.status_code, answer.json["secret"])
            else:
                assert NOT_FOUND == said(answer)
    batch = post(guarded, BATCH, {"secrets": [{"path": path} for path in ids]}, token).json["secrets"]
    assert expected == {result["path"] for result in batch if "secret" in result}


def test_a_batch_answers_each_in_its_order(
    guarded: FlaskClient, give: Callable[..., str], admin: str, database: Database
) -> None:
    """Found, missing, hidden, altered, malformed, duplicate: each has its own result and its own record."""
    token, unknown = give("fetch:team/*"), str(uuid.uuid4())
    found, hidden = create(guarded, admin, "team/found"), create(guarded, admin, "other/hidden")
    altered, broken = create(guarded, admin, "team/altered"), create(guarded, admin, "team/broken")
    database.secrets.update_one({"_id": altered}, {"$set": {"versions.0.payload": b"x" * 60}})
    database.secrets.update_one({"_id": broken}, {"$set": {"versions": 5}})
    database.audit_logs.delete_many({})

    answer = post(
        guarded,
        BATCH,
        {
            "secrets": [
                {"secret_id": unknown},
                {"path": "team/found"},
                {"path": "other/hidden"},
                {"path": "team/altered"},
                {"secret_id": found},
                {"secret_id": broken},
                {"path": "team/missing"},
                {"secret_id": hidden},
                {"path": "team/found"},
            ]
        },
        token,
    )

    assert 200 == answer.status_code
    results = answer.json["secrets"]
    missing = {"status": 404, "detail": "Secret not found", "type": "/problems/secret-not-found"}
    assert [404, None, 404, 500, None, 500, 404, 404, None] == [result.get("status") for result in results]
    assert [missing] * 4 == [result for result in results if result.get("status") == 404]
    assert [found] * 3 == [result["secret_id"] for result in results if "secret" in result]
    assert [HELLO] * 3 == [result["secret"] for result in results if "secret" in result]
    assert [
        ("failure", "not found", unknown, None),
        ("success", None, found, "team/found"),
        ("failure", "forbidden", None, "other/hidden"),
        ("failure", "tampered", altered, "team/altered"),
        ("success", None, found, "team/found"),
        ("failure", "tampered", broken, None),
        ("failure", "not found", None, "team/missing"),
        ("failure", "forbidden", hidden, None),
        ("success", None, found, "team/found"),
    ] == [
        (record["status"], record["reason"], record["secret_id"], record["path"])
        for record in database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)])
    ]
    assert [id_of(token)] == database.audit_logs.distinct("actor", OF_CALLERS)
    assert [answer.headers["X-Request-ID"]] == database.audit_logs.distinct("request_id", OF_CALLERS)
    assert 'vault_crypto_failures_total{reason="tampered"} 0.0' not in guarded.get("/metrics").text


def test_a_batch_takes_a_hundred(guarded: FlaskClient, admin: str, database: Database) -> None:
    """100 paths of maximum length fit; 101 are always refused."""
    paths = [{"path": f"{number:03}/" + "x" * 508} for number in range(101)]

    assert [404] * 100 == [
        result["status"] for result in post(guarded, BATCH, {"secrets": paths[:100]}, admin).json["secrets"]
    ]
    assert 100 == database.audit_logs.count_documents({"operation": "fetch", "reason": "not found"})
    assert 422 == post(guarded, BATCH, {"secrets": paths}, admin).status_code


@pytest.mark.parametrize("all_or_nothing", [False, True])
def test_a_batch_returns_up_to_16_mib(
    make_client: Callable[..., FlaskClient], database: Database, all_or_nothing: bool
) -> None:
    """A hundred small values whatever the limit for one; if it is too much, no read is used up."""
    client = make_client(MAX_SECRET_BYTES=str(4 * 2**20))
    value = base64.b64encode(bytes(4 * 2**20)).decode()
    large = [create(client, None, f"large/{number}", secret=value) for number in range(4)]
    small = create(client, None, "small")
    limited = ask(client, "create/", secret=HELLO, max_reads=1).json["secret_id"]

    def fetch(*ids: str) -> TestResponse:
        names = [{"secret_id": secret_id} for secret_id in ids]
        return client.post(BATCH, json={"secrets": names, "all_or_nothing": all_or_nothing})

    assert [HELLO] * 100 == [each["secret"] for each in fetch(*[small] * 100).json["secrets"]]
    assert [value] * 4 == [each["secret"] for each in fetch(*large).json["secrets"]]
    refused = fetch(limited, *large, large[0])
    assert 422 == refused.status_code
    assert "too large: one call returns values of 16777216 bytes together" in str(refused.json["errors"])
    assert 6 == database.audit_logs.count_documents({"operation": "fetch", "reason": "invalid fields"})
    assert HELLO == fetch(limited).json["secrets"][0]["secret"]


def test_a_batch_that_cannot_be_recorded_is_not_returned(
    guarded: FlaskClient, admin: str, database: Database
) -> None:
    """The response is 503 and contains no value."""
    create(guarded, admin, "a")
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})

    answer = post(guarded, BATCH, {"secrets": [{"path": "a"}, {"path": "b"}]}, admin)

    assert 503 == answer.status_code
    assert HELLO not in answer.text


def test_a_hidden_secret_looks_like_a_missing_one(
    guarded: FlaskClient, give: Callable[..., str], admin: str, database: Database
) -> None:
    """Status, body and headers are the same; only the audit log knows the difference."""
    hidden, token = create(guarded, admin, "other/app"), give("fetch:team/*", "create:team/*")
    database.audit_logs.delete_many({})

    answers = [
        post(guarded, FETCH, body, token)
        for body in (
            {"path": "other/app"},
            {"path": "other/none"},
            {"secret_id": hidden},
            {"secret_id": str(uuid.uuid4())},
        )
    ]

    assert [NOT_FOUND] * 4 == [said(answer) for answer in answers]
    assert 1 == len({frozenset(dict(answer.headers, **{"X-Request-ID": ""}).items()) for answer in answers})
    assert ["forbidden", "not found"] * 2 == [
        record["reason"] for record in database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)])
    ]


# What each operation needs besides a name, and the scope that it takes.
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "fetch": ("fetch", {}),
    "update": ("update", {"secret": OTHER}),
    "describe": ("list", {}),
    "delete": ("delete", {}),
    "undelete": ("delete", {}),
    "destroy": ("delete", {}),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_takes_its_own_scope(
    guarded: FlaskClient, give: Callable[..., str], admin: str, operation: str
) -> None:
    """With any other scope the secret is not found, in whatever state it is."""
    scope, more = OPERATIONS[operation]
    holder = give(f"{scope}:team/*")
    others = give(
        *(f"{action}:team/*" for action in ("create", "fetch", "list", "update", "delete") if action != scope)
    )
    for state in ("live", "delete", "destroy"):
        secret_id = create(guarded, admin, f"team/{state}")
        if state != "live":
            ask(guarded, state, admin, secret_id=secret_id)
        for body in ({"path": f"team/{state}"}, {"secret_id": secret_id}):
            assert NOT_FOUND == said(ask(guarded, operation, others, **body, **more))
            assert NOT_FOUND != said(ask(guarded, operation, holder, **body, **more))


@pytest.fixture
def large(guarded: FlaskClient, admin: str) -> str:
    """The id of a large secret at other/large."""
    return create(guarded, admin, "other/large", base64.b64encode(os.urandom(60_000)).decode())


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("state", ["live", "delete", "destroy"])
def test_a_hidden_secret_costs_the_same_queries(
    guarded: FlaskClient,
    give: Callable[..., str],
    admin: str,
    large: str,
    database: Database,
    operation: str,
    state: str,
) -> None:
    """The queries are the same, and none transfers the value; unlike time, this can be measured exactly."""
    scope, more = OPERATIONS[operation]
    if state != "live":
        ask(guarded, state, admin, secret_id=large)
    token = give(f"{scope}:team/*")
    for pair in (
        ({"secret_id": large}, {"secret_id": str(uuid.uuid4())}),
        ({"path": "other/large"}, {"path": "other/nowhe"}),
    ):
        seen = []
        for body in pair:
            database["system.profile"].drop()
            database.command("profile", 2)
            assert NOT_FOUND == said(ask(guarded, operation, token, **body, **more))
            database.command("profile", 0)
            profile = database["system.profile"].find({"ns": "vault.secrets"}, sort=[("ts", 1)])
            seen.append([query["responseLength"] for query in profile])

        hidden, missing = seen
        assert (2 if "secret_id" in pair[0] else 3) == len(hidden) == len(missing)
        assert (missing[0], missing[2:]) == (hidden[0], hidden[2:])
        # The second query fetches what the audit log needs: only the id and the path.
        assert hidden[1] - missing[1] < 100


def test_a_hidden_secret_takes_no_longer(
    guarded: FlaskClient, give: Callable[..., str], large: str, database: Database
) -> None:
    """Measured alternately, so that other load affects both alike; medians, because load comes in spikes.

    The bound is generous because a shared machine is noisy: this finds a gross difference. A small one,
    such as a value that is transferred needlessly (4 % here), is found by the test above.
    """
    token = give("fetch:team/*")
    bodies = {"hidden": {"secret_id": large}, "missing": {"secret_id": str(uuid.uuid4())}}
    took: dict[str, list[float]] = {name: [] for name in bodies}
    for number in range(150):
        for name in sorted(bodies, reverse=number % 2 == 1):
            started = time.perf_counter()
            assert 404 == post(guarded, FETCH, bodies[name], token).status_code
            took[name].append(time.perf_counter() - started)

    ratio = statistics.median(took["hidden"]) / statistics.median(took["missing"])
    assert 0.8 < ratio < 1.25, took


def swap_paths(database: Database, one: str, other: str) -> None:
    """Exchange the paths of two secrets."""
    database.secrets.update_one({"_id": one}, {"$set": {"path": "between"}})
    database.secrets.update_one({"_id": other}, {"$set": {"path": "team/app"}})
    database.secrets.update_one({"_id": one}, {"$set": {"path": "other/app"}})


def test_exchanged_paths_are_detected(
    guarded: FlaskClient, admin: str, give: Callable[..., str], database: Database
) -> None:
    """Write access to the database does not allow serving another value at a path."""
    one, other = create(guarded, admin, "team/app"), create(guarded, admin, "other/app", OTHER)
    swap_paths(database, one, other)

    for token in (admin, give("fetch:team/*")):
        for body in ({"path": "team/app"}, {"secret_id": other}):
            answer = post(guarded, FETCH, body, token)
            assert (500, "the record cannot be opened: does not authenticate") == (
                answer.status_code,
                answer.json["detail"],
            )
            assert OTHER not in answer.text
    assert {"tampered"} == set(database.audit_logs.distinct("reason")) - {None}


@pytest.mark.parametrize(
    "altered",
    [
        {"$set": {"owner": "@me"}},
        {"$set": {"owner": "@me"}, "$unset": {"path": True}},
        {"$set": {"owner": "@me"}, "$unset": {"path": True, "tag": True}},
        {"$set": {"path": "team/mine"}},
        {"$set": {"path": "team/mine"}, "$unset": {"tag": True}},
        {"$set": {"path": "team/mine", "tag": b"\x02" + bytes(40)}},
        {"$set": {"path": "team/mine", "tag": "@other"}},
        {"$set": {"path": ["team/mine"]}},
    ],
    ids=str,
)
def test_a_forged_owner_or_path_is_detected(
    guarded: FlaskClient, admin: str, give: Callable[..., str], database: Database, altered: dict[str, Any]
) -> None:
    """An attacker writes themselves, or a path that they may fetch, into a secret's document."""
    token = give("fetch:team/*", "create:team/*")
    secret_id, mine = create(guarded, admin, "other/app"), create(guarded, token, "team/mine-too")
    tag = database.secrets.find_one({"_id": mine})["tag"]
    meant = {"@me": id_of(token), "@other": tag}
    database.secrets.update_one(
        {"_id": secret_id},
        {
            how: {name: meant.get(str(value), value) for name, value in fields.items()}
            for how, fields in altered.items()
        },
    )

    answer = post(guarded, FETCH, {"secret_id": secret_id}, token)

    assert 500 == answer.status_code
    assert HELLO not in answer.text


def test_a_forged_destruction_is_detected(
    guarded: FlaskClient, admin: str, give: Callable[..., str], database: Database
) -> None:
    """A secret destroyed at one path cannot be presented as destroyed at another."""
    destroyed = create(guarded, admin, "other/app")
    ask(guarded, "destroy", admin, secret_id=destroyed)
    database.secrets.update_one({"_id": destroyed}, {"$set": {"former_path": "team/app"}})

    answer = ask(guarded, "fetch", give("fetch:team/*"), path="team/app")

    assert (500, "the record cannot be opened: does not authenticate") == (
        answer.status_code,
        answer.json["detail"],
    )


@pytest.mark.parametrize("binding", [{"path": "team/app"}, {"owner": "@me"}], ids=str)
def test_a_record_of_an_earlier_implementation_cannot_be_given_a_path(
    guarded: FlaskClient, admin: str, give: Callable[..., str], database: Database, binding: dict[str, str]
) -> None:
    """Its ciphertext is not bound to a path or owner, so one written into the document is rejected."""
    create(guarded, admin, "other/app")
    token, nonce, secret_id = give("fetch:team/*"), bytes(range(12)), str(uuid.uuid4())
    record = base64.b64encode(nonce + AESGCM(MASTER_KEY).encrypt(nonce, b"hello", None)).decode()
    binding = {name: id_of(token) if value == "@me" else value for name, value in binding.items()}
    database.secrets.insert_one({"_id": secret_id, "ciphertext": record, **binding})

    answer = post(guarded, FETCH, {"secret_id": secret_id}, token)

    assert (500, False) == (answer.status_code, HELLO in answer.text)


def test_does_not_record_a_malformed_path(guarded: FlaskClient, admin: str, database: Database) -> None:
    """A value in the wrong field must not get into the log; nor must a token, which looks like a path."""
    for text in ("my secret password!", "x" * 600, admin):
        assert 422 == post(guarded, CREATE, {"secret": HELLO, "path": text}, admin).status_code
        assert 422 == post(guarded, FETCH, {"path": text}, admin).status_code
        assert 422 == post(guarded, BATCH, {"secrets": [{"path": "a"}, {"path": text}]}, admin).status_code

    records = list(database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)]))
    assert [None, None, None] * 3 == [record["path"] for record in records]
    assert {"invalid fields"} == {record["reason"] for record in records}


@pytest.mark.parametrize("by", ["path", "secret_id"])
def test_a_query_does_not_grow_with_the_scopes(
    guarded: FlaskClient, give: Callable[..., str], admin: str, database: Database, by: str
) -> None:
    """A token with a hundred of them reaches what they name, and its query names no other folder."""
    fat = give(*(f"fetch:folder{number}/*" for number in range(100)), "fetch:of-one")
    named = {}
    for path in ("folder7/a", "of-one", "elsewhere/a"):
        named[path] = {"path": path} if by == "path" else {"secret_id": create(guarded, admin, path)}
        if by == "path":
            create(guarded, admin, path)
    database.command("profile", 2)

    answers = {path: post(guarded, FETCH, name, fat).status_code for path, name in named.items()}

    database.command("profile", 0)
    assert {"folder7/a": 200, "of-one": 200, "elsewhere/a": 404} == answers
    queries = [str(each["command"]) for each in database["system.profile"].find({"ns": "vault.secrets"})]
    assert queries
    assert not [query for query in queries if "folder8" in query]


def test_a_batch_of_ids_and_paths_tells_what_was_destroyed(
    guarded: FlaskClient, give: Callable[..., str], admin: str
) -> None:
    """Also for a token with many scopes, of which the query has only some."""
    fat = give(*(f"fetch:folder{number}/*" for number in range(20)))
    secret_id = create(guarded, admin, "folder1/a")
    create(guarded, admin, "folder2/b")
    post(guarded, "/vault/secret/destroy", {"path": "folder2/b"}, admin)

    items = [{"secret_id": secret_id}, {"path": "folder2/b"}, {"path": "folder3/c"}]
    answer = post(guarded, "/vault/secret/fetch/batch", {"secrets": items}, fat)

    kinds = [each.get("type") for each in answer.json["secrets"]]
    assert [None, "/problems/secret-destroyed", "/problems/secret-not-found"] == kinds
