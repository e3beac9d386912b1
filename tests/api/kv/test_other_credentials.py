"""api.kv: sessions and links of shares are no tokens for Vault's clients."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from service.api.kv import routes
from tests.api.kv.calls import DENIED, Vault
from tests.calls import SESSION, SHARE, WHOAMI, post

# What names somebody else's token in its body, and what needs none.
OPEN = ("sys/health", "sys/seal-status", "sys/leader", "sys/init", "auth/approle/login", "sys/wrapping/")


@pytest.fixture
def guarded(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    """A client of an application that demands tokens, and lets more calls fail than there are."""
    return make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="1000")


@pytest.fixture
def owner(give: Callable[..., str]) -> str:
    """An administrator's token, which may do anything here."""
    return give("admin")


@pytest.fixture(params=["session", "link"])
def credential(request: pytest.FixtureRequest, guarded: FlaskClient, owner: str) -> str:
    """What somebody with a token has made with it, and is no token."""
    if request.param == "session":
        created = post(guarded, SESSION + "create", {}, owner)
    else:
        created = post(guarded, SHARE + "create", {"for": "Grace", "secret": "YQ=="}, owner)
    return str(created.json[request.param])


def requests() -> list[tuple[str, str]]:
    """Return method and path of every call that takes a token."""
    return [
        (method, name.removeprefix("/v1/").replace("<mount>", "secret").replace("<path>", "team/a"))
        for method, name in routes.templates()
        if not name.removeprefix("/v1/").startswith(OPEN)
    ]


@pytest.mark.parametrize("header", ["X-Vault-Token", "Authorization"])
def test_every_call_answers_it_like_an_unknown_token(
    guarded: FlaskClient, database: Database, credential: str, header: str
) -> None:
    """Whatever is asked for, and whether there is such a thing."""
    sent = {header: credential if header == "X-Vault-Token" else f"Bearer {credential}"}
    assert {"auth/token/create", "auth/token/renew-self", "auth/token/revoke-self", "secret/data/team/a"} <= {
        path for _, path in requests()
    }

    for method, path in requests():
        content = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
        response = Vault(guarded).send(method, path, {"data": {"x": "y"}}, sent | content)
        assert (403, DENIED) == (response.status_code, response.json), (method, path)

    assert 0 == database.tokens.count_documents({"created_by": {"$ne": "operator"}})
    assert 0 == database.secrets.count_documents({"path": "team/a"})
    assert {"malformed token"} == set(database.audit_logs.distinct("reason", {"api": "v1"}))


def test_nothing_is_done_to_it_as_a_token_in_a_body(
    guarded: FlaskClient, owner: str, credential: str
) -> None:
    """Not looked up, not renewed, not revoked, not unwrapped: it goes on working."""
    kv = Vault(guarded, owner)

    assert (403, {"errors": ["bad token"]}) == answer(kv, "auth/token/lookup", credential)
    assert (400, {"errors": ["token not found"]}) == answer(kv, "auth/token/renew", credential)
    assert (204, None) == answer(kv, "auth/token/revoke", credential)
    assert 400 == answer(kv, "sys/wrapping/unwrap", credential)[0]
    assert 400 == answer(kv, "sys/wrapping/lookup", credential)[0]
    assert 400 == Vault(guarded, credential).put("sys/wrapping/unwrap").status_code
    if credential.startswith("sme_"):
        assert 200 == post(guarded, WHOAMI, None, credential).status_code
    else:
        assert "waiting" == post(guarded, SHARE + "peek", {"link": credential}).json["state"]
        assert 401 == post(guarded, WHOAMI, None, credential).status_code


def answer(kv: Vault, path: str, credential: str) -> tuple[int, object]:
    """Return status and body of a call that names a token in its body."""
    response = kv.put(path, {"token": credential})
    return response.status_code, response.json if response.data else None
