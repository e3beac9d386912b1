"""consul-template and envconsul: their requests in their order, as `bao agent` does not send the first.

From the sources of the first: ``dependency/{vault_token,vault_common,vault_read}.go``.
"""

from collections.abc import Callable

from tests.clients.wire import Wire


def test_renews_and_reads(client: Callable[..., Wire]) -> None:
    """With ``renew_token``, on by default; without a lease a value is read again every five minutes."""
    client("admin").write("team/app", password="hunter2")
    template = client("fetch:team/*", expires_in=600, renewable=True)

    assert template.put("auth/token/renew-self", {"increment": 0})["auth"]["renewable"] is True
    for path in ("secret/team/app", "secret/data/team/app"):
        mount = template.get(f"sys/internal/ui/mounts/{path}")["data"]
        assert ("kv", "2", "secret/") == (mount["type"], mount["options"]["version"], mount["path"])
    found = template.get("secret/data/team/app")
    assert ("", False, 0) == tuple(found[name] for name in ("lease_id", "renewable", "lease_duration"))
    # envconsul takes the fields from below `data` if there is a version.
    assert 1 == found["data"]["metadata"]["version"]
    assert {"password": "hunter2"} == found["data"]["data"]


def test_a_token_that_cannot_be_renewed(client: Callable[..., Wire]) -> None:
    """The refusal is one that they repeat, and it says why: set ``renew_token`` to false."""
    answer = client("fetch:team/*").send("PUT", "auth/token/renew-self", {"increment": 0})

    assert (400, {"errors": ["lease is not renewable"]}) == (answer.status_code, answer.json())
