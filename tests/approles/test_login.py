"""approles.login: a right secret id gives a token with the role's rights, everything else one answer.

Tested over HTTP with a real database, because the whole response counts.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.api import dependencies
from service.approles.login import Login
from service.crypto import tags
from service.crypto.keyring import KeyRing
from service.models import StoredToken, now
from service.store.rate_limits import RateLimitStore
from service.store.store import Store
from tests.approles.roles import Give, Role, guess, make_role
from tests.calls import APPROLE, OF_CALLERS, TOKEN, UNKNOWN, WHOAMI, ask, id_of, post

LOGINS = {"operation": "approle_login"}


@pytest.fixture
def admin(give: Give) -> str:
    """An administrator's token."""
    return give("admin")


@pytest.fixture
def role(guarded: FlaskClient, admin: str) -> Role:
    """A role that may fetch what is below ``team``."""
    return make_role(guarded, admin)


@pytest.fixture
def early_in_a_minute() -> None:
    """Attempts are counted per minute: start early enough that the test ends in the same one."""
    while RateLimitStore.seconds_left() < 5:
        time.sleep(0.2)


def reasons(database: Database) -> list[str | None]:
    """Return why logins failed, in order; None for one that did not."""
    return [record["reason"] for record in database.audit_logs.find(LOGINS, sort=[("_id", 1)])]


