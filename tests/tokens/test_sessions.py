"""tokens.sessions: a session is what its token is, from one address and for a short time, and no more."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.access.token_format import SESSION as PREFIX
from service.access.token_format import Credential, new
from service.api.dependencies import dependencies
from service.crypto import tags
from service.models import now
from service.store.rate_limits import RateLimitStore
from tests.calls import APPROLE, OF_CALLERS, SESSION, TOKEN, WHOAMI, ask, id_of, post

CI = {"name": "ci", "scopes": ["fetch:a/*"]}
TYPE = "/problems/"


@pytest.fixture
def call(guarded: FlaskClient) -> Callable[..., TestResponse]:
    """Return a function that calls an operation on sessions with a token or a session."""

    def call(credential: str, operation: str, address: str = "127.0.0.1", **body: Any) -> TestResponse:
        return post(guarded, SESSION + operation, body, credential, address)

    return call


@pytest.fixture
def open_session(call: Callable[..., TestResponse]) -> Callable[..., str]:
    """Return a function that creates a session for a token."""

    def open_session(token: str, address: str = "127.0.0.1") -> str:
        created = call(token, "create", address)
        assert 200 == created.status_code, created.text
        return str(created.json["session"])

    return open_session


def change(guarded: FlaskClient, session: str, **fields: Any) -> None:
    """Give a session other fields, as if the service had written it so at another time."""
    with guarded.application.app_context():
        parts = dependencies().tokens
    stored = parts.sessions.find(id_of(session))
    assert stored is not None
    changed = tags.sign_session(replace(stored.session, **fields), stored.digest, parts.ring)
    assert parts.sessions.swap(stored, changed)
    parts.forget(id_of(session))


def test_a_session_stands_in_for_its_token(
    guarded: FlaskClient,
    give: Callable[..., str],
    call: Callable[..., TestResponse],
    database: Database,
) -> None:
    """It has the token's name in the log and its scopes; the log has when it was created."""
    token = give("create:team/*", "fetch:team/*")
    created = call(token, "create")
    assert 200 == created.status_code, created.text
    session = created.json["session"]

    who = post(guarded, WHOAMI, None, session).json
    assert (id_of(token), ["create:team/*", "fetch:team/*"]) == (who["actor"], who["scopes"])
    assert id_of(token) == who["token"]["token_id"]
    assert {**who["session"], "session": session} == created.json
    assert post(guarded, WHOAMI, None, token).json["session"] is None
    assert 200 == ask(guarded, "create/", session, path="team/a", secret="YQ==").status_code
    assert "YQ==" == ask(guarded, "fetch", session, path="team/a").json["secret"]
    assert 403 == ask(guarded, "create/", session, path="other/a", secret="YQ==").status_code

    lifetime = datetime.fromisoformat(created.json["ends_at"]) - datetime.fromisoformat(
        created.json["created_at"]
    )
    assert timedelta(hours=8) == lifetime
    record = database.audit_logs.find_one({"operation": "session_create"})
    assert (id_of(token), id_of(session)) == (record["actor"], record["token_id"])
    actors = {each["actor"] for each in database.audit_logs.find(OF_CALLERS)}
    assert {id_of(token), "operator"} >= actors


def test_only_its_hash_is_stored(
    give: Callable[..., str], open_session: Callable[..., str], database: Database
) -> None:
    """Nobody who reads the database can use it."""
    session = open_session(give("audit"))

    stored = str(database.sessions.find_one({"_id": id_of(session)}))

    assert session.split("_")[2][:64] not in stored


@pytest.mark.parametrize(
    ("opened", "used", "status"),
    [
        ("192.0.2.7", "192.0.2.7", 200),
        ("192.0.2.7", "192.0.2.8", 401),
        ("2001:db8:0:1::7", "2001:db8:0:1:ffff::1", 200),
        ("2001:db8:0:1::7", "2001:db8:0:2::7", 401),
        ("192.0.2.7", "::ffff:192.0.2.7", 200),
    ],
)
def test_a_session_is_bound_to_its_address(
    guarded: FlaskClient,
    give: Callable[..., str],
    open_session: Callable[..., str],
    opened: str,
    used: str,
    status: int,
) -> None:
    """A stolen one is worth nothing elsewhere; an IPv6 client has a /64."""
    session = open_session(give("audit"), opened)

    answer = post(guarded, WHOAMI, None, session, used)

    assert status == answer.status_code
    if status == 401:
        assert f"{TYPE}address-not-allowed" == answer.json["type"]
        assert 200 == post(guarded, WHOAMI, None, session, opened).status_code


