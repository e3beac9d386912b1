"""Where the drivers reach the API, which plugin is there, and when a token is replaced."""

import json
from typing import Any

import pytest

from service.access import scopes
from service.swarm_driver import plugin
from tests.roles import filters

FILTERS = filters("secret_driver")
addresses = FILTERS["secret_driver_addresses"]
plugin_state = FILTERS["secret_driver_plugin_state"]
named_by = FILTERS["secret_driver_named_by"]
tokens = FILTERS["secret_driver_tokens"]
is_good = FILTERS["secret_driver_token_is_good"]

NOW = "2026-01-01T00:00:00+00:00"
NETWORKS = ["192.0.2.11", "198.51.100.0/24"]
TOKEN: dict[str, Any] = {
    "token_id": "0123456789abcdef",
    "name": "secret-driver node-1",
    "scopes": ["deliver:*"],
    "networks": NETWORKS,
    "lifetime": 1000,
    "expires_at": "2026-01-01T00:10:00.000000+00:00",
    "revoked_at": None,
}


def node(name: str, **variables: str) -> dict[str, str]:
    """Return what hostvars has of a node."""
    return {"inventory_hostname": name, **variables}


def listed(**changes: Any) -> list[str]:
    """Return the list of tokens with one like ``TOKEN``."""
    return [json.dumps({**TOKEN, "token_id": "f" * 16}), json.dumps({**TOKEN, **changes})]


def test_a_node_asks_itself_first() -> None:
    """The others stay in their order; a node without a replica asks them all."""
    nodes = [node(f"node-{number}", ansible_host=f"192.0.2.1{number}") for number in (1, 2, 3)]
    urls = [f"https://192.0.2.1{number}:8000" for number in (1, 2, 3)]

    assert [urls[1], urls[0], urls[2]] == addresses(nodes, "node-2", "https", 8000)
    assert urls == addresses(nodes, "node-4", "https", "8000")


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({"ansible_host": "192.0.2.1", "swarm_advertise_addr": "10.0.0.1"}, "10.0.0.1"),
        ({"ansible_host": "192.0.2.1", "swarm_advertise_addr": "eth0"}, "192.0.2.1"),
        ({"ansible_host": "2001:db8::1"}, "[2001:db8::1]"),
        ({"swarm_advertise_addr": "127.0.0.1"}, "127.0.0.1"),
        ({}, "node-1"),
    ],
)
def test_the_address_is_one_that_the_certificate_has(variables: dict[str, str], address: str) -> None:
    """The engine's may be the name of an interface."""
    assert [f"http://{address}:1"] == addresses([node("node-1", **variables)], "x", "http", 1)


def test_without_a_node_there_is_no_address() -> None:
    """With what to do."""
    with pytest.raises(ValueError, match="put one into the group api_nodes"):
        addresses([], "node-1", "https", 8000)


@pytest.mark.parametrize(
    ("build", "enabled", "state"),
    [
        ("abc", True, "current"),
        ("abc", "true", "current"),
        ("abc", False, "disabled"),
        ("ab", True, "outdated"),
    ],
)
def test_a_plugin_says_what_it_was_built_from(build: str, enabled: object, state: str) -> None:
    """In its description, as the service's own program writes it."""
    described = {
        "Name": "secret-manager:latest",
        "Enabled": enabled,
        "Description": plugin.config(build)["description"],
    }

    assert state == plugin_state([json.dumps(described)], "secret-manager", "abc")


def test_another_plugin_of_that_name_is_foreign() -> None:
    """Other names and tags are others' plugins."""
    other = {"Name": "secret-manager:latest", "Enabled": True, "Description": "Some other (build abc)"}

    assert "foreign" == plugin_state([json.dumps(other)], "secret-manager", "abc")
    assert "absent" == plugin_state(
        [json.dumps({**other, "Name": name}) for name in ("secret-manager:v1", "x/secret-manager:latest")],
        "secret-manager",
        "abc",
    )


def test_finds_the_docker_secrets_that_name_the_driver() -> None:
    """With or without its tag."""
    drivers = {"b": "secret-manager:latest", "a": "secret-manager", "c": "", "d": "secret-manager2"}

    assert ["a", "b"] == named_by(
        [json.dumps({"Name": name, "Driver": driver}) for name, driver in drivers.items()], "secret-manager"
    )


def test_finds_the_tokens_of_a_manager() -> None:
    """Neither revoked ones nor those of a node whose name begins so."""
    lines = [*listed(revoked_at=NOW), json.dumps({**TOKEN, "name": "secret-driver node-10"})]

    assert ["f" * 16] == tokens(lines, "secret-driver node-1")


def good(lines: list[str], token_id: str = TOKEN["token_id"]) -> bool:
    """Ask about a manager's token."""
    return bool(is_good(lines, token_id, TOKEN["name"], NETWORKS[::-1], 1000, NOW))


def test_keeps_a_token_that_is_as_it_must_be() -> None:
    """With more than half of its lifetime."""
    assert good(listed())
    assert [scopes.parse("deliver:*")] == [scopes.parse(text) for text in TOKEN["scopes"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"token_id": "another"},
        {"name": "secret-driver node-2"},
        {"revoked_at": NOW},
        {"scopes": ["deliver:*", "fetch:*"]},
        {"networks": NETWORKS[:1]},
        {"networks": []},
        {"lifetime": None},
        {"lifetime": 2000},
        {"expires_at": "2026-01-01T00:08:19+00:00"},
        {"expires_at": "2025-12-31T00:00:00+00:00"},
    ],
    ids=str,
)
def test_replaces_a_token_that_is_not(changes: dict[str, Any]) -> None:
    """Whatever is wrong with it."""
    assert not good(listed(**changes))


def test_a_manager_without_a_token_gets_one() -> None:
    """Its file is missing, or holds something else."""
    assert not good(listed(), token_id="")
    assert not good([])