def test_a_login_gives_a_token_with_the_rights_of_the_role(
    guarded: FlaskClient, role: Role, admin: str, database: Database
) -> None:
    """Its scopes, its lifetime, renewable; made by the role, on the record."""
    ask(guarded, "create/", admin, secret="YQ==", path="team/db")
    secret_id = role.secret_id()

    answer = role.log_in(secret_id)

    assert 200 == answer.status_code, answer.text
    token, found = answer.json["token"], answer.json
    assert (id_of(token), "ci", ["fetch:team/*"], f"approle:{role.role_id}", True) == (
        found["token_id"],
        found["name"],
        found["scopes"],
        found["created_by"],
        found["renewable"],
    )
    left = datetime.fromisoformat(found["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=1190) < left <= timedelta(seconds=1200)
    assert "YQ==" == ask(guarded, "fetch", token, path="team/db").json["secret"]
    assert 403 == ask(guarded, "create/", token, secret="", path="team/x").status_code
    assert 200 == post(guarded, TOKEN + "renew", {}, token).status_code
    (record,) = database.audit_logs.find(LOGINS)
    assert ("success", f"approle:{role.role_id}", role.role_id, id_of(secret_id), id_of(token)) == (
        record["status"],
        record["actor"],
        record["role_id"],
        record["accessor"],
        record["token_id"],
    )
    secret = secret_id.split("_")[2][:64]
    assert not [
        one
        for name in database.list_collection_names()
        for one in database[name].find()
        if secret in str(one)
    ]


def test_it_works_without_authentication(client: FlaskClient) -> None:
    """What a client was configured with goes on working in ``dev``."""
    made = post(client, APPROLE + "create", {"name": "ci", "scopes": ["fetch:*"]}).json
    secret_id = post(client, APPROLE + "secret-id/create", {"role": "ci"}).json["secret_id"]

    answer = post(client, APPROLE + "login", {"role_id": made["role_id"], "secret_id": secret_id})

    assert 200 == answer.status_code, answer.text


def test_the_limits_of_the_role_are_those_of_its_tokens(guarded: FlaskClient, admin: str) -> None:
    """Uses, networks, lifetime; and networks bind the login as well."""
    role = make_role(
        guarded, admin, expires_in=60, renewable=False, max_uses=1, networks=["127.0.0.0/8", "10.0.0.0/8"]
    )
    secret_id = role.secret_id(networks=["10.1.0.0/16"])

    assert 401 == role.log_in(secret_id, "127.0.0.1").status_code
    found = role.log_in(secret_id, "10.1.2.3").json
    token = found["token"]
    assert (False, 1, ["127.0.0.0/8", "10.0.0.0/8"]) == (
        found["renewable"],
        found["max_uses"],
        found["networks"],
    )
    assert 401 == post(guarded, WHOAMI, None, token, "192.0.2.1").status_code
    assert 200 == post(guarded, WHOAMI, None, token).status_code
    assert "token-used-up" in post(guarded, WHOAMI, None, token).json["type"]


def test_everything_wrong_has_one_answer(
    guarded: FlaskClient, admin: str, role: Role, store: Store, ring: KeyRing, database: Database
) -> None:
    """Whether there is the role, or the secret id, is not told; the audit log knows what it was."""
    other = make_role(guarded, admin, name="other")
    gone = make_role(guarded, admin, name="gone")
    over = make_role(guarded, admin, name="over", role_expires_in=60)
    good, used_up, revoked, expired, foreign = (
        role.secret_id(),
        role.secret_id(max_uses=1),
        role.secret_id(),
        role.secret_id(expires_in=60),
        role.secret_id(networks=["10.0.0.0/8"]),
    )
    of_gone, of_over, of_other = gone.secret_id(), over.secret_id(), other.secret_id()
    assert 200 == role.log_in(used_up).status_code
    post(guarded, APPROLE + "secret-id/revoke", {"accessor": id_of(revoked)}, admin)
    post(guarded, APPROLE + "delete", {"role": "gone"}, admin)
    past = now() - timedelta(seconds=1)
    stored = store.secret_ids.find(id_of(expired))
    assert stored is not None
    ended = tags.sign_secret_id(replace(stored.secret_id, expires_at=past), stored.digest, ring)
    assert store.secret_ids.swap(stored, ended)
    stored_role = store.approles.find(over.role_id)
    assert stored_role is not None
    assert store.approles.swap(stored_role, tags.sign_role(replace(stored_role.role, expires_at=past), ring))
    database.audit_logs.delete_many({})

    answers = [
        role.log_in(guess(16 * "1")),
        role.log_in(guess(id_of(good))),
        role.log_in(good, role_id=16 * "1"),
        role.log_in(good, role_id="ci"),
        role.log_in(good, role_id="\ud800"),
        role.log_in(good, role_id=other.role_id),
        role.log_in(of_other),
        role.log_in(good[:-1]),
        role.log_in("hvs.CAESIJ"),
        role.log_in(admin),
        role.log_in("\ud800\n"),
        gone.log_in(of_gone),
        over.log_in(of_over),
        role.log_in(revoked),
        role.log_in(expired),
        role.log_in(used_up),
        role.log_in(foreign),
    ]

    assert {401} == {answer.status_code for answer in answers}
    bodies = [answer.json | {"request_id": None} for answer in answers]
    assert "invalid role or secret ID" == bodies[0]["detail"]
    assert [bodies[0]] * len(bodies) == bodies
    headers = [
        {name: value for name, value in answer.headers if name != "X-Request-ID"} for answer in answers
    ]
    assert [headers[0]] * len(headers) == headers
    assert [
        *11 * ["invalid login"],
        *2 * ["role ended"],
        *2 * ["secret id ended"],
        "secret id used up",
        "foreign address",
    ] == reasons(database)
    claimed = {
        record["role_id"] for record in database.audit_logs.find({**LOGINS, "role_id": {"$exists": True}})
    }
    assert {role.role_id, other.role_id, gone.role_id, over.role_id, 16 * "1"} == claimed
    assert 200 == role.log_in(good).status_code


def test_a_secret_id_is_no_token_and_a_token_no_secret_id(guarded: FlaskClient, role: Role) -> None:
    """Each says by its beginning what it is."""
    answer = post(guarded, WHOAMI, None, role.secret_id())

    assert (401, "/problems/malformed-token") == (answer.status_code, answer.json["type"])


@pytest.mark.parametrize("uses", [1, 3])
def test_one_use_is_one_login(role: Role, store: Store, uses: int) -> None:
    """However many try at once."""
    secret_id = role.secret_id(max_uses=uses)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: role.log_in(secret_id), range(12)))

    assert uses == [answer.status_code for answer in answers].count(200)
    assert {200, 401} == {answer.status_code for answer in answers}
    stored = store.secret_ids.find(id_of(secret_id))
    assert stored is not None
    assert uses == stored.secret_id.uses


