"""api.tokens.views: the lifecycle of a token, for its holder, its creator and administrators."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.access import token_format
from service.models import now
from service.store.store import Store
from service.tokens.tokens import PAGE
from tests.calls import TOKEN, UNKNOWN, WHOAMI, id_of, post

BILLING = {"name": "billing", "scopes": ["fetch:team/app/*"]}


@pytest.fixture
def call(guarded: FlaskClient) -> Callable[..., TestResponse]:
    """Return a function that calls an operation on tokens with a token."""

    def call(token: str, operation: str, **body: Any) -> TestResponse:
        return post(guarded, TOKEN + operation, body, token)

    return call


@pytest.fixture
def admin(give: Callable[..., str]) -> str:
    """An administrator's token."""
    return give("admin")


def test_a_new_token_is_shown_once(call: Callable[..., TestResponse], admin: str) -> None:
    """With its rights; no later response contains it, and it works at once."""
    created = call(
        admin,
        "create",
        **BILLING,
        expires_in=3600,
        renewable=True,
        max_uses=5,
        networks=["127.0.0.0/8"],
        rate_limit=60,
    )
    assert 200 == created.status_code, created.text
    token, token_id = created.json["token"], created.json["token_id"]

    assert token_id == token_format.parse(token).token_id
    shown = {name: value for name, value in created.json.items() if name != "token"}
    lifetime = datetime.fromisoformat(shown["expires_at"]) - datetime.fromisoformat(shown["created_at"])
    assert 3600 == lifetime.total_seconds()
    assert {
        "token_id": token_id,
        "name": "billing",
        "scopes": ["fetch:team/app/*"],
        "created_at": shown["created_at"],
        "created_by": id_of(admin),
        "expires_at": shown["expires_at"],
        "renewable": True,
        "max_uses": 5,
        "uses": 0,
        "networks": ["127.0.0.0/8"],
        "rate_limit": 60,
        "revoked_at": None,
    } == shown
    assert shown == call(admin, "describe", token_id=token_id).json
    assert {**shown, "uses": 1} == call(token, "whoami").json["token"] | {"uses": 1}
    for answer in (call(admin, "list"), call(admin, "describe", token_id=token_id), call(token, "whoami")):
        assert token_format.parse(token).secret.hex() not in answer.text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": 5}, "name"),
        ({"name": UNKNOWN}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["fetch"]}, "scopes"),
        ({"scopes": ["fetch:a"] * 101}, "scopes"),
        ({"scopes": "admin"}, "scopes"),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": -1}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
        ({"expires_in": 1.5}, "expires_in"),
        ({"expires_in": "60"}, "expires_in"),
        ({"expires_in": 10**12}, "expires_in"),
        ({"renewable": True}, "renewable"),
        ({"renewable": "true"}, "renewable"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_uses": 1, "scopes": ["token"]}, "max_uses"),
        ({"networks": []}, "networks"),
        ({"networks": ["10.0.0.1/8"]}, "networks"),
        ({"networks": ["everywhere"]}, "networks"),
        ({"rate_limit": 0}, "rate_limit"),
        ({"uses": 0}, "uses"),
        ({"created_by": "operator"}, "created_by"),
    ],
    ids=str,
)
def test_names_the_invalid_field(
    call: Callable[..., TestResponse], admin: str, database: Database, changed: dict[str, Any], field: str
) -> None:
    """422, and no token is created."""
    answer = call(admin, "create", **BILLING | changed)

    assert 422 == answer.status_code, answer.text
    assert [field] == list(answer.json["errors"])
    assert 1 == database.tokens.count_documents({})


