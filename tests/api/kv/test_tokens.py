"""api.kv: makes, shows, renews and revokes tokens other than the caller's."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database
from werkzeug.test import TestResponse

from service.access.token_format import Credential
from tests.api.kv.calls import DENIED, MEMBERS, Vault
from tests.calls import TOKEN, UNKNOWN, id_of, post

CREATE = "auth/token/create"
AUTH = {
    *("client_token", "accessor", "policies", "token_policies", "metadata", "lease_duration"),
    *("renewable", "entity_id", "token_type", "orphan", "mfa_requirement", "num_uses"),
}
# What bao and Ansible send always.
EMPTY = {
    "policies": None,
    "meta": {},
    "ttl": "",
    "explicit_max_ttl": "0s",
    "period": "",
    "num_uses": 0,
    "display_name": "",
    "no_parent": False,
    "no_default_policy": False,
    "type": "service",
    "renewable": True,
    "entity_alias": "",
}


def made(maker: Vault, path: str = CREATE, **body: Any) -> dict[str, Any]:
    """Make a token, and return what its maker gets of it."""
    response = maker.put(path, body)
    assert (200, MEMBERS, None) == (response.status_code, response.json.keys(), response.json["data"])
    auth: dict[str, Any] = response.json["auth"]
    return auth


def refused(response: TestResponse, status: int, text: str) -> None:
    """Check the status and the text of an error."""
    assert (status, {"errors": [text]}) == (response.status_code, response.json)


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_makes_a_token(guarded: FlaskClient, kv: Vault, method: str) -> None:
    """With these scopes and this lifetime, renewable; the answer has all members that clients read."""
    body = {**EMPTY, "policies": ["default", "fetch:team/*"], "ttl": "1h", "display_name": "ci"}

    auth = kv.send(method, CREATE, body).json["auth"]

    assert AUTH == auth.keys()
    assert (["fetch:team/*"], ["fetch:team/*"], 3600, True, "service", 0) == (
        *(auth["policies"], auth["token_policies"], auth["lease_duration"]),
        *(auth["renewable"], auth["token_type"], auth["num_uses"]),
    )
    assert auth["accessor"] == id_of(auth["client_token"])
    found = Vault(guarded, auth["client_token"]).get("auth/token/lookup-self").json["data"]
    assert ("token-ci", ["fetch:team/*"], 3600) == (
        found["display_name"],
        found["policies"],
        found["creation_ttl"],
    )


@pytest.mark.parametrize("body", [{}, EMPTY, {"policies": []}, {"policies": ""}])
def test_without_policies_it_has_all_of_its_maker(vault_as: Callable[..., Vault], body: Any) -> None:
    """For 32 days."""
    auth = made(vault_as("fetch:team/*", "token"), **body)

    assert (["fetch:team/*", "token"], 32 * 86_400) == (auth["policies"], auth["lease_duration"])


def test_the_policy_of_everybody_gives_nothing(kv: Vault) -> None:
    """Whoever asks for that one alone must not get all of the maker's."""
    assert [] == made(kv, policies=["default"])["policies"]
    assert ["root"] == made(kv, policies="root,default")["policies"]


def test_the_default_lifetime_is_a_setting(
    make_client: Callable[..., FlaskClient], give: Callable[..., str]
) -> None:
    """Up to which a maker that ends later is free."""
    client = make_client(AUTH_REQUIRED="true", KV_TOKEN_TTL_SECONDS="90")

    assert 90 == made(Vault(client, give("token")))["lease_duration"]


@pytest.mark.parametrize(
    "body",
    [
        {"policies": ["nonsense:x"]},
        {"policies": [1]},
        {"policies": {"a": "b"}},
        {"ttl": "soon"},
        {"ttl": -1},
        {"explicit_max_ttl": "1 hour"},
        {"period": []},
        {"num_uses": -1},
        {"num_uses": "many"},
        {"display_name": 1},
        {"display_name": "x" * 200},
        {"display_name": UNKNOWN},
        {"renewable": "perhaps"},
        {"type": "batch"},
        {"type": "other"},
        {"id": "my-token"},
        {"entity_alias": "me"},
        {"policies": ["token"], "num_uses": 1},
    ],
)
def test_refuses_what_there_is_not(kv: Vault, body: dict[str, Any]) -> None:
    """400, and nothing of a token that was sent by mistake comes back."""
    response = kv.put(CREATE, body)

    assert 400 == response.status_code, response.text
    assert response.json["errors"]
    assert UNKNOWN not in response.text