def test_failures_count_like_failed_authentications(
    make_client: Callable[..., FlaskClient], give: Give, database: Database, early_in_a_minute: None
) -> None:
    """Together with them, malformed bodies included; whoever has a right secret id is let in all the same."""
    client = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="3")
    role = make_role(client, give("admin"))
    good = role.secret_id()
    assert 401 == post(client, WHOAMI, None, UNKNOWN).status_code
    assert 401 == role.log_in(guess(16 * "1")).status_code
    assert 422 == post(client, APPROLE + "login", {"role_id": role.role_id}).status_code
    database.audit_logs.delete_many({})

    refused = [
        role.log_in(guess(16 * "2")),
        role.log_in("x"),
        post(client, APPROLE + "login", {}),
        client.post(APPROLE + "login", data="{", content_type="application/json"),
        post(client, WHOAMI, None, UNKNOWN),
    ]

    assert {429} == {answer.status_code for answer in refused}
    assert all(int(answer.headers["Retry-After"]) <= 60 for answer in refused)
    assert 200 == role.log_in(good).status_code
    assert 401 == role.log_in(guess(16 * "2"), "192.0.2.9").status_code
    # Of what is refused past the limit there is one record, when the minute has ended.
    assert 2 == database.audit_logs.count_documents(OF_CALLERS)


def test_a_large_body_is_not_read(guarded: FlaskClient) -> None:
    """Nobody needs a token to send one."""
    answer = guarded.post(APPROLE + "login", data=b" " * 9000, content_type="application/json")

    assert 413 == answer.status_code


def test_all_tokens_of_a_role_share_its_rate_limit(
    guarded: FlaskClient, admin: str, early_in_a_minute: None
) -> None:
    """And each login counts as a call; otherwise another login would be another allowance."""
    role = make_role(guarded, admin, rate_limit=4)
    one, two = role.token(), role.token()

    statuses = [post(guarded, WHOAMI, None, token).status_code for token in (one, two, one)]

    assert [200, 200, 429] == statuses
    assert 429 == role.log_in(role.secret_id()).status_code


def test_deleting_a_role_ends_its_tokens(guarded: FlaskClient, admin: str) -> None:
    """Those that its tokens have made as well, and the roles of these; another role's stay."""
    role = make_role(guarded, admin, "token", "fetch:team/*")
    other = make_role(guarded, admin, name="other").token()
    token = role.token()
    child = post(guarded, TOKEN + "create", {"name": "x", "scopes": ["token"], "expires_in": 60}, token).json[
        "token"
    ]
    below = make_role(guarded, child, "token", name="below", role_expires_in=30)
    grandchild = below.token()
    assert {200} == {post(guarded, WHOAMI, None, one).status_code for one in (token, child, grandchild)}

    assert {"deleted": role.role_id} == post(guarded, APPROLE + "delete", {"role": "ci"}, admin).json

    answers = [post(guarded, WHOAMI, None, one) for one in (token, child, grandchild)]
    assert ["/problems/token-revoked"] * 3 == [answer.json["type"] for answer in answers]
    assert 200 == post(guarded, WHOAMI, None, other).status_code
    deleted = post(guarded, APPROLE + "describe", {"role": below.role_id}, admin).json
    assert id_of(admin) == deleted["deleted_by"]


@pytest.mark.parametrize("keep", [False, True])
def test_revoking_a_secret_id_ends_its_tokens(
    guarded: FlaskClient, admin: str, role: Role, keep: bool
) -> None:
    """Unless they are to stay, as where it is replaced; those of the role's other secret ids do."""
    secret_id, other = role.secret_id(), role.token()
    token = role.log_in(secret_id).json["token"]

    body = {"accessor": id_of(secret_id), **({"descendants": False} if keep else {})}
    assert 200 == post(guarded, APPROLE + "secret-id/revoke", body, admin).status_code

    assert (200 if keep else 401) == post(guarded, WHOAMI, None, token).status_code
    assert 200 == post(guarded, WHOAMI, None, other).status_code
    assert 401 == role.log_in(secret_id).status_code