@pytest.mark.parametrize(
    ("maker", "child", "says"),
    [
        (("fetch:*", "create:*"), {}, "the token lacks a scope for this: token"),
        (("audit",), {}, "the token lacks a scope for this: token"),
        (("token",), {}, "yours does not hold fetch:team/app/*"),
        (("token", "fetch:team/app"), {}, "yours does not hold fetch:team/app/*"),
        (("token", "fetch:team/*"), {"scopes": ["admin"]}, "yours does not hold admin"),
    ],
)
def test_a_token_cannot_exceed_its_creator(
    call: Callable[..., TestResponse],
    give: Callable[..., str],
    maker: tuple[str, ...],
    child: dict[str, Any],
    says: str,
) -> None:
    """403, and the message says which scope is missing."""
    answer = call(give(*maker), "create", **BILLING | child)

    assert 403 == answer.status_code
    assert says in answer.json["detail"]


def test_each_generation_of_tokens_can_only_have_less(
    call: Callable[..., TestResponse], give: Callable[..., str], guarded: FlaskClient
) -> None:
    """In scopes, lifetime, networks and rate limit, end to end over HTTP."""
    parent = give("token", "fetch:team/*", expires_in=600, networks=("127.0.0.0/8",), rate_limit=50)
    less = {"expires_in": 300, "networks": ["127.0.0.1"], "rate_limit": 20}

    child = call(parent, "create", name="child", scopes=["token", "fetch:team/app/*"], **less).json["token"]
    refused = [
        call(child, "create", name="x", scopes=["fetch:team/app/*"], **less | {"expires_in": 3600}),
        call(child, "create", name="x", scopes=["fetch:team/app/*"], **less | {"networks": ["127.0.0.2"]}),
        call(child, "create", name="x", scopes=["fetch:team/app/*"], **less | {"rate_limit": 21}),
        call(child, "create", name="x", scopes=["fetch:team/other"], **less),
        call(child, "create", name="x", scopes=["fetch:team/app/*"], **less, renewable=True),
        call(child, "create", name="x", scopes=["fetch:team/app/*"]),
    ]
    grandchild = call(child, "create", name="x", scopes=["fetch:team/app/*"], **less | {"expires_in": 60})

    assert [403] * 6 == [answer.status_code for answer in refused]
    assert id_of(child) == grandchild.json["created_by"]
    assert 401 == post(guarded, WHOAMI, None, grandchild.json["token"], "127.0.0.2").status_code


@pytest.fixture
def family(call: Callable[..., TestResponse], give: Callable[..., str], admin: str) -> dict[str, str]:
    """Tokens by name: parent, child, grandchild, an unrelated one with the scope token, an administrator."""
    made = {"admin": admin, "parent": give("token", "fetch:*"), "unrelated": give("token", "fetch:*")}
    made["child"] = call(made["parent"], "create", name="c", scopes=["token", "fetch:*"]).json["token"]
    made["grandchild"] = call(made["child"], "create", name="g", scopes=["fetch:*"]).json["token"]
    return made


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("admin", {"admin", "parent", "child", "grandchild", "unrelated"}),
        ("parent", {"parent", "child"}),
        ("child", {"child", "grandchild"}),
        ("grandchild", {"grandchild"}),
        ("unrelated", {"unrelated"}),
    ],
)
def test_a_token_sees_itself_and_those_it_created(
    call: Callable[..., TestResponse], family: dict[str, str], who: str, sees: set[str]
) -> None:
    """Administrators see all; any other token is the same 404 as one that does not exist."""
    described = {name: call(family[who], "describe", token_id=id_of(family[name])) for name in family}

    assert sees == {name for name, answer in described.items() if answer.status_code == 200}
    unknown = call(family[who], "describe", token_id="0" * 16)
    for name in family.keys() - sees:
        assert unknown.json | {"request_id": ""} == described[name].json | {"request_id": ""}
        for operation in ("revoke", "renew"):
            assert 404 == call(family[who], operation, token_id=id_of(family[name])).status_code
    listed = call(family[who], "list")
    if who == "grandchild":
        assert 403 == listed.status_code
    else:
        assert {id_of(family[name]) for name in sees} == {
            token["token_id"] for token in listed.json["tokens"]
        }


