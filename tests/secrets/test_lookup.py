"""vault.finding: who reaches which secret, and that nobody learns of the others.

Over HTTP, in front of a real database: what a caller meets is what counts.
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


def create(guarded: FlaskClient, token: str, path: str | None = None, secret: str = HELLO) -> str:
    """Store a secret and return its id."""
    body = {"secret": secret} if path is None else {"secret": secret, "path": path}
    answer = post(guarded, CREATE, body, token)
    assert 200 == answer.status_code, answer.text
    return str(answer.json["secret_id"])


def said(answer: TestResponse) -> tuple[int, dict[str, Any]]:
    """Return the answer without what differs in every answer."""
    return answer.status_code, {name: value for name, value in answer.json.items() if name != "request_id"}


NOT_FOUND = (
    404,
    {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Secret not found"},
)


def test_a_secret_has_a_name_for_people(guarded: FlaskClient, admin: str) -> None:
    """By its path or by its id, it is the same."""
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
    """409, and the first stays; whoever may not create there does not learn that it is taken."""
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
    """And the administrators'; not those of others who hold the same scopes, nor of what it made."""
    mine, alike, nothing = give("create:*", "fetch:*"), give("create:*", "fetch:*"), give("fetch:*")
    own = create(guarded, mine)
    nobodys = post(client, CREATE, {"secret": HELLO}).json["secret_id"]

    assert 403 == post(guarded, CREATE, {"secret": HELLO}, nothing).status_code
    for token, secret_id, status in (
        (mine, own, 200),
        (admin, own, 200),
        (alike, own, 404),
        (nothing, own, 404),
        (admin, nobodys, 200),
        (mine, nobodys, 404),
    ):
        assert status == post(guarded, FETCH, {"secret_id": secret_id}, token).status_code


@pytest.mark.parametrize(
    ("scope", "reached"),
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
def test_reaches_what_its_scopes_hold(
    guarded: FlaskClient, give: Callable[..., str], admin: str, scope: str, reached: set[str]
) -> None:
    """By path, by id and in a batch alike; the rest is not found."""
    ids = {
        path: create(guarded, admin, path)
        for path in ("team/app", "team/app/db", "team/app/x/y", "team/apple", "t")
    }
    token = give(scope)

    for path, secret_id in ids.items():
        for body in ({"path": path}, {"secret_id": secret_id}):
            answer = post(guarded, FETCH, body, token)
            if path in reached:
                assert (200, HELLO) == (answer.status_code, answer.json["secret"])
            else:
                assert NOT_FOUND == said(answer)
    batch = post(guarded, BATCH, {"secrets": [{"path": path} for path in ids]}, token).json["secrets"]
    assert reached == {one["path"] for one in batch if "secret" in one}


def test_a_batch_answers_each_in_its_order(
    guarded: FlaskClient, give: Callable[..., str], admin: str, database: Database
) -> None:
    """Found, missing, hidden, altered, of no known shape, twice: each its own result and its own record."""
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
    missing = {"status": 404, "detail": "Secret not found"}
    assert [404, None, 404, 500, None, 500, 404, 404, None] == [one.get("status") for one in results]
    assert [missing] * 4 == [one for one in results if one.get("status") == 404]
    assert [found] * 3 == [one["secret_id"] for one in results if "secret" in one]
    assert [HELLO] * 3 == [one["secret"] for one in results if "secret" in one]
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
    assert 'vault_crypto_failures_total{reason="tampered"}' in guarded.get("/metrics").text


def test_a_batch_takes_a_hundred(guarded: FlaskClient, admin: str, database: Database) -> None:
    """100 of the longest paths fit; 101 are refused, whatever they are."""
    paths = [{"path": f"{number:03}/" + "x" * 508} for number in range(101)]

    assert [404] * 100 == [
        one["status"] for one in post(guarded, BATCH, {"secrets": paths[:100]}, admin).json["secrets"]
    ]
    assert 100 == database.audit_logs.count_documents({"operation": "fetch", "reason": "not found"})
    assert 422 == post(guarded, BATCH, {"secrets": paths}, admin).status_code


def test_a_batch_is_smaller_where_secrets_are_large(
    make_client: Callable[..., FlaskClient], database: Database
) -> None:
    """What one call may put into a process's memory is bounded: 16 MiB of values."""
    client = make_client(MAX_SECRET_BYTES=str(4 * 2**20))
    name = {"secret_id": str(uuid.uuid4())}

    assert 200 == client.post(BATCH, json={"secrets": [name] * 4}).status_code
    refused = client.post(BATCH, json={"secrets": [name] * 5})
    assert (422, {"secrets": ["too many: with this server's MAX_SECRET_BYTES, at most 4"]}) == (
        refused.status_code,
        refused.json["errors"],
    )


def test_a_batch_that_cannot_be_recorded_does_not_leave(
    guarded: FlaskClient, admin: str, database: Database
) -> None:
    """503, and nothing of any secret in it."""
    create(guarded, admin, "a")
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})

    answer = post(guarded, BATCH, {"secrets": [{"path": "a"}, {"path": "b"}]}, admin)

    assert 503 == answer.status_code
    assert HELLO not in answer.text


