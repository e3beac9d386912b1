"""Spring Cloud Vault with spring-vault 4: its requests in their order.

From its sources, the classes ``KeyValueDelegate`` and ``LifecycleAwareSessionManager`` among them.
"""

from collections.abc import Callable

from tests.clients.wire import Wire
from tests.gunicorn_server import Server

# By default an application looks for each of these.
CONTEXTS = ("shop/prod", "shop", "application/prod", "application")


def test_reads_its_contexts(client: Callable[..., Wire]) -> None:
    """The mount's version comes first for each; those that are not there are left out."""
    admin = client("admin")
    admin.write("shop", password="hunter2")
    admin.write("application", proxy="p")
    spring = client("fetch:shop", "fetch:shop/*", "fetch:application", "fetch:application/*")
    spring.get("auth/token/lookup-self")

    properties = {}
    for context in CONTEXTS:
        mount = spring.get(f"sys/internal/ui/mounts/secret/{context}")["data"]
        assert ("2", "secret/") == (mount["options"]["version"], mount["path"])
        answer = spring.send("GET", f"secret/data/{context}")
        if answer.status_code == 404:
            assert {"errors": []} == answer.json()
            continue
        properties |= answer.json()["data"]["data"]

    assert {"password": "hunter2", "proxy": "p"} == properties


def test_keeps_its_token_alive(client: Callable[..., Wire]) -> None:
    """It sends no body at all; the lifetime that it gets says when to come again."""
    spring = client("fetch:shop", expires_in=600, renewable=True)
    found = spring.get("auth/token/lookup-self")["data"]
    assert (True, 600) == (found["renewable"], found["creation_ttl"])

    answer = spring.send("POST", "auth/token/renew-self")

    assert 200 == answer.status_code, answer.text
    auth = answer.json()["auth"]
    assert (True, 600) == (auth["renewable"], auth["lease_duration"])
    assert auth["client_token"] == found["id"]


def test_tells_a_lost_race(client: Callable[..., Wire]) -> None:
    """It goes by the text."""
    admin = client("admin")
    admin.write("shop", password="a")

    answer = admin.send("POST", "secret/data/shop", {"data": {}, "options": {"cas": 7}})

    assert 400 == answer.status_code
    assert "did not match the current version" in answer.json()["errors"][0]


def test_asks_for_health(door: Server) -> None:
    """Without a token."""
    found = Wire(door).get("sys/health")

    assert (True, False, False) == (found["initialized"], found["sealed"], found["standby"])