def test_without_the_scope_token_a_token_sees_only_itself(
    call: Callable[..., TestResponse], family: dict[str, str], database: Database, store: Store
) -> None:
    """created_by alone is not enough: somebody may have altered it in the database."""
    database.tokens.update_one(
        {"_id": id_of(family["child"])}, {"$set": {"created_by": id_of(family["grandchild"])}}
    )

    assert 404 == call(family["grandchild"], "describe", token_id=id_of(family["child"])).status_code
    # For those who may see it, it is an altered record.
    assert 500 == call(family["admin"], "describe", token_id=id_of(family["child"])).status_code


@pytest.mark.parametrize(
    ("who", "target", "revoked"),
    [
        ("admin", "parent", ["parent"]),
        ("parent", "child", ["child"]),
        ("grandchild", None, ["grandchild"]),
        ("child", "child", ["child"]),
    ],
)
def test_revoke_ends_one_token_at_once(
    call: Callable[..., TestResponse],
    family: dict[str, str],
    who: str,
    target: str | None,
    revoked: list[str],
) -> None:
    """In the process that did it; with `descendants` false, tokens that were created with it stay valid."""
    for token in family.values():
        assert 200 == call(token, "whoami").status_code
    body = {} if target is None else {"token_id": id_of(family[target])}

    answer = call(family[who], "revoke", descendants=False, **body)

    assert [id_of(family[name]) for name in revoked] == answer.json["revoked"]
    working = {name for name, token in family.items() if call(token, "whoami").status_code == 200}
    assert family.keys() - set(revoked) == working


def test_revoke_includes_all_descendants(call: Callable[..., TestResponse], family: dict[str, str]) -> None:
    """All generations and no other token; repeating it changes nothing."""
    answer = call(family["admin"], "revoke", token_id=id_of(family["parent"]))
    again = call(family["admin"], "revoke", token_id=id_of(family["parent"]), descendants=True)

    revoked = [id_of(family[name]) for name in ("parent", "child", "grandchild")]
    assert sorted(revoked) == sorted(answer.json["revoked"]) == sorted(again.json["revoked"])
    assert (3, 0) == (answer.json["ended"], again.json["ended"])
    working = {name for name, token in family.items() if call(token, "whoami").status_code == 200}
    assert {"admin", "unrelated"} == working
    shown = call(family["admin"], "describe", token_id=revoked[1]).json
    assert datetime.fromisoformat(shown["revoked_at"]) <= now()


def test_a_revoked_token_creates_no_more_tokens(
    call: Callable[..., TestResponse], guarded: FlaskClient, family: dict[str, str], store: Store
) -> None:
    """Even in a process that still accepts it: the new token is revoked at once."""
    assert 200 == call(family["parent"], "whoami").status_code
    store.tokens.revoke([id_of(family["parent"])], now())  # by another process
    assert 200 == call(family["parent"], "whoami").status_code

    refused = call(family["parent"], "create", name="x", scopes=["fetch:*"])

    assert (401, "the token was revoked: ask its issuer for a new one") == (
        refused.status_code,
        refused.json["detail"],
    )
    (made,) = set(store.tokens.descendants([id_of(family["parent"])])) - {
        id_of(family["child"]),
        id_of(family["grandchild"]),
    }
    assert not store.tokens.is_alive(made)
    assert 401 == call(family["parent"], "whoami").status_code


def test_a_renewable_token_renews_itself(
    call: Callable[..., TestResponse], give: Callable[..., str], database: Database
) -> None:
    """By its lifetime, from then on."""
    token = give("fetch:*", expires_in=600, renewable=True)
    before = call(token, "whoami").json["token"]["expires_at"]

    renewed = call(token, "renew")

    assert 200 == renewed.status_code, renewed.text
    assert before < renewed.json["expires_at"]
    assert renewed.json == call(token, "whoami").json["token"]
    stored = database.tokens.find_one({"_id": id_of(token)})
    assert stored["expires_at"] == stored["ended_at"]


