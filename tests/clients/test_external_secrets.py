"""External Secrets 2.9, provider `vault`: its requests in their order.

From its sources, ``providers/v1/vault``, whose ``client_push.go`` is what ``push`` and ``remove`` follow.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.clients.wire import Wire

MINE = {"managed-by": "external-secrets"}


def is_valid(store: Wire) -> bool:
    """Look at the token as it does before each use: three members must be there."""
    found = store.get("auth/token/lookup-self")["data"]
    if found["type"] == "batch":
        return True
    assert isinstance(found["ttl"], int)
    if found["ttl"] == 0 and found["expire_time"] is None:
        return True
    return found["ttl"] > 0 and datetime.fromisoformat(found["expire_time"]) is not None


def find(store: Wire, folder: str) -> list[str]:
    """List a folder and those below it, as it looks for names."""
    names = store.get(f"secret/metadata/{folder}?list=true")["data"]["keys"]
    return [
        found
        for name in names
        for found in (find(store, folder + name) if name.endswith("/") else [folder + name])
    ]


def push(store: Wire, path: str, data: dict[str, Any]) -> None:
    """Write a secret that is its own: it marks it first, and leaves what is not marked alone."""
    present = store.send("GET", f"secret/data/{path}")
    if present.status_code == 404:
        store.put(f"secret/metadata/{path}", {"custom_metadata": MINE})
    elif tags(store, path) != MINE:
        raise PermissionError("secret not managed by external-secrets")
    elif present.json()["data"]["data"] == data:
        return
    store.put(f"secret/data/{path}", {"data": data})


def remove(store: Wire, path: str) -> None:
    """Remove a secret that is its own."""
    store.get(f"secret/data/{path}")
    if tags(store, path) == MINE:
        store.delete(f"secret/data/{path}")
        store.delete(f"secret/metadata/{path}")


def tags(store: Wire, path: str) -> Any:
    """Return a secret's custom metadata."""
    return store.get(f"secret/metadata/{path}")["data"]["custom_metadata"]


@pytest.mark.parametrize(
    "request_", [{}, {"expires_in": 600}, {"expires_in": 600, "renewable": True}], ids=str
)
def test_reads(client: Callable[..., Wire], request_: dict[str, Any]) -> None:
    """A value and an older one; what is deleted is no secret, rather than an error."""
    admin, store = client("admin"), client("fetch:team/*", **request_)
    admin.write("team/app", password="old")
    admin.write("team/app", password="new")
    assert is_valid(store)

    assert {"password": "new"} == store.get("secret/data/team/app")["data"]["data"]
    assert {"password": "old"} == store.get("secret/data/team/app?version=1")["data"]["data"]
    admin.delete("secret/data/team/app")
    assert store.absent("secret/data/team/app").json()["data"]["data"] is None
    assert {"errors": []} == store.absent("secret/data/team/nothing").json()


def test_finds(client: Callable[..., Wire]) -> None:
    """By name and by tags, which are custom metadata."""
    admin, store = client("admin"), client("fetch:*", "list:*")
    for path in ("team/app", "team/db/main", "other"):
        admin.write(path, password=path)
    admin.put("secret/metadata/team/db/main", {"custom_metadata": {"stage": "test"}})
    assert is_valid(store)

    names = find(store, "")

    assert ["other", "team/app", "team/db/main"] == names
    found = {name: tags(store, name) for name in names}
    assert {"other": None, "team/app": None, "team/db/main": {"stage": "test"}} == found
    assert "team/db/main" == store.get("secret/data/team/db/main")["data"]["data"]["password"]


def test_pushes(client: Callable[..., Wire]) -> None:
    """Metadata come before data; another's secret stays; a deletion removes both."""
    store = client("fetch:team/*", "list:team/*", "create:team/*", "update:team/*", "delete:team/*")
    assert is_valid(store)

    push(store, "team/app", {"password": "a"})
    push(store, "team/app", {"password": "a"})
    push(store, "team/app", {"password": "b"})

    found = store.get("secret/data/team/app")["data"]
    assert ({"password": "b"}, 2, MINE) == (
        found["data"],
        found["metadata"]["version"],
        found["metadata"]["custom_metadata"],
    )
    store.write("team/theirs", password="c")
    with pytest.raises(PermissionError):
        push(store, "team/theirs", {"password": "d"})

    for path in ("team/app", "team/theirs"):
        remove(store, path)
    assert ["team/theirs"] == find(store, "team/")
    push(store, "team/app", {"password": "again"})