def test_revoking_a_token_ends_the_roles_that_it_made(
    guarded: FlaskClient, admin: str, give: Give, database: Database
) -> None:
    """Their secret ids and tokens, and its secret ids of other roles: for good, also when it is forgotten."""
    maker = give("admin")
    role, others = make_role(guarded, maker), make_role(guarded, admin, name="others")
    own, of_others, stays = role.secret_id(), others.secret_id(maker), others.secret_id()
    tokens = [role.log_in(own).json["token"], others.log_in(of_others).json["token"]]
    kept = others.log_in(stays).json["token"]

    post(guarded, TOKEN + "revoke", {"token_id": id_of(maker)}, admin)
    # As MongoDB does 30 days later.
    database.tokens.delete_one({"_id": id_of(maker)})

    assert [401, 401] == [post(guarded, WHOAMI, None, one).status_code for one in tokens]
    assert [401, 401] == [role.log_in(own).status_code, others.log_in(of_others).status_code]
    assert 200 == post(guarded, WHOAMI, None, kept).status_code
    assert 200 == others.log_in(stays).status_code


def test_roles_stay_if_the_tokens_descendants_do(guarded: FlaskClient, admin: str, give: Give) -> None:
    """As where the first administrator's token is replaced."""
    maker = give("admin")
    role = make_role(guarded, maker)
    secret_id = role.secret_id()

    post(guarded, TOKEN + "revoke", {"token_id": id_of(maker), "descendants": False}, admin)

    assert 200 == role.log_in(secret_id).status_code


def test_a_token_does_not_outlast_the_maker_of_its_role(guarded: FlaskClient, give: Give) -> None:
    """Neither by its lifetime nor by being renewed."""
    maker = give("token", "fetch:*", expires_in=100)
    role = make_role(guarded, maker, "fetch:team/*", role_expires_in=90)

    found = role.log_in(role.secret_id()).json

    left = datetime.fromisoformat(found["expires_at"]) - datetime.now(UTC)
    assert left <= timedelta(seconds=90)
    assert not found["renewable"]


def test_a_token_does_not_outlast_the_maker_of_its_secret_id(
    guarded: FlaskClient, role: Role, give: Give
) -> None:
    """An administrator for a day makes none that stays."""
    passing = give("admin", expires_in=100)
    made = post(guarded, APPROLE + "secret-id/create", {"role": "ci"}, passing).json
    found = role.log_in(made["secret_id"]).json

    assert datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC) <= timedelta(seconds=100)
    assert datetime.fromisoformat(found["expires_at"]) - datetime.now(UTC) <= timedelta(seconds=100)
    assert not found["renewable"]


@pytest.mark.parametrize("ended", ["role", "secret id", "maker"])
def test_whoever_logs_in_while_it_ends_gets_nothing(
    guarded: FlaskClient, admin: str, give: Give, ended: str, database: Database
) -> None:
    """The token is stored when all others of the role are revoked already: it is looked at once more."""
    maker = give("admin")
    role = make_role(guarded, maker)
    secret_id = role.secret_id()
    with guarded.application.app_context():
        parts = dependencies.dependencies()
    approles = parts.approles
    insert = approles.tokens.store.insert

    class Late(type(approles.tokens.store)):  # type: ignore[misc]
        """The real store; whatever is to end does so just before a token is stored."""

        def insert(self, stored: StoredToken) -> None:
            post(guarded, *what[ended], admin)
            insert(stored)

    what: dict[str, tuple[str, dict[str, Any]]] = {
        "role": (APPROLE + "delete", {"role": role.role_id}),
        "secret id": (APPROLE + "secret-id/revoke", {"accessor": id_of(secret_id)}),
        "maker": (TOKEN + "revoke", {"token_id": id_of(maker)}),
    }
    late = copy.copy(approles.tokens.store)
    late.__class__ = Late
    slow = Login(replace(approles, tokens=replace(approles.tokens, store=late)), parts.authentication)
    dependencies.init_app(guarded.application, replace(parts, login=slow))

    assert 401 == role.log_in(secret_id).status_code
    made = list(database.tokens.find({"created_by": f"approle:{role.role_id}"}))
    assert 1 == len(made)
    assert made[0]["revoked_at"] is not None