def test_what_is_hidden_is_told_like_what_is_not_there(
    guarded: FlaskClient, give: Callable[..., str], admin: str, database: Database
) -> None:
    """The same status, body and headers; the log alone knows which it was."""
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
    """With every other it is as if the secret were not there, in whatever state it is."""
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
def test_what_is_hidden_takes_the_database_no_more(
    guarded: FlaskClient,
    give: Callable[..., str],
    admin: str,
    large: str,
    database: Database,
    operation: str,
    state: str,
) -> None:
    """The same queries, none of which transfers its value: unlike time, this is no matter of luck."""
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
            seen.append([one["responseLength"] for one in profile])

        hidden, missing = seen
        assert (2 if "secret_id" in pair[0] else 3) == len(hidden) == len(missing)
        assert (missing[0], missing[2:]) == (hidden[0], hidden[2:])
        # The second query tells the log what there is: the id and the path, and nothing else.
        assert hidden[1] - missing[1] < 100


def test_what_is_hidden_takes_no_longer(
    guarded: FlaskClient, give: Callable[..., str], large: str, database: Database
) -> None:
    """In turns, so that whatever else the machine does hits both alike; medians, because that is spikes.

    The bound is generous because a shared machine is noisy: this finds a gross difference. A fine one,
    such as a value that is transferred for nothing (4 % here), is found by the test above.
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
    """Let two secrets exchange their paths."""
    database.secrets.update_one({"_id": one}, {"$set": {"path": "between"}})
    database.secrets.update_one({"_id": other}, {"$set": {"path": "team/app"}})
    database.secrets.update_one({"_id": one}, {"$set": {"path": "other/app"}})


def test_a_secret_put_where_another_is_looked_for_is_found_out(
    guarded: FlaskClient, admin: str, give: Callable[..., str], database: Database
) -> None:
    """Writing to the database serves no other value at a path, and reaches none by moving it."""
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
def test_nobody_comes_to_own_a_secret(
    guarded: FlaskClient, admin: str, give: Callable[..., str], database: Database, altered: dict[str, Any]
) -> None:
    """By writing themselves, or a path that they hold, into its document."""
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


def test_nobody_plants_a_note_that_a_secret_was_destroyed(
    guarded: FlaskClient, admin: str, give: Callable[..., str], database: Database
) -> None:
    """One that was destroyed elsewhere tells nothing at another path."""
    destroyed = create(guarded, admin, "other/app")
    ask(guarded, "destroy", admin, secret_id=destroyed)
    database.secrets.update_one({"_id": destroyed}, {"$set": {"former_path": "team/app"}})

    answer = ask(guarded, "fetch", give("fetch:team/*"), path="team/app")

    assert (500, "the record cannot be opened: does not authenticate") == (
        answer.status_code,
        answer.json["detail"],
    )


@pytest.mark.parametrize("place", [{"path": "team/app"}, {"owner": "@me"}], ids=str)
def test_a_record_of_an_earlier_implementation_gets_no_place(
    guarded: FlaskClient, admin: str, give: Callable[..., str], database: Database, place: dict[str, str]
) -> None:
    """Nothing ties its ciphertext to one, so whoever writes one into it has it served nowhere."""
    create(guarded, admin, "other/app")
    token, nonce, secret_id = give("fetch:team/*"), bytes(range(12)), str(uuid.uuid4())
    record = base64.b64encode(nonce + AESGCM(MASTER_KEY).encrypt(nonce, b"hello", None)).decode()
    place = {name: id_of(token) if value == "@me" else value for name, value in place.items()}
    database.secrets.insert_one({"_id": secret_id, "ciphertext": record, **place})

    answer = post(guarded, FETCH, {"secret_id": secret_id}, token)

    assert (500, False) == (answer.status_code, HELLO in answer.text)


def test_records_no_path_that_is_none(guarded: FlaskClient, admin: str, database: Database) -> None:
    """A value in the wrong field goes into no log; neither does a token, which would pass for a path."""
    for text in ("my secret password!", "x" * 600, admin):
        assert 422 == post(guarded, CREATE, {"secret": HELLO, "path": text}, admin).status_code
        assert 422 == post(guarded, FETCH, {"path": text}, admin).status_code
        assert 422 == post(guarded, BATCH, {"secrets": [{"path": "a"}, {"path": text}]}, admin).status_code

    records = list(database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)]))
    assert [None, None, None] * 3 == [record["path"] for record in records]
    assert {"invalid fields"} == {record["reason"] for record in records}
