"""api.kv: the login with AppRole, as Ansible, agents, External Secrets, Spring and Terraform send it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pymongo.database import Database

from tests.api.kv.calls import MEMBERS, Vault
from tests.approles.roles import Role, guess, make_role
from tests.calls import id_of

LOGIN = "auth/approle/login"
WRONG = {"errors": ["invalid role or secret ID"]}


@pytest.fixture
def role(guarded: FlaskClient, give: Callable[..., str]) -> Role:
    """A role that may fetch what is below ``team``."""
    return make_role(guarded, give("admin"))


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_logs_in(guarded: FlaskClient, kv: Vault, role: Role, method: str) -> None:
    """Without a token; the new one is renewable and has the role's scopes and name."""
    kv.write("team/db", x="1")
    body = {"role_id": role.role_id, "secret_id": role.secret_id()}

    response = Vault(guarded).send(method, LOGIN, body)

    assert (200, MEMBERS, None) == (response.status_code, response.json.keys(), response.json["data"])
    auth = response.json["auth"]
    assert (["fetch:team/*"], {"role_name": "ci"}, 1200, True, "service", True) == (
        *(auth["policies"], auth["metadata"], auth["lease_duration"]),
        *(auth["renewable"], auth["token_type"], auth["orphan"]),
    )
    program = Vault(guarded, auth["client_token"])
    assert {"x": "1"} == program.get("secret/data/team/db").json["data"]["data"]
    assert {"role_name": "ci"} == program.put("auth/token/renew-self").json["auth"]["metadata"]
    found = program.get("auth/token/lookup-self").json["data"]
    assert ("auth/approle/login", {"role_name": "ci"}, 1200) == (
        found["path"],
        found["meta"],
        found["period"],
    )


def test_a_token_that_is_sent_as_well_means_nothing(guarded: FlaskClient, role: Role) -> None:
    """Not even an invalid one."""
    body = {"role_id": role.role_id, "secret_id": role.secret_id()}

    assert 200 == Vault(guarded, "s.old").put(LOGIN, body).status_code


def test_everything_wrong_has_one_answer(
    make_client: Callable[..., FlaskClient], give: Callable[..., str], database: Database
) -> None:
    """400, counted as a failure; the audit log has the reason."""
    client = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="1000")
    role = make_role(client, give("admin"))
    secret_id = role.secret_id()
    used_up = role.secret_id(max_uses=1)
    assert 200 == role.log_in(used_up).status_code
    bodies: list[dict[str, Any]] = [
        {},
        {"role_id": role.role_id},
        {"secret_id": secret_id},
        {"role_id": "0" * 16, "secret_id": secret_id},
        {"role_id": "ci", "secret_id": secret_id},
        {"role_id": role.role_id, "secret_id": guess(id_of(secret_id))},
        {"role_id": role.role_id, "secret_id": "3f0f7b52-0000-4000-8000-000000000000"},
        {"role_id": role.role_id, "secret_id": used_up},
        {"role_id": role.role_id, "secret_id": 1},
        {"role_id": [role.role_id], "secret_id": secret_id},
    ]
    for body in bodies:
        response = Vault(client).put(LOGIN, body)
        assert (400, WRONG) == (response.status_code, response.json), body

    failed = list(database.audit_logs.find({"operation": "approle_login", "status": "failure"}))
    assert len(bodies) == len(failed)
    assert {"v1"} == {record["api"] for record in failed}
    assert {"invalid login", "secret id used up"} == {record["reason"] for record in failed}
    counts = [each["count"] for each in database.attempts.find({"_id": {"$regex": "^failures from"}})]
    assert len(bodies) == sum(counts)


def test_too_many_are_429(make_client: Callable[..., FlaskClient], give: Callable[..., str]) -> None:
    """Malformed bodies count too; a right secret id is let in all the same."""
    client = make_client(AUTH_REQUIRED="true", AUTH_FAILURES_PER_MINUTE="2")
    role = make_role(client, give("admin"))
    body = {"role_id": role.role_id, "secret_id": role.secret_id()}
    statuses = [Vault(client).send("PUT", LOGIN, data="{").status_code for _ in range(4)]

    refused = Vault(client).put(LOGIN, {})
    assert 400 == statuses[0]
    assert (429, True) == (refused.status_code, int(refused.headers["Retry-After"]) >= 1)
    assert 200 == Vault(client).put(LOGIN, body).status_code


def test_only_by_writing(guarded: FlaskClient) -> None:
    """Other methods as elsewhere; other logins are refused."""
    assert 405 == Vault(guarded).get(LOGIN).status_code
    assert 403 == Vault(guarded).put("auth/userpass/login/me", {"password": "x"}).status_code


def test_without_authentication(client: FlaskClient) -> None:
    """What a client was configured with goes on working in ``dev``."""
    role = make_role(client, "")

    response = Vault(client).put(LOGIN, {"role_id": role.role_id, "secret_id": role.secret_id()})

    assert 200 == response.status_code, response.text


def test_records_the_login(guarded: FlaskClient, role: Role, database: Database) -> None:
    """As natively, and neither text is stored."""
    secret_id = role.secret_id()
    token = Vault(guarded).put(LOGIN, {"role_id": role.role_id, "secret_id": secret_id}).json["auth"]

    (record,) = database.audit_logs.find({"operation": "approle_login"})
    assert ("success", "v1", f"approle:{role.role_id}", role.role_id, id_of(secret_id)) == (
        *(record["status"], record["api"], record["actor"]),
        *(record["role_id"], record["accessor"]),
    )
    assert token["accessor"] == record["token_id"]
    for text in (secret_id, token["client_token"]):
        secret = text.split("_")[2][:64]
        for name in database.list_collection_names():
            assert not [one for one in database[name].find() if secret in str(one)], name