ROLE_FIELDS = (
    *("name", "scopes", "created_at", "created_by", "lifetime", "renewable", "max_uses", "networks"),
    *("rate_limit", "expires_at", "makers", "shared_limits", "deleted_at", "deleted_by", "tag"),
)
SECRET_ID_FIELDS = (
    *(
        "role_id",
        "created_at",
        "created_by",
        "expires_at",
        "max_uses",
        "networks",
        "uses",
        "used_at",
        "makers",
    ),
    *("shared_limits", "makers_end", "revoked_at", "revoked_by", "digest", "tag"),
)


def test_nothing_of_another_state_logs_in(
    guarded: FlaskClient, admin: str, give: Give, database: Database
) -> None:
    """Every field of a role and of a secret id, as it is in another: the record does not authenticate."""
    maker = give("admin", expires_in=5000, rate_limit=1000)
    role = make_role(guarded, admin)
    rich = make_role(
        guarded,
        maker,
        "fetch:*",
        name="rich",
        expires_in=7,
        renewable=False,
        max_uses=5,
        networks=["10.0.0.0/8"],
        rate_limit=100,
        role_expires_in=999,
    )
    plain, richer = role.secret_id(), rich.secret_id(max_uses=9, networks=["127.0.0.0/8"], expires_in=99)
    tried = 0
    for collection, mine, others, names in (
        (database.approles, role.role_id, rich.role_id, ROLE_FIELDS),
        (database.approle_secret_ids, id_of(plain), id_of(richer), SECRET_ID_FIELDS),
    ):
        before, other = (collection.find_one({"_id": one}) for one in (mine, others))
        assert {*names, "_id", "ended_at"} == before.keys() - {"live_name"}
        other |= {
            "deleted_at": now(),
            "deleted_by": "x",
            "revoked_at": now(),
            "revoked_by": "x",
            "used_at": now(),
        }
        other["uses"] = 3
        for name in names:
            if before[name] == other[name]:
                assert name in {"created_by"}, name
                continue
            collection.replace_one({"_id": mine}, before | {name: other[name]})
            assert role.log_in(plain, f"192.0.2.{tried}").status_code in (401, 500), name
            tried += 1
        collection.replace_one({"_id": mine}, before)
    assert tried >= 28
    assert 200 == role.log_in(plain).status_code


def test_an_administrators_token_of_a_login_is_no_administrator(
    guarded: FlaskClient, admin: str, store: Store
) -> None:
    """It ends soon; whoever asks whether there is one wants to know whether one must be made."""
    make_role(guarded, admin, "admin").token()
    post(guarded, TOKEN + "revoke", {"descendants": False}, admin)

    assert not store.tokens.has_administrator(now())


def test_a_token_of_a_login_is_forgotten_a_day_after_its_end(role: Role, database: Database) -> None:
    """Some programs log in for each secret; all else that ends is kept for 30 days."""
    role.token()

    (stored,) = database.tokens.find({"created_by": f"approle:{role.role_id}"})

    assert stored["expires_at"] - timedelta(days=29) == stored["ended_at"]


def test_a_login_is_recorded_or_not_answered(role: Role, database: Database) -> None:
    """No token leaves without its record."""
    secret_id = role.secret_id()
    database.command("collMod", "audit_logs", validator={"never": {"$exists": True}})

    answer = role.log_in(secret_id)

    assert (503, False) == (answer.status_code, "smt_" in answer.text)
