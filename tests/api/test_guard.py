"""api.guard: every call is recorded with its actor, whether it succeeds or fails."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.access.token_format import Credential
from service.api.dependencies import dependencies
from service.crypto import tags
from service.crypto.keyring import KeyRing
from service.models import now
from service.store.rate_limits import RateLimitStore
from service.store.store import Store
from tests.calls import (
    APPROLE,
    BATCH,
    CREATE,
    FETCH,
    GRANT,
    OF_CALLERS,
    SECRET,
    SESSION,
    SHARE,
    TOKEN,
    UNKNOWN,
    WHOAMI,
    id_of,
    post,
)

GUARDED = (
    CREATE,
    FETCH,
    BATCH,
    *(
        SECRET + name
        for name in ["create/batch", "update", "describe", "deliver", "list", "delete", "undelete", "destroy"]
    ),
    SECRET + "access",
    *(TOKEN + name for name in ["create", "list", "describe", "renew", "revoke", "whoami"]),
    *(SESSION + name for name in ["create", "renew", "confirm", "list", "revoke"]),
    *(SHARE + name for name in ["create", "list", "revoke"]),
    *(GRANT + name for name in ["create", "list", "describe", "delete"]),
    "/vault/folder/describe",
    "/vault/folder/configure",
    *(APPROLE + name for name in ["create", "list", "describe", "delete"]),
    *(APPROLE + "secret-id/" + name for name in ["create", "list", "revoke"]),
    "/vault/audit/search",
    "/vault/audit/verify",
    "/vault/status",
)
# Whoever logs in has no token yet, and whoever opens a link needs none; tests/approles/test_login.py and
# tests/shares have what these reveal.
LOGINS = (APPROLE + "login", SHARE + "peek", SHARE + "reveal")


@pytest.fixture
def tokens(give: Callable[..., str], store: Store, ring: KeyRing) -> dict[str, str | None]:
    """Tokens by what is wrong with them."""
    good, revoked, used_up = give("fetch:team/*", "create:team/*"), give("audit"), give("audit", max_uses=1)
    store.tokens.revoke([id_of(revoked)], now())
    unused = store.tokens.find(id_of(used_up))
    assert unused is not None
    once = tags.sign_token(replace(unused.token, uses=1), unused.digest, ring)
    assert store.tokens.swap(unused, once)
    return {
        "none": None,
        "good": good,
        "malformed": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "unknown": UNKNOWN,
        "guessed": Credential(id_of(good), bytes(32)).text,
        "expired": give("audit", expires_in=-1),
        "revoked": revoked,
        "used up": used_up,
        "foreign": give("audit", networks=("10.0.0.0/8",)),
        "limited": give("audit", rate_limit=1),
        "admin": give("admin"),
        "maker": give("token", "fetch:team/*"),
    }


@pytest.mark.parametrize(
    ("who", "path", "body", "status", "reason", "actor"),
    [
        ("none", FETCH, {"path": "a"}, 401, "no token", "anonymous"),
        ("malformed", FETCH, {"path": "a"}, 401, "malformed token", "anonymous"),
        ("unknown", FETCH, {"path": "a"}, 401, "invalid token", f"unproven:{id_of(UNKNOWN)}"),
        ("guessed", FETCH, {"path": "a"}, 401, "invalid token", "unproven:{good}"),
        ("expired", FETCH, {"path": "a"}, 401, "token expired", "{expired}"),
        ("revoked", CREATE, {"secret": ""}, 401, "token revoked", "{revoked}"),
        ("used up", WHOAMI, None, 401, "token used up", "{used up}"),
        ("foreign", TOKEN + "list", {}, 401, "foreign address", "{foreign}"),
        ("good", CREATE, {"secret": "", "path": "other/app"}, 403, "forbidden", "{good}"),
        ("good", TOKEN + "create", {"name": "x", "scopes": ["fetch:team/a"]}, 403, "forbidden", "{good}"),
        ("good", TOKEN + "list", {}, 403, "forbidden", "{good}"),
        ("good", TOKEN + "describe", {"token_id": "0" * 16}, 404, "not found", "{good}"),
        ("good", TOKEN + "renew", {}, 403, "forbidden", "{good}"),
        ("good", TOKEN + "revoke", {"token_id": "0" * 16}, 404, "not found", "{good}"),
        ("good", FETCH, {"path": "team/none"}, 404, "not found", "{good}"),
        ("good", FETCH, {}, 422, "invalid fields", "{good}"),
        ("good", CREATE, {"secret": "a"}, 400, "invalid base64", "{good}"),
        ("maker", TOKEN + "create", {"name": "x", "scopes": ["admin"]}, 403, "forbidden", "{maker}"),
        ("maker", TOKEN + "create", {"name": "x", "scopes": ["x"]}, 422, "invalid fields", "{maker}"),
    ],
)
def test_every_refusal_is_recorded(
    guarded: FlaskClient,
    tokens: dict[str, str | None],
    database: Database,
    who: str,
    path: str,
    body: object,
    status: int,
    reason: str,
    actor: str,
) -> None:
    """One record, with its reason and its actor: authenticated, only claimed, or anonymous."""
    database.audit_logs.delete_many({})

    assert status == post(guarded, path, body, tokens[who]).status_code

    (record,) = database.audit_logs.find(OF_CALLERS)
    ids = {name: id_of(token) for name, token in tokens.items() if token}
    assert ("failure", reason, actor.format(**ids)) == (record["status"], record["reason"], record["actor"])


def test_attempts_beyond_the_rate_limit_are_recorded_together(
    make_client: Callable[..., FlaskClient], tokens: dict[str, str | None], database: Database
) -> None:
    """A log without them would hide the attack; each by itself would fill the disk."""
    client = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="1")
    database.audit_logs.delete_many({})
    before = RateLimitStore.seconds_left()
    for _ in range(3):
        post(client, FETCH, {"path": "a"}, tokens["guessed"])

    reasons = [record["reason"] for record in database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)])]
    if before > RateLimitStore.seconds_left():  # otherwise a new minute has begun
        assert ["invalid token"] == reasons
    with client.application.app_context():
        dependencies().recorder.write_refusals()
    counts = [record["count"] for record in database.audit_logs.find({"reason": "too many requests"})]
    if before > RateLimitStore.seconds_left():
        assert [2] == counts
    assert {f"unproven:{id_of(str(tokens['good']))}"} == set(
        database.audit_logs.distinct("actor", OF_CALLERS)
    )


def test_successes_record_the_operation_and_the_token(
    guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """The operation, the actor, and the token that it was about."""
    admin = give("admin")
    database.audit_logs.delete_many({})
    created = post(
        guarded,
        TOKEN + "create",
        {"name": "x", "scopes": ["audit"], "expires_in": 9, "renewable": True},
        admin,
    )
    named = {"token_id": created.json["token_id"]}
    for operation in ("describe", "renew", "revoke"):
        assert 200 == post(guarded, TOKEN + operation, named, admin).status_code
    post(guarded, TOKEN + "list", {}, admin)
    post(guarded, WHOAMI, None, admin)

    records = list(database.audit_logs.find(OF_CALLERS, sort=[("_id", 1)]))
    assert [
        ("token_create", named["token_id"]),
        ("token_describe", named["token_id"]),
        ("token_renew", named["token_id"]),
        ("token_revoke", named["token_id"]),
        ("token_list", None),
        ("token_whoami", None),
    ] == [(record["operation"], record["token_id"]) for record in records]
    assert {("success", id_of(admin))} == {(record["status"], record["actor"]) for record in records}


@pytest.mark.parametrize("path", GUARDED)
def test_nothing_is_done_or_revealed_without_a_token(
    guarded: FlaskClient, database: Database, path: str
) -> None:
    """Errors in the body are shown only to authenticated callers, too."""
    answers: list[TestResponse] = [
        post(guarded, path, {"nonsense": 1}),
        guarded.post(path, data="{", content_type="application/json"),
        guarded.post(path, data="A" * 800_000),
    ]

    assert [401] * 3 == [answer.status_code for answer in answers]
    assert 0 == database.secrets.count_documents({}) + database.tokens.count_documents({})


def test_every_operation_is_guarded(guarded: FlaskClient) -> None:
    """Fails for a new operation that is missing in GUARDED or LOGINS."""
    rules = {rule.rule for rule in guarded.application.url_map.iter_rules() if "POST" in (rule.methods or ())}

    assert {*GUARDED, *LOGINS} == rules


@pytest.mark.parametrize("token_id", [UNKNOWN, "x" * 1000, "0F3A5B7C9D1E2F40", "", "0" * 15])
def test_records_no_malformed_token_id(
    guarded: FlaskClient, give: Callable[..., str], database: Database, token_id: str
) -> None:
    """If a caller sends a whole token instead of its id, it does not get into the log."""
    admin = give("admin")
    database.audit_logs.delete_many({})

    for operation in ("describe", "renew", "revoke"):
        assert 404 == post(guarded, TOKEN + operation, {"token_id": token_id}, admin).status_code
    assert [None] == database.audit_logs.distinct("token_id", OF_CALLERS)


def test_no_response_is_sent_that_cannot_be_recorded(
    guarded: FlaskClient, give: Callable[..., str], database: Database
) -> None:
    """A new token is not returned without its record."""
    admin = give("admin")
    post(guarded, WHOAMI, None, admin)
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})

    answers = [
        post(guarded, TOKEN + "create", {"name": "x", "scopes": ["admin"]}, admin),
        post(guarded, WHOAMI, None, admin),
        post(guarded, WHOAMI, None, UNKNOWN),
    ]

    assert [503] * 3 == [answer.status_code for answer in answers]
    assert [] == [answer for answer in answers if "smt_" in answer.text]
