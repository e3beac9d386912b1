"""terraform-provider-vault 5, `vault_kv_secret_v2`, with ``skip_child_token``: its requests in their order.

From its sources, ``vault/{data_source,resource}_kv_secret_v2.go``.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.wire import Wire

# What its parser of Go's durations takes.
DURATION = re.compile(r"([0-9]+h)?([0-9]+m)?[0-9]+s")


@pytest.fixture
def terraform(client: Callable[..., Wire]) -> Wire:
    """Its client, which may do everything to the secrets of a team."""
    return client(*(f"{action}:team/*" for action in ("fetch", "list", "create", "update", "delete")))


def begin(terraform: Wire) -> None:
    """Do what it does before anything else: look at its token and at the server's version."""
    found = terraform.get("auth/token/lookup-self")["data"]
    assert isinstance(found["policies"], list)
    version = terraform.get("sys/seal-status")["version"]
    assert (1, 18) <= tuple(int(part) for part in version.split("+")[0].split(".")[:2])


def apply(
    terraform: Wire, path: str, data: dict[str, str], options: dict[str, str], metadata: dict[str, Any]
) -> None:
    """Write a resource: options are texts, and beside them there is always a number that means nothing."""
    terraform.put(f"secret/data/{path}", {"data": data, "cas": 0, "options": options})
    if metadata:
        terraform.put(f"secret/metadata/{path}", metadata)


def refresh(terraform: Wire, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a resource: its data with the version's metadata, then its own metadata."""
    data = terraform.get(f"secret/data/{path}")["data"]
    metadata = terraform.get(f"secret/metadata/{path}")["data"]
    assert isinstance(metadata["max_versions"], int)
    assert isinstance(metadata["cas_required"], bool)
    assert DURATION.fullmatch(metadata["delete_version_after"])
    return data, metadata


def test_data_source(client: Callable[..., Wire]) -> None:
    """Current and older values, names, and the list."""
    admin, terraform = client("admin"), client("fetch:team/*", "list:team/*")
    admin.write("team/app", password="old")
    admin.write("team/app", password="new", more={"deep": "x"})
    begin(terraform)

    assert {"password": "new", "more": {"deep": "x"}} == terraform.get("secret/data/team/app")["data"]["data"]
    older = terraform.get("secret/data/team/app?version=1")["data"]
    assert ({"password": "old"}, 1, None) == (
        older["data"],
        older["metadata"]["version"],
        older["metadata"]["custom_metadata"],
    )
    assert ["app"] == terraform.get("secret/metadata/team/?list=true")["data"]["keys"]
    names = terraform.get("secret/subkeys/team/app?depth=1&version=0")["data"]["subkeys"]
    assert {"password": None, "more": None} == names
    # The plan fails with the texts in here.
    assert {"errors": []} == terraform.absent("secret/data/team/nothing").json()
    assert "permission denied" == terraform.send("GET", "secret/data/other").json()["errors"][0]


def test_resource(terraform: Wire) -> None:
    """Created, found without a difference, changed and destroyed."""
    begin(terraform)
    wanted = {"max_versions": 5, "delete_version_after": 12600, "custom_metadata": {"owner": "team"}}
    apply(terraform, "team/app", {"password": "a"}, {"cas": "0"}, wanted)

    data, metadata = refresh(terraform, "team/app")
    assert {"password": "a"} == data["data"]
    assert {"owner": "team"} == data["metadata"]["custom_metadata"] == metadata["custom_metadata"]
    assert (5, "3h30m0s") == (metadata["max_versions"], metadata["delete_version_after"])

    apply(terraform, "team/app", {"password": "b"}, {"cas": "1"}, {})
    apply(terraform, "team/app", {"password": "c"}, {}, {})
    assert 3 == refresh(terraform, "team/app")[0]["metadata"]["version"]
    lost = terraform.send("PUT", "secret/data/team/app", {"data": {}, "options": {"cas": "1"}})
    assert 400 == lost.status_code

    terraform.delete("secret/data/team/app")
    assert terraform.absent("secret/data/team/app").json()["data"]["data"] is None


def test_resource_with_all_versions(terraform: Wire) -> None:
    """``delete_all_versions`` frees the path."""
    apply(terraform, "team/app", {"password": "a"}, {}, {})

    terraform.delete("secret/metadata/team/app")

    assert {"errors": []} == terraform.absent("secret/data/team/app").json()
    apply(terraform, "team/app", {"password": "a"}, {}, {})
    assert 1 == refresh(terraform, "team/app")[0]["metadata"]["version"]


def test_makes_a_child_token(client: Callable[..., Wire]) -> None:
    """By default it works with one that lives for twenty minutes; its own needs the scope `token`."""
    admin, parent = client("admin"), client("token", "fetch:team/*")
    admin.write("team/app", password="hunter2")
    begin(parent)
    wanted = {"display_name": "terraform", "ttl": "1200s", "explicit_max_ttl": "1200s", "renewable": False}

    made = parent.send("POST", "auth/token/create", wanted)

    assert 200 == made.status_code, made.text
    auth = made.json()["auth"]
    assert (False, True) == (auth["renewable"], 1190 < auth["lease_duration"] <= 1200)
    child = parent.with_token(auth["client_token"])
    assert {"password": "hunter2"} == child.get("secret/data/team/app")["data"]["data"]
    assert 403 == child.send("GET", "secret/data/other").status_code
    refused = client("fetch:team/*").send("POST", "auth/token/create", wanted)
    assert 403 == refused.status_code
    # It revokes the child at the end.
    child.put("auth/token/revoke-self")
    assert 403 == child.send("GET", "secret/data/team/app").status_code
