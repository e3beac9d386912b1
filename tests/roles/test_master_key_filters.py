"""Which master keys there are, and which one is the primary one."""

from typing import Any

import pytest

from tests.roles import filters

state = filters("master_key")["master_key_state"]
to_export = filters("master_key")["master_key_to_export"]


def secret(name: str, **labels: str) -> dict[str, Any]:
    """Return a Docker secret as ``docker secret inspect`` prints it."""
    return {"Spec": {"Name": name, "Labels": labels or None}}


def service(name: str, environment: list[str], **files: str) -> dict[str, Any]:
    """Return a service as ``docker service inspect`` prints it; ``files`` are file names by secret."""
    mounted = [{"SecretName": secret, "File": {"Name": file}} for secret, file in files.items()]
    return {
        "Spec": {
            "Name": name,
            "TaskTemplate": {"ContainerSpec": {"Env": environment, "Secrets": mounted or None}},
        }
    }


def read(secrets: list[Any], services: list[Any]) -> dict[str, Any]:
    """Return the state of the keys ``key_v…`` and the service ``stack_api``."""
    found: dict[str, Any] = state({"secrets": secrets, "services": services}, "key_v", "stack_api")
    return found


def test_an_empty_swarm_has_no_keys() -> None:
    """And so no primary one."""
    assert {"names": [], "escrowed": {}, "mounted": [], "primary": ""} == read([], [])


def test_keys_are_sorted_by_their_number() -> None:
    """Docker's filter is a prefix, so others are among what it finds."""
    found = read([secret("key_v10"), secret("key_v9"), secret("key_v9_old"), secret("key_vault")], [])

    assert ["key_v9", "key_v10"] == found["names"]
    assert "key_v10" == found["primary"]


def test_the_service_says_which_key_is_the_primary_one() -> None:
    """During a rotation it is not the newest."""
    found = read(
        [secret("key_v1"), secret("key_v2")],
        [
            service("stack_api-2", ["MASTER_KEY_PRIMARY=key_v2"]),
            service(
                "stack_api",
                ["A=b", "MASTER_KEY_PRIMARY=key_v1"],
                key_v2="master_keys/key_v2",
                key_v1="master_keys/key_v1",
                uri="mongo_uri",
            ),
        ],
    )

    assert "key_v1" == found["primary"]
    assert ["key_v1", "key_v2"] == found["mounted"]


def test_a_service_with_a_single_file_has_that_key() -> None:
    """It was deployed before there were rotations."""
    found = read([secret("key_v1"), secret("key_v2")], [service("stack_api", [], key_v1="master_key")])

    assert "key_v1" == found["primary"]


def test_a_key_that_was_restored_as_another_is_not_the_primary_one() -> None:
    """Whatever its number, until a service says so; a key that was made since is newer than those."""
    restored = [secret("key_v1"), secret("key_v2", **{"secret-manager.primary": "false"})]

    assert "key_v1" == read(restored, [])["primary"]
    assert "key_v3" == read([*restored, secret("key_v3")], [])["primary"]
    assert "key_v2" == read(restored[1:], [])["primary"]
    assert "key_v2" == read(restored, [service("stack_api", ["MASTER_KEY_PRIMARY=key_v2"])])["primary"]


def test_a_sealed_copy_is_read_from_its_label() -> None:
    """Keys without escrow have none."""
    found = read([secret("key_v1", **{"secret-manager.escrow": '{"key_id": "ab"}'}), secret("key_v2")], [])

    assert {"key_v1": {"key_id": "ab"}} == found["escrowed"]


def test_a_damaged_label_is_named() -> None:
    """With the secret that has it."""
    with pytest.raises(ValueError, match=r"secret-manager\.escrow of the Docker secret key_v1 is no JSON"):
        read([secret("key_v1", **{"secret-manager.escrow": "{"})], [])


def test_a_copy_is_exported_once() -> None:
    """Unless it is for another public key; its name has the key's id, as others had a key_v1."""
    escrowed = {
        "key_v1": {"key_id": "a1", "recipient": "r"},
        "key_v2": {"key_id": "a2", "recipient": "r"},
        "key_v3": {"key_id": "a3", "recipient": "another"},
    }

    assert ['{"key_id":"a1","recipient":"r"}'] == to_export(
        escrowed, "r", ["key_v1.b1.json", "key_v2.a2.json"]
    )
    assert [] == to_export(escrowed, "r", ["key_v1.a1.json", "key_v2.a2.json"])
