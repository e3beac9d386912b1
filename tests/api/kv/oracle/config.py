"""``config``: what a mount says for all secrets on it."""

from __future__ import annotations

from tests.api.kv.oracle.data import write
from tests.api.kv.oracle.metadata import OPTIONS
from tests.api.kv.oracle.scenarios import Request, Scenario

# A change takes the service a second: few are tried.  What only OpenBao takes is followed by what both take.
_TRIED = (
    *("max_versions as a word", "cas_required as a word", "delete_version_after as a word"),
    *("max_versions negative", "max_versions 101", "max_versions"),
    *("delete_version_after negative", "delete_version_after mixed"),
)
_OPTIONS = dict(OPTIONS)

CONFIG = Scenario(
    "config",
    (
        Request("unchanged", "GET M/config"),
        *(
            request
            for name in _TRIED
            for request in (
                Request(name, "PUT M/config", _OPTIONS[name]),
                Request(f"{name}, read", "GET M/config"),
            )
        ),
        Request("nothing", "PUT M/config", {}),
        Request("no body", "PUT M/config"),
        write("with an end", x="1"),
        Request("read with an end", "GET M/data/a"),
        Request("the secret's own are unchanged", "GET M/metadata/a"),
        Request("a shorter time of a secret", "PUT M/metadata/b", {"delete_version_after": "10m"}),
        write("with a shorter end", "b", x="1"),
        Request("metadata with a shorter end", "GET M/metadata/b"),
        Request(
            "all by POST",
            "POST M/config",
            {"max_versions": 2, "cas_required": True, "delete_version_after": "0s"},
        ),
        Request("all, read", "GET M/config"),
        write("without cas", x="2"),
        write("with cas", x="2", options={"cas": 1}),
        write("a third", x="3", options={"cas": 2}),
        Request("two are kept", "GET M/metadata/a"),
        Request("more of a secret", "PUT M/metadata/a", {"max_versions": 3, "cas_required": False}),
        write("a fourth", x="4", options={"cas": 3}),
        write("a fifth without cas", x="5"),
        Request("three are kept", "GET M/metadata/a"),
        Request("back", "PUT M/config", {"max_versions": 0, "cas_required": False}),
        write("without cas at last", x="5"),
    ),
)

SCENARIOS = (CONFIG,)