def test_it_ends_unless_it_is_renewed(
    guarded: FlaskClient,
    give: Callable[..., str],
    call: Callable[..., TestResponse],
    open_session: Callable[..., str],
) -> None:
    """Each renewal gives 15 minutes, up to its end; once ended it stays so."""
    session = open_session(give("audit"))
    end = now() + timedelta(minutes=20)
    change(guarded, session, expires_at=now() + timedelta(seconds=5), ends_at=end)
    first = call(session, "renew")
    assert 200 == first.status_code, first.text
    left = datetime.fromisoformat(first.json["expires_at"]) - now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)

    change(guarded, session, ends_at=now() + timedelta(minutes=2))
    last = call(session, "renew").json
    assert last["expires_at"] == last["ends_at"]

    change(guarded, session, expires_at=now() - timedelta(seconds=1))
    for operation in ("renew", "create", "list"):
        refused = call(session, operation)
        assert (401, f"{TYPE}session-ended") == (refused.status_code, refused.json["type"])


def test_it_ends_no_later_than_its_token(
    give: Callable[..., str], call: Callable[..., TestResponse], guarded: FlaskClient
) -> None:
    """Neither when the token expires nor when it is revoked."""
    admin, short = give("admin"), give("audit", expires_in=60)
    created = call(short, "create").json
    described = post(guarded, TOKEN + "describe", {"token_id": id_of(short)}, admin).json
    assert described["expires_at"] == created["expires_at"] == created["ends_at"]

    assert 200 == post(guarded, TOKEN + "revoke", {"token_id": id_of(short)}, admin).status_code
    refused = post(guarded, WHOAMI, None, created["session"])
    assert (401, f"{TYPE}token-revoked") == (refused.status_code, refused.json["type"])


def test_the_tokens_limits_hold(
    guarded: FlaskClient, give: Callable[..., str], open_session: Callable[..., str]
) -> None:
    """Calls of its sessions count as the token's, and its networks bind them."""
    while RateLimitStore.seconds_left() < 5:
        time.sleep(0.2)
    token = give("audit", rate_limit=3)
    sessions = [open_session(token) for _ in range(2)]
    assert [200, 429] == [post(guarded, WHOAMI, None, session).status_code for session in sessions]

    bound = give("audit", networks=("127.0.0.0/8",))
    assert 401 == post(guarded, SESSION + "create", {}, bound, "192.0.2.7").status_code


def test_who_cannot_have_one(
    client: FlaskClient,
    give: Callable[..., str],
    call: Callable[..., TestResponse],
    open_session: Callable[..., str],
) -> None:
    """A session cannot make another, whose life would begin anew; limited uses could not be counted."""
    session = open_session(give("admin"))

    for credential, says in ((session, "cannot create another one"), (give("audit", max_uses=9), "max_uses")):
        refused = call(credential, "create")
        assert 403 == refused.status_code
        assert says in refused.json["detail"]
    assert "authentication is off" in post(client, SESSION + "create", {}).json["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TOKEN + "create", CI),
        (APPROLE + "create", CI),
        (APPROLE + "secret-id/create", {"role": "there"}),
    ],
)
def test_what_outlasts_a_session_takes_the_token_again(
    guarded: FlaskClient,
    give: Callable[..., str],
    call: Callable[..., TestResponse],
    open_session: Callable[..., str],
    path: str,
    body: dict[str, Any],
) -> None:
    """A stolen session makes no credential that lasts, unless the token was shown within ten minutes."""
    token = give("admin")
    post(guarded, APPROLE + "create", {**CI, "name": "there"}, token)
    session = open_session(token)
    change(guarded, session, confirmed_at=now() - timedelta(minutes=10))

    refused = post(guarded, path, body, session)
    assert (403, f"{TYPE}confirmation-required") == (refused.status_code, refused.json["type"])
    assert 200 == call(session, "renew").status_code
    assert 403 == post(guarded, path, body, session).status_code

    assert 200 == call(session, "confirm", token=token).status_code
    assert 200 == post(guarded, path, body, session).status_code


def test_only_its_own_token_confirms_a_session(
    guarded: FlaskClient,
    give: Callable[..., str],
    call: Callable[..., TestResponse],
    open_session: Callable[..., str],
) -> None:
    """Not another administrator's, not a guess with the same id, not the session itself, not a part of it."""
    token, other = give("admin"), give("admin")
    session = open_session(token)
    change(guarded, session, confirmed_at=now() - timedelta(hours=1))

    for text, status in (
        (other, 403),
        (Credential(id_of(token), bytes(32)).text, 403),
        (session, 401),
        (token[:-1], 401),
    ):
        assert status == call(session, "confirm", token=text).status_code, text[:4]
        assert 403 == post(guarded, TOKEN + "create", CI, session).status_code
    assert 403 == call(token, "confirm", token=token).status_code


