"""swarm.objects: what labels say, and what the next version's object is called."""

from typing import Any

import pytest

from service.swarm.errors import SwarmError
from service.swarm.objects import VaultObject, read_objects, require_free

PATH = "team/billing/db"


def secret(name: str = "db.v1", driver: str = "secret-manager", **labels: str) -> dict[str, Any]:
    """Return a Docker secret as the engine shows it, with labels ``secret-manager.…`` and another."""
    own = {
        f"secret-manager.{label}": text for label, text in ({"path": PATH, "version": "1"} | labels).items()
    }
    spec = {
        "Name": name,
        "Labels": own | {"com.docker.stack.namespace": "billing"},
        "Driver": {"Name": driver},
    }
    return {"ID": f"id-of-{name}", "Spec": spec}


def versions(*secrets: dict[str, Any]) -> list[int | None]:
    """Return the versions of the objects that are found."""
    return [each.version for each in read_objects(secrets, PATH).values()]


@pytest.mark.parametrize(
    ("label", "version"), [("1", 1), ("9999999999", 9999999999), ("current", None)], ids=str
)
def test_reads_the_version(label: str, version: int | None) -> None:
    """A number, or none for the one that is current."""
    assert [version] == versions(secret(version=label))


@pytest.mark.parametrize("label", ["", "0", "-1", "01", "1 ", "v1", "¹", "١", "12345678901", "Current"])
def test_passes_an_invalid_version_over(label: str) -> None:
    """The driver refuses it as well."""
    assert [] == versions(secret(version=label))


@pytest.mark.parametrize(
    "other",
    [
        secret(path="team/billing/db2"),
        secret(path="team/billing"),
        secret(driver="another"),
        secret(driver="secret-manager:1.0"),
        {"ID": "plain", "Spec": {"Name": "db.v1", "Labels": {"secret-manager.path": PATH}}},
        {"ID": "bare", "Spec": {"Name": "db.v1"}},
    ],
    ids=["longer path", "shorter path", "driver", "tag", "no driver", "no labels"],
)
def test_passes_over_what_is_not_of_the_path(other: dict[str, Any]) -> None:
    """Whatever it is called."""
    assert [1] == versions(other, secret("anything", driver="secret-manager:latest"))


@pytest.mark.parametrize(
    ("name", "renamed"),
    [
        ("db.v1", "db.v12"),
        ("db", "db.v12"),
        ("db.v", "db.v.v12"),
        ("db.v1.v2", "db.v1.v12"),
        ("db-v1", "db-v1.v12"),
        ("db.v1x", "db.v1x.v12"),
    ],
)
def test_another_version_has_the_name_with_its_number(name: str, renamed: str) -> None:
    """In place of the number that it ends in."""
    assert renamed == VaultObject("id", name, 1, {}).name_of(12)


def test_another_version_has_the_same_labels_but_one() -> None:
    """The encoding, and what a stack has written, belong to all."""
    (found,) = read_objects([secret(encoding="base64")], PATH).values()

    assert found.labels | {"secret-manager.version": "2"} == found.labels_of(2)
    assert "1" == found.labels["secret-manager.version"]


def test_a_name_is_free_or_of_the_wanted_object() -> None:
    """What another program has put beside is no matter."""
    (like,) = read_objects([secret()], PATH).values()
    there = secret("db.v2", version="2")
    there["Spec"]["Labels"]["com.docker.stack.namespace"] = "another"

    require_free([secret()], like, 2)
    require_free([secret(), there], like, 2)


@pytest.mark.parametrize(
    "taken",
    [
        secret("db.v2", version="3"),
        secret("db.v2", version="2", path="team/other"),
        secret("db.v2", version="2", encoding="base64"),
        secret("db.v2", version="2", driver="another"),
    ],
    ids=["version", "path", "encoding", "driver"],
)
def test_a_name_is_not_free_if_something_else_has_it(taken: dict[str, Any]) -> None:
    """The message says what it should be."""
    (like,) = read_objects([secret()], PATH).values()

    with pytest.raises(
        SwarmError, match=r"db\.v2 already.*secret-manager\.path=team/billing/db, .*version=2"
    ):
        require_free([secret(), taken], like, 2)
