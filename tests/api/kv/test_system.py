"""api.kv: what clients ask about the server, its mounts and their own token."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from service import readiness
from tests.api.kv.calls import DENIED, MEMBERS, Vault


def test_preflight(vault_as: Callable[..., Vault]) -> None:
    """Whatever the path is, with any scope below the mount."""
    for path in ("secret/data/team/x", "secret/team/none", "secret", "secret/a b/.c"):
        response = vault_as("list:team/x").get(f"sys/internal/ui/mounts/{path}")

        assert 200 == response.status_code
        assert MEMBERS == response.json.keys()
        found = response.json["data"]
        assert ("secret/", "kv", {"version": "2"}) == (found["path"], found["type"], found["options"])


@pytest.mark.parametrize(
    ("scope", "path"), [("admin", "none/x"), ("admin", "secretx"), ("token", "secret/a"), ("audit", "secret")]
)
def test_preflight_is_never_404(vault_as: Callable[..., Vault], scope: str, path: str) -> None:
    """That would mean version 1; people know this text."""
    response = vault_as(scope).get(f"sys/internal/ui/mounts/{path}")

    assert 403 == response.status_code
    text = "preflight capability check returned 403, please ensure client's policies grant access to path"
    assert [f'{text} "{path}/"'] == response.json["errors"]


def test_preflight_depends_on_the_prefix(
    make_client: Callable[..., FlaskClient], give: Callable[..., str]
) -> None:
    """A scope elsewhere is none on this mount."""
    client = make_client(AUTH_REQUIRED="true", KV_MOUNTS="kv=legacy/app")
    for scope, status in (("fetch:legacy/*", 200), ("fetch:legacy/app/x", 200), ("fetch:legacy/other", 403)):
        assert status == Vault(client, give(scope)).get("sys/internal/ui/mounts/kv/data/x").status_code


def test_shows_mounts(guarded: FlaskClient, kv: Vault, vault_as: Callable[..., Vault]) -> None:
    """To whoever has a token; the members of data are at the top level as well."""
    listed = kv.get("sys/mounts").json

    assert ["secret/"] == list(listed["data"])
    assert listed["secret/"] == listed["data"]["secret/"]
    assert {"version": "2"} == vault_as("fetch:x").get("sys/mounts/secret").json["options"]
    assert 0 == kv.get("sys/mounts/secret/tune").json["data"]["max_lease_ttl"]
    assert 400 == kv.get("sys/mounts/none").status_code
    assert ["secret/"] == list(kv.get("sys/internal/ui/mounts").json["data"]["secret"])
    assert {"secret": {}, "auth": {}} == Vault(guarded).get("sys/internal/ui/mounts").json["data"]
    assert DENIED == Vault(guarded, "s.wrong").get("sys/internal/ui/mounts").json


def test_health(guarded: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token, bare, and with the status that the query wants."""
    anyone = Vault(guarded)
    healthy = anyone.get("sys/health")
    assert (200, True, False) == (healthy.status_code, healthy.json["initialized"], healthy.json["sealed"])
    assert "data" not in healthy.json
    assert 299 == anyone.get("sys/health?activecode=299&sealedcode=298").status_code
    assert 400 == anyone.get("sys/health?activecode=ok").status_code

    monkeypatch.setattr(readiness.Readiness, "findings", lambda _self: {"database": "gone"})
    assert (503, True) == (anyone.get("sys/health").status_code, anyone.get("sys/health").json["sealed"])
    assert 299 == anyone.get("sys/health?sealedcode=299&standbycode=299").status_code
    assert True is anyone.get("sys/seal-status").json["sealed"]


def test_state_of_the_server(guarded: FlaskClient) -> None:
    """Without a token, bare."""
    anyone = Vault(guarded)

    assert {"initialized": True} == anyone.get("sys/init").json
    assert {"ha_enabled": False, "is_self": True, "leader_address": ""} == anyone.get("sys/leader").json
    seal = anyone.get("sys/seal-status").json
    assert ("shamir", False, 1, 1) == (seal["type"], seal["sealed"], seal["t"], seal["n"])


def test_lookup_self(guarded: FlaskClient, give: Callable[..., str]) -> None:
    """With all members that some client needs."""
    text = give("fetch:team/*", "token", expires_in=600, renewable=True)
    found = Vault(guarded, text).get("auth/token/lookup-self").json["data"]

    assert (text, text.split("_")[1]) == (found["id"], found["accessor"])
    assert ["fetch:team/*", "token"] == found["policies"]
    assert 590 <= found["ttl"] <= 600 == found["period"] == found["creation_ttl"]
    left = datetime.fromisoformat(found["expire_time"]).timestamp() - datetime.now(UTC).timestamp()
    assert abs(left - found["ttl"]) < 5
    assert (True, "service", 0, True) == (
        *(found["renewable"], found["type"]),
        *(found["num_uses"], found["orphan"]),
    )


def test_lookup_self_without_an_end(kv: Vault, client: FlaskClient, vault_as: Callable[..., Vault]) -> None:
    """Administrators, and everybody if authentication is off, have the policy root."""
    for each in (kv, Vault(client), Vault(client, "any")):
        found = each.get("auth/token/lookup-self").json["data"]
        assert (["root"], 0, None, False) == (
            *(found["policies"], found["ttl"]),
            *(found["expire_time"], found["renewable"]),
        )
    limited = vault_as("audit", max_uses=5)
    assert [4, 3] == [limited.get("auth/token/lookup-self").json["data"]["num_uses"] for _ in range(2)]


def test_renew_self(vault_as: Callable[..., Vault], kv: Vault) -> None:
    """With whatever increment, or with no body."""
    renewable = vault_as("audit", expires_in=600, renewable=True)
    for body in (None, {}, {"increment": 0}):
        response = renewable.put("auth/token/renew-self", body)

        assert (200, None) == (response.status_code, response.json["data"])
        auth = response.json["auth"]
        assert (True, "service", ["audit"]) == (auth["renewable"], auth["token_type"], auth["policies"])
        assert 590 <= auth["lease_duration"] <= 600
    refused = kv.put("auth/token/renew-self")
    assert (400, {"errors": ["lease is not renewable"]}) == (refused.status_code, refused.json)


def test_revoke_self(kv: Vault) -> None:
    """From then on it is as any other invalid token."""
    assert 204 == kv.put("auth/token/revoke-self").status_code
    assert DENIED == kv.get("auth/token/lookup-self").json


def test_capabilities(vault_as: Callable[..., Vault], kv: Vault) -> None:
    """In Vault's words, by path."""
    some = vault_as("fetch:team/*", "update:team/*", "list:team/*", "delete:team/x")
    paths = {
        "secret/data/team/x": ["delete", "patch", "read", "update"],
        "secret/data/team/y": ["patch", "read", "update"],
        "secret/metadata/team/": ["list", "patch", "read", "update"],
        "secret/metadata": ["list"],
        "secret/destroy/team/x": ["update"],
        "secret/subkeys/team/y": ["read"],
        "secret/data/other": ["deny"],
        "sys/policies": ["deny"],
        "none": ["deny"],
    }
    response = some.put("sys/capabilities-self", {"paths": list(paths), "token": "ignored"})

    assert paths == response.json["data"]
    assert paths.items() <= response.json.items()
    one = kv.put("sys/capabilities-self", {"path": "secret/data/x"}).json
    assert {"secret/data/x": ["root"], "capabilities": ["root"]} == one["data"]
    assert 400 == kv.put("sys/capabilities-self", {}).status_code