def test_renew_says_why_it_is_refused(
    call: Callable[..., TestResponse], give: Callable[..., str], admin: str, store: Store
) -> None:
    """Not renewable, expired, revoked, unknown."""
    plain, expired = give("fetch:*", expires_in=60), give("fetch:*", expires_in=-1, renewable=True)
    revoked = give("fetch:*", expires_in=60, renewable=True)
    store.tokens.revoke([id_of(revoked)], now())

    for token_id, status, says in (
        (id_of(plain), 403, "this token is not renewable"),
        (id_of(admin), 403, "this token is not renewable"),
        (id_of(expired), 403, "this token has expired and can no longer be renewed: create another"),
        (id_of(revoked), 404, "Token not found"),
        ("0" * 16, 404, "Token not found"),
        ("no id", 404, "Token not found"),
    ):
        answer = call(admin, "renew", token_id=token_id)
        assert (status, says) == (answer.status_code, answer.json["detail"])
    assert 401 == call(expired, "renew").status_code


def test_lists_page_by_page(
    call: Callable[..., TestResponse], give: Callable[..., str], admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each token once, sorted by id, and no empty last page."""
    created = {id_of(give("fetch:a")) for _ in range(PAGE + 5)} | {id_of(admin)}

    first = call(admin, "list").json
    second = call(admin, "list", after=first["next"]).json
    ids = [token["token_id"] for page in (first, second) for token in page["tokens"]]

    assert (PAGE, None) == (len(first["tokens"]), second["next"])
    assert sorted(created) == ids


@pytest.mark.parametrize("after", ["x", "0f3a5b7c9d1e2f4", "\ud800", "0f3a5b7c9d1e2f40\n"], ids=ascii)
def test_refuses_an_invalid_next(call: Callable[..., TestResponse], admin: str, after: str) -> None:
    """422 with a message that says what to pass."""
    refused = call(admin, "list", after=after)

    assert (422, {"after": ["invalid: pass `next` of the previous page"]}) == (
        refused.status_code,
        refused.json["errors"],
    )


def test_without_authentication_callers_have_no_token(client: FlaskClient) -> None:
    """Every caller is an administrator, and must name the token to revoke."""
    who = post(client, WHOAMI).json
    assert ("anonymous", ["admin"], None, None) == tuple(
        who[name] for name in ("actor", "scopes", "token", "session")
    )
    assert "authentication is off: anyone who can reach the port has full access" in who["warnings"]
    assert 404 == post(client, f"{TOKEN}revoke", {}).status_code
    created = post(client, f"{TOKEN}create", {"name": "first", "scopes": ["admin"]})
    assert ("anonymous", 200) == (created.json["created_by"], created.status_code)
    assert 200 == post(client, f"{TOKEN}revoke", {"token_id": created.json["token_id"]}).status_code


def test_whoami_has_what_a_client_must_know(make_client: Callable[..., FlaskClient]) -> None:
    """Its address as the service believes it, and the limits."""
    variables = {"MAX_SECRET_BYTES": "1000", "SHARE_MAX_SECONDS": "60", "PUBLIC_URL": "https://v.example.org"}

    who = post(make_client(**variables), WHOAMI, address="192.0.2.7").json

    assert ("192.0.2.7", "https://v.example.org") == (who["client_ip"], who["public_url"])
    assert {"max_secret_bytes": 1000, "share_max_seconds": 60} == who["limits"]
    without = post(make_client(**variables, SHARE_ENABLED="false"), WHOAMI).json
    assert without["limits"]["share_max_seconds"] is None


def test_a_token_created_without_authentication_works_with_it(
    client: FlaskClient, guarded: FlaskClient
) -> None:
    """So that authentication can be switched on without an interruption."""
    token = post(client, f"{TOKEN}create", {"name": "first", "scopes": ["admin"]}).json["token"]

    assert 200 == post(guarded, WHOAMI, None, token).status_code