def test_only_with_the_scope_and_no_more_than_the_maker(vault_as: Callable[..., Vault]) -> None:
    """403, with the text that clients know first."""
    for path in (CREATE, "auth/token/create-orphan", "auth/token/lookup", "auth/token/renew"):
        response = vault_as("fetch:*").put(path, {"token": UNKNOWN})
        assert 403 == response.status_code
        assert ["permission denied", "the token lacks a scope for this: token"] == response.json["errors"]
    response = vault_as("token", "fetch:team/*").put(CREATE, {"policies": ["fetch:*"]})
    assert (403, "permission denied") == (response.status_code, response.json["errors"][0])


def test_a_token_lives_no_longer_than_its_maker(vault_as: Callable[..., Vault]) -> None:
    """It is shortened and not renewable, and warnings say so; Terraform makes one in this way."""
    maker = vault_as("token", "fetch:*", expires_in=600)
    response = maker.put(CREATE, {"ttl": "1h", "renewable": True})

    assert 590 <= response.json["auth"]["lease_duration"] < 600
    assert False is response.json["auth"]["renewable"]
    shortened, not_renewable = response.json["warnings"]
    assert shortened.startswith('TTL of "1h0m0s" exceeded the effective max_ttl of "9m')
    assert not_renewable.startswith("not renewable: ")
    short = maker.put(CREATE, {"ttl": "5m", "renewable": False})
    assert (300, None) == (short.json["auth"]["lease_duration"], short.json["warnings"])


def test_a_token_keeps_the_networks_and_the_rate_of_its_maker(
    guarded: FlaskClient, give: Callable[..., str], vault_as: Callable[..., Vault]
) -> None:
    """Clients cannot name these."""
    maker = vault_as("token", networks=("127.0.0.0/8",), rate_limit=100)

    shown = post(guarded, TOKEN + "describe", {"token_id": made(maker)["accessor"]}, give("admin")).json

    assert (["127.0.0.0/8"], 100) == (shown["networks"], shown["rate_limit"])


def test_explicit_max_ttl_is_the_end(kv: Vault) -> None:
    """Nothing renews past it."""
    response = kv.put(CREATE, {"ttl": "30m", "explicit_max_ttl": "5m", "renewable": False})
    assert (300, False) == tuple(response.json["auth"][name] for name in ("lease_duration", "renewable"))
    text = 'TTL of "30m0s" exceeded the effective max_ttl of "5m0s"; TTL value is capped accordingly'
    assert [text] == response.json["warnings"]
    renewable = kv.put(CREATE, {"ttl": "5m", "explicit_max_ttl": "30m"}).json
    assert (300, False) == (renewable["auth"]["lease_duration"], renewable["auth"]["renewable"])
    assert ["not renewable: it has an explicit_max_ttl"] == renewable["warnings"]


def test_period(kv: Vault) -> None:
    """Each renewal gives as much, and a look-up tells it."""
    auth = made(kv, period="30m")

    assert (1800, True) == (auth["lease_duration"], auth["renewable"])
    assert 1800 == kv.put("auth/token/lookup", {"token": auth["client_token"]}).json["data"]["period"]


def test_uses_are_limited(guarded: FlaskClient, kv: Vault) -> None:
    """Each call takes one; what is used up is no token any more."""
    auth = made(kv, policies=["audit"], num_uses="2")
    token = auth["client_token"]
    limited = Vault(guarded, token)

    assert 2 == auth["num_uses"]
    assert 1 == limited.get("auth/token/lookup-self").json["data"]["num_uses"]
    assert 1 == kv.put("auth/token/lookup", {"token": token}).json["data"]["num_uses"]
    limited.get("auth/token/lookup-self")
    assert DENIED == limited.get("auth/token/lookup-self").json
    refused(kv.put("auth/token/lookup", {"token": token}), 403, "bad token")