def test_a_session_renews_no_token(
    guarded: FlaskClient, give: Callable[..., str], open_session: Callable[..., str]
) -> None:
    """Neither its own nor one that was made with it."""
    token = give("admin", expires_in=600, renewable=True)
    session = open_session(token)

    for body in ({}, {"token_id": id_of(token)}):
        assert 403 == post(guarded, TOKEN + "renew", body, session).status_code
    assert 200 == post(guarded, TOKEN + "renew", {}, token).status_code


def test_a_revoked_session_is_refused_at_once_where_it_was_revoked(
    guarded: FlaskClient,
    make_client: Callable[..., FlaskClient],
    give: Callable[..., str],
    call: Callable[..., TestResponse],
    open_session: Callable[..., str],
    database: Database,
) -> None:
    """And another process that still knows it makes no token with it; the others go on."""
    token = give("token", "audit")
    session, other = open_session(token), open_session(token)
    elsewhere = make_client(AUTH_REQUIRED="true")
    assert 200 == post(elsewhere, WHOAMI, None, session).status_code

    assert {"revoked": id_of(session)} == call(session, "revoke").json
    record = database.audit_logs.find_one({"operation": "session_revoke"})
    assert (id_of(token), id_of(session)) == (record["actor"], record["token_id"])

    refused = post(guarded, WHOAMI, None, session)
    assert (401, f"{TYPE}session-ended") == (refused.status_code, refused.json["type"])
    wanted = {"name": "lasting", "scopes": ["audit"]}
    assert 401 == post(elsewhere, TOKEN + "create", wanted, session).status_code
    assert 0 == database.tokens.count_documents({"name": "lasting", "revoked_at": None})
    assert 200 == post(guarded, WHOAMI, None, other).status_code
    assert [id_of(other)] == [each["session_id"] for each in call(token, "list").json["sessions"]]


def test_nobody_ends_or_sees_the_sessions_of_others(
    give: Callable[..., str], call: Callable[..., TestResponse], open_session: Callable[..., str]
) -> None:
    """Except administrators."""
    mine, admin = give("audit"), give("admin")
    session = open_session(mine)
    stranger = give("audit")

    assert [] == call(stranger, "list").json["sessions"]
    assert 404 == call(stranger, "revoke", session_id=id_of(session)).status_code
    assert 404 == call(stranger, "revoke", session_id="0" * 16).status_code
    assert 404 == call(mine, "revoke").status_code
    assert [id_of(session)] == [each["session_id"] for each in call(admin, "list").json["sessions"]]
    assert 200 == call(admin, "revoke", session_id=id_of(session)).status_code
    assert 200 == call(admin, "revoke", session_id=id_of(session)).status_code
    assert 401 == call(session, "renew").status_code


@pytest.mark.parametrize(
    "altered",
    [
        {"token_id": "0f3a5b7c9d1e2f40"},
        {"client_network": "192.0.2.7"},
        {"expires_at": now() + timedelta(days=1)},
        {"confirmed_at": now() + timedelta(days=1)},
        {"digest": bytes(32)},
        {"ends_at": "never"},
    ],
)
def test_an_altered_session_is_refused(
    guarded: FlaskClient,
    give: Callable[..., str],
    call: Callable[..., TestResponse],
    open_session: Callable[..., str],
    database: Database,
    altered: dict[str, Any],
) -> None:
    """Write access to the database makes no session of another token, nor a longer one."""
    admin, session = give("admin"), open_session(give("audit"))
    database.sessions.update_one({"_id": id_of(session)}, {"$set": altered})

    with guarded.application.app_context():
        dependencies().tokens.forget(id_of(session))
    assert post(guarded, WHOAMI, None, session).status_code in (401, 500)
    assert [id_of(session)] == call(admin, "list").json["altered"]
    assert 200 == call(admin, "revoke", session_id=id_of(session)).status_code
    assert 0 == database.sessions.count_documents({})


def test_a_guess_counts_as_a_failure(
    make_client: Callable[..., FlaskClient], give: Callable[..., str]
) -> None:
    """As for tokens: past the limit guesses are refused with 429, and the right one still gets in."""
    guarded = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="2")
    session = post(guarded, SESSION + "create", {}, give("audit")).json["session"]

    statuses = [post(guarded, WHOAMI, None, new(PREFIX).text).status_code for _ in range(4)]

    assert [401, 401, 429, 429] == statuses
    assert 200 == post(guarded, WHOAMI, None, session).status_code
