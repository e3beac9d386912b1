"""Response wrapping: an answer is kept, and given to the first who brings its token."""

from __future__ import annotations

from tests.api.kv.oracle.data import write
from tests.api.kv.oracle.scenarios import Request, Rights, Scenario
from tests.api.kv.oracle.system import ELSEWHERE

_KEEP = {"wrapping": "wrap_info|token"}
_UNWRAP = "PUT sys/wrapping/unwrap"
_LOOKUP = "PUT sys/wrapping/lookup"


def _for(ttl: str) -> dict[str, str]:
    return {"X-Vault-Wrap-TTL": ttl}


WRAPPING = Scenario(
    "wrapping",
    (
        write("write", x="1"),
        *(
            Request(f"for {ttl or 'nothing'}", "GET M/data/a", headers=_for(ttl))
            for ttl in ("60", "60s", "1m0s", "1h", "0", "", "soon", "-1", "-1s", "1.5", "1500ms")
        ),
        Request("a read", "GET M/data/a", headers=_for("60"), keep=_KEEP),
        Request("looked up by its token", "GET sys/wrapping/lookup", token="wrapping"),
        Request("looked up beside a token", _LOOKUP, {"token": "$wrapping"}),
        Request("looked up without a token", "POST sys/wrapping/lookup", {"token": "$wrapping"}, token=None),
        Request("unwrapped by its token", _UNWRAP, {}, token="wrapping"),
        Request("unwrapped again", _UNWRAP, {}, token="wrapping"),
        Request("unwrapped again beside a token", _UNWRAP, {"token": "$wrapping"}),
        Request("looked up when it is used", _LOOKUP, {"token": "$wrapping"}),
        Request("another read", "GET M/data/a", headers=_for("60"), keep=_KEEP),
        Request("unwrapped with null", _UNWRAP, b"null", token="wrapping"),
        Request("a third read", "GET M/data/a", headers=_for("60"), keep=_KEEP),
        Request("unwrapped beside a token", "POST sys/wrapping/unwrap", {"token": "$wrapping"}),
        Request("a fourth read", "GET M/data/a", headers=_for("60"), keep=_KEEP),
        Request("unwrapped beside a reader's token", _UNWRAP, {"token": "$wrapping"}, token="reader"),
        Request("a fifth read", "GET M/data/a", headers=_for("60"), keep=_KEEP),
        Request("unwrapped without a token", _UNWRAP, {"token": "$wrapping"}, token=None),
        Request("a sixth read", "GET M/data/a", headers=_for("60"), keep=_KEEP),
        Request("its token reads nothing else", "GET M/data/a", token="wrapping"),
        Request("a seventh read", "GET M/data/a", headers=_for("60"), keep=_KEEP),
        Request("its token looks itself up", "GET auth/token/lookup-self", token="wrapping"),
        Request("unwrap of nothing", _UNWRAP, {}),
        Request("unwrap with nothing", _UNWRAP, {}, token=None),
        Request("unwrap of an unknown token", _UNWRAP, {"token": "hvs.hunter2"}),
        Request("unwrap of a number", _UNWRAP, {"token": 1}),
        Request("unwrap of another token", _UNWRAP, {"token": "$reader"}),
        Request("lookup of nothing", _LOOKUP, {}),
        Request("lookup of an unknown token", _LOOKUP, {"token": "hvs.hunter2"}),
        Request("lookup of another token", _LOOKUP, {"token": "$reader"}),
        Request("nothing to read", "GET M/data/none", headers=_for("60")),
        Request("a refused read", "GET M/data/a", token="nobody", headers=_for("60")),
        Request("a change without an answer", "PUT M/metadata/a", {"max_versions": 3}, headers=_for("60")),
        Request("a write", "PUT M/data/a", {"data": {"x": "2"}}, headers=_for("60"), keep=_KEEP),
        Request("a write, unwrapped", _UNWRAP, {}, token="wrapping"),
        Request("a list", "GET M/metadata/?list=true", headers=_for("60"), keep=_KEEP),
        Request("a list, unwrapped", _UNWRAP, {}, token="wrapping"),
        Request("lookup-self", "GET auth/token/lookup-self", token="reader", headers=_for("60"), keep=_KEEP),
        Request("lookup-self, unwrapped", _UNWRAP, {}, token="wrapping"),
        Request("health", "GET sys/health", headers=_for("60"), only="wrap_info"),
        Request("a deleted version", "DELETE M/data/a"),
        Request("a deleted version, read", "GET M/data/a", headers=_for("60")),
        Request("wrap", "POST sys/wrapping/wrap", {"a": "b", "c": [1]}, headers=_for("60"), keep=_KEEP),
        Request("wrap, looked up", _LOOKUP, {"token": "$wrapping"}),
        Request("wrap, unwrapped", _UNWRAP, {}, token="wrapping"),
        Request("wrap of nothing", "PUT sys/wrapping/wrap", {}, headers=_for("60"), keep=_KEEP),
        Request("wrap of nothing, unwrapped", _UNWRAP, {}, token="wrapping"),
        Request("wrap without the header", "POST sys/wrapping/wrap", {"a": "b"}),
        Request(
            "wrap by a reader",
            "POST sys/wrapping/wrap",
            {"a": "b"},
            token="reader",
            headers=_for("60"),
            keep=_KEEP,
        ),
        Request("wrap by a reader, unwrapped", _UNWRAP, {}, token="wrapping"),
        Request("revoked", "GET M/data/a?version=1", headers=_for("60"), keep=_KEEP),
        Request("revokes itself", "PUT auth/token/revoke-self", {}, token="wrapping"),
        Request("a new token", "POST auth/token/create", {"ttl": "1h"}, headers=_for("60"), keep=_KEEP),
        Request("a new token, unwrapped", _UNWRAP, {}, token="wrapping"),
        Request("rewrap", "PUT sys/wrapping/rewrap", {"token": "$wrapping"}),
    ),
    {"reader": Rights(("fetch:M/*", "list:M/*")), "nobody": ELSEWHERE},
)

SCENARIOS = (WRAPPING,)