@pytest.mark.parametrize(("path", "body"), [("auth/token/create-orphan", {}), (CREATE, {"no_parent": True})])
def test_there_are_no_orphans(
    guarded: FlaskClient, kv: Vault, give: Callable[..., str], path: str, body: dict[str, Any]
) -> None:
    """Whoever has stolen a token must not outlive its revocation; so it descends, and a warning says so."""
    text = give("token")
    response = Vault(guarded, text).put(path, body)

    assert "no orphan" in response.json["warnings"][0]
    assert False is response.json["auth"]["orphan"]
    orphan = Vault(guarded, response.json["auth"]["client_token"])
    assert 200 == orphan.get("auth/token/lookup-self").status_code
    assert 204 == kv.put("auth/token/revoke", {"token": text}).status_code
    assert DENIED == orphan.get("auth/token/lookup-self").json


def test_what_is_not_kept_is_said(kv: Vault) -> None:
    """Metadata of tokens."""
    assert ["meta is not kept"] == kv.put(CREATE, {"meta": {"team": "a"}}).json["warnings"]


def test_lookup(kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """Of whoever's token: its text shows that the caller has it. Without one, of the caller's own."""
    token = made(kv, policies=["fetch:a"], ttl=600)["client_token"]
    found = vault_as("token").put("auth/token/lookup", {"token": token}).json["data"]
    own = vault_as("token").get("auth/token/lookup").json["data"]

    assert (token, id_of(token), ["fetch:a"], "service", False, 0) == (
        *(found["id"], found["accessor"], found["policies"]),
        *(found["type"], found["orphan"], found["num_uses"]),
    )
    assert 590 < found["ttl"] <= 600 == found["creation_ttl"]
    assert ["token"] == own["policies"]


def guess(token: str) -> str:
    """Return a well-formed token with the same id."""
    return Credential(id_of(token), bytes(32)).text


def test_a_dead_token_is_bad(kv: Vault) -> None:
    """As one that never was, or a guess of a known one's text."""
    token = made(kv, policies=["fetch:a"])["client_token"]
    for text in (UNKNOWN, "s.abc", guess(token)):
        refused(kv.put("auth/token/lookup", {"token": text}), 403, "bad token")
        refused(kv.put("auth/token/renew", {"token": text}), 400, "token not found")
    kv.put("auth/token/revoke", {"token": token})
    refused(kv.put("auth/token/lookup", {"token": token}), 403, "bad token")
    assert 400 == kv.put("auth/token/lookup", {"token": 1}).status_code


def test_renew(kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """Whatever the increment; whoever has its text may."""
    token = made(kv, policies=["fetch:a"], ttl="10m")["client_token"]

    response = vault_as("token").put("auth/token/renew", {"token": token, "increment": "1h"})

    assert (200, AUTH, None) == (
        response.status_code,
        response.json["auth"].keys(),
        response.json["data"],
    )
    assert (token, 600, True) == tuple(
        response.json["auth"][name] for name in ("client_token", "lease_duration", "renewable")
    )
    fixed = made(kv, policies=["fetch:a"], renewable=False)["client_token"]
    refused(kv.put("auth/token/renew", {"token": fixed}), 400, "lease is not renewable")
    refused(kv.put("auth/token/renew", {}), 400, "missing token ID")


def test_revoke_ends_descendants_too(
    guarded: FlaskClient, kv: Vault, vault_as: Callable[..., Vault], database: Database
) -> None:
    """Once more does no harm; the log names who did it."""
    token = made(kv, policies=["token", "fetch:a"])["client_token"]
    child = made(Vault(guarded, token), policies=["fetch:a"])["client_token"]

    for _ in range(2):
        assert 204 == vault_as("token").put("auth/token/revoke", {"token": token}).status_code
    for each in (token, child):
        assert DENIED == Vault(guarded, each).get("auth/token/lookup-self").json
    record = database.audit_logs.find_one({"operation": "token_revoke", "token_id": id_of(token)})
    assert record is not None
    assert ("success", "v1") == (record["status"], record["api"])
    assert record["actor"] not in (id_of(token), "anonymous")


def test_revoke_of_no_token(guarded: FlaskClient, kv: Vault, database: Database) -> None:
    """204, and of a guess as well, which revokes nothing."""
    token = made(kv)["client_token"]
    for text in (UNKNOWN, "s.abc", guess(token)):
        assert 204 == kv.put("auth/token/revoke", {"token": text}).status_code
    assert 200 == Vault(guarded, token).get("auth/token/lookup-self").status_code
    refused(kv.put("auth/token/revoke", {}), 400, "missing token ID")
    reasons = [record["reason"] for record in database.audit_logs.find({"operation": "token_revoke"})]
    assert ["invalid token", "malformed token", "invalid token", "invalid fields"] == reasons


def test_a_revocation_that_was_cut_short_can_be_repeated(
    guarded: FlaskClient, kv: Vault, database: Database
) -> None:
    """The token itself is revoked already, its descendants are not."""
    token = made(kv, policies=["token"])["client_token"]
    child = Vault(guarded, made(Vault(guarded, token))["client_token"])
    post(guarded, TOKEN + "revoke", {"descendants": False}, token)
    assert 200 == child.get("auth/token/lookup-self").status_code

    assert 204 == kv.put("auth/token/revoke", {"token": token}).status_code

    assert DENIED == child.get("auth/token/lookup-self").json


def test_accessors(guarded: FlaskClient, kv: Vault) -> None:
    """They show all but the text, and revoke."""
    token = made(kv, policies=["fetch:a"])["client_token"]
    accessor = {"accessor": id_of(token)}

    found = kv.put("auth/token/lookup-accessor", accessor).json["data"]
    assert ("", id_of(token), ["fetch:a"]) == (found["id"], found["accessor"], found["policies"])
    assert 204 == kv.put("auth/token/revoke-accessor", accessor).status_code
    assert DENIED == Vault(guarded, token).get("auth/token/lookup-self").json
    refused(kv.put("auth/token/lookup-accessor", accessor), 400, "invalid accessor")
    assert 204 == kv.put("auth/token/revoke-accessor", accessor).status_code


def test_accessors_are_the_makers(kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """Of others' tokens nobody but administrators learns anything."""
    accessor = made(kv, policies=["fetch:a"])["accessor"]
    lookup, revoke = "auth/token/lookup-accessor", "auth/token/revoke-accessor"
    for text in (accessor, "0" * 16, UNKNOWN):
        refused(vault_as("token").put(lookup, {"accessor": text}), 400, "invalid accessor")
        unknown = vault_as("token").put(revoke, {"accessor": text})
        assert (200, ["No token found with this accessor"]) == (unknown.status_code, unknown.json["warnings"])
    for path in (lookup, revoke):
        refused(kv.put(path, {}), 400, "missing accessor")
        assert 403 == vault_as("fetch:a").put(path, {"accessor": accessor}).status_code
    assert 200 == kv.put("auth/token/lookup-accessor", {"accessor": accessor}).status_code


def test_without_authentication(client: FlaskClient) -> None:
    """Everybody makes tokens, which are good for nothing but themselves."""
    anybody = Vault(client)
    token = made(anybody, policies=["fetch:a"])["client_token"]

    assert ["fetch:a"] == anybody.put("auth/token/lookup", {"token": token}).json["data"]["policies"]
    assert ["root"] == anybody.put("auth/token/lookup").json["data"]["policies"]


def test_records_as_natively(kv: Vault, database: Database) -> None:
    """Operation, and which token it was about; no text of a token is stored."""
    token = made(kv, policies=["fetch:a"])["client_token"]
    for name in ("lookup", "renew", "revoke"):
        kv.put(f"auth/token/{name}", {"token": token})
    kv.put("auth/token/lookup-accessor", {"accessor": id_of(token)})

    records = list(database.audit_logs.find({"token_id": id_of(token)}, sort=[("_id", 1)]))
    assert ["token_create", "token_describe", "token_renew", "token_revoke", "token_describe"] == [
        record["operation"] for record in records
    ]
    secret = token.split("_")[2][:64]
    for name in database.list_collection_names():
        assert not [one for one in database[name].find() if secret in str(one)], name
