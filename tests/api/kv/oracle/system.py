"""What clients ask about the server, its mounts, their own token and what it may do."""

from __future__ import annotations

from typing import Any

from tests.api.kv.oracle.data import write
from tests.api.kv.oracle.scenarios import Request, Rights, Scenario, patch

# A valid token that may do nothing on the mount.
ELSEWHERE = Rights(("fetch:elsewhere/*",))
_READER = Rights(("fetch:M/*", "list:M/*"))
_PATHS = ("M/data/a", "M/data/a/b", "M/a", "M", "none/data/a", "none", "sys/mounts")

MOUNTS = Scenario(
    "mounts",
    (
        *(Request(f"preflight {path}", f"GET sys/internal/ui/mounts/{path}") for path in ("M/", *_PATHS)),
        *(
            Request(f"preflight {path}, reader", f"GET sys/internal/ui/mounts/{path}", token="reader")
            for path in ("M", "M/data/a", "M/any%20thing", "none")
        ),
        *(
            Request(f"preflight {path}, somebody", f"GET sys/internal/ui/mounts/{path}", token="somebody")
            for path in ("M", "M/data/a")
        ),
        Request("visible", "GET sys/internal/ui/mounts", only="data|secret|M/"),
        Request("visible, reader", "GET sys/internal/ui/mounts", token="reader"),
        Request("visible, nobody", "GET sys/internal/ui/mounts", token=None),
        Request(
            "visible, wrong token", "GET sys/internal/ui/mounts", token=None, headers={"X-Vault-Token": "x"}
        ),
        Request("all", "GET sys/mounts", only="data|M/"),
        Request("all, at the top level", "GET sys/mounts", only="M/"),
        Request("one", "GET sys/mounts/M"),
        Request("one with a slash", "GET sys/mounts/M/"),
        Request("one, none", "GET sys/mounts/none"),
        Request("tune", "GET sys/mounts/M/tune"),
        Request("tune, none", "GET sys/mounts/none/tune"),
        Request("all, reader", "GET sys/mounts", token="reader", only="errors"),
        Request("one, reader", "GET sys/mounts/M", token="reader", only="errors"),
    ),
    {"reader": _READER, "somebody": ELSEWHERE},
)

OWN_TOKEN = Scenario(
    "own-token",
    (
        *(
            Request(f"{name} looks itself up", "GET auth/token/lookup-self", token=name)
            for name in ("admin", "plain", "ending", "renewable", "limited")
        ),
        Request("POST", "POST auth/token/lookup-self", {}, only="data|path"),
        Request("PUT", "PUT auth/token/lookup-self", {}, only="data|type"),
        Request("uses count down", "GET auth/token/lookup-self", token="limited", only="data|num_uses"),
        Request("slash at the end", "GET auth/token/lookup-self/", token="plain", only="data|type"),
        *(
            Request(f"{name} renews itself", "PUT auth/token/renew-self", {"increment": 60}, token=name)
            for name in ("admin", "plain", "ending", "renewable")
        ),
        Request("increment as text", "PUT auth/token/renew-self", {"increment": "1h"}, token="renewable"),
        Request(
            "increment is nonsense", "PUT auth/token/renew-self", {"increment": "soon"}, token="renewable"
        ),
        Request("increment negative", "PUT auth/token/renew-self", {"increment": -1}, token="renewable"),
        Request("no body", "POST auth/token/renew-self", token="renewable"),
        Request(
            "the renewed looks itself up", "GET auth/token/lookup-self", token="renewable", only="data|ttl"
        ),
        Request("revokes itself", "PUT auth/token/revoke-self", token="plain"),
        Request("the revoked looks itself up", "GET auth/token/lookup-self", token="plain"),
        Request("the revoked reads", "GET M/data/a", token="plain"),
        Request("the revoked revokes itself", "PUT auth/token/revoke-self", token="plain"),
        Request("the revoked renews itself", "PUT auth/token/renew-self", token="plain"),
        Request("a body is ignored", "POST auth/token/revoke-self", {"token": "$admin"}, token="ending"),
        Request("the administrator lives", "GET M/config"),
        Request("uses, last but one", "GET M/data/none", token="limited"),
        Request("uses, last", "GET M/data/none", token="limited"),
        Request("uses, none left", "GET M/data/none", token="limited"),
    ),
    {
        "plain": _READER,
        "ending": Rights(("fetch:M/*",), seconds=3600),
        "renewable": Rights(("fetch:M/*",), seconds=3600, renewable=True),
        "limited": Rights(("fetch:M/*",), uses=4),
    },
)

SERVER = Scenario(
    "server",
    (
        Request("health", "GET sys/health", token=None),
        Request("health with a token", "GET sys/health"),
        Request("health by HEAD", "HEAD sys/health", token=None),
        *(
            Request(f"health, {query}", f"GET sys/health?{query}", token=None, only="initialized")
            for query in (
                "activecode=299",
                "activecode=400",
                "activecode=x",
                "activecode=",
                "sealedcode=299",
                "sealedcode=x",
                "standbyok=true",
                "standbycode=299&sealedcode=299&uninitcode=299",
            )
        ),
        Request("seal-status", "GET sys/seal-status", token=None),
        Request("leader", "GET sys/leader", token=None),
        Request("init", "GET sys/init", token=None),
    ),
)

_ASKED: tuple[tuple[str, Any], ...] = (
    ("a list", {"paths": ["M/data/a", "M/metadata/a", "none/data/a"]}),
    ("a list of one", {"paths": ["M/data/a"]}),
    ("path", {"path": "M/data/a"}),
    ("path with a list", {"path": ["M/data/a"]}),
    ("one text", {"paths": "M/data/a"}),
    ("one text of two", {"paths": "M/data/a,M/metadata/a"}),
    ("both", {"paths": ["M/data/a"], "path": ["M/metadata/a"]}),
    ("empty", {"paths": []}),
    ("nothing", {}),
    ("null", {"paths": None}),
    ("a number", {"paths": 1}),
    ("numbers", {"paths": [1]}),
    ("an empty text", {"paths": [""]}),
    ("a token", {"token": "$admin", "paths": ["M/data/a"]}),
    ("every verb", {"paths": [f"M/{verb}/a" for verb in ("delete", "undelete", "destroy", "subkeys")]}),
    ("folders", {"paths": ["M/metadata", "M/metadata/", "M/metadata/team/", "M/data/team/"]}),
    ("elsewhere", {"paths": ["sys/mounts", "auth/token/lookup-self", "M/config", "M/"]}),
)
CAPABILITIES = Scenario(
    "capabilities",
    (
        *(
            Request(f"{name}, {token}", "POST sys/capabilities-self", body, token=token)
            for name, body in _ASKED
            for token in ("admin", "reader")
        ),
        *(
            Request(
                token,
                "PUT sys/capabilities-self",
                {"paths": ["M/data/a", "M/metadata/a", "M/delete/a", "M/subkeys/a"]},
                token=token,
            )
            for token in ("fetcher", "creator", "updater", "lister", "deleter", "nobody")
        ),
        Request("PUT", "PUT sys/capabilities-self", {"paths": ["M/data/a"]}, token="reader"),
        Request("GET", "GET sys/capabilities-self", token="reader"),
    ),
    {
        "reader": _READER,
        "fetcher": Rights(("fetch:M/a",)),
        "creator": Rights(("create:M/a",)),
        "updater": Rights(("update:M/a",)),
        "lister": Rights(("list:M/a",)),
        "deleter": Rights(("delete:M/a",)),
        "nobody": ELSEWHERE,
    },
)

_VERSION_ONE = {"versions": [1]}
SCOPES = Scenario(
    "scopes",
    (
        write("write", "team/a", x="1"),
        write("write elsewhere", "other/a", x="1"),
        *(
            request
            for token in ("fetcher", "lister", "updater", "deleter", "nobody")
            for path in ("team/a", "team/none", "other/a", "other/none")
            for request in (
                Request(f"{token} reads {path}", f"GET M/data/{path}", token=token),
                Request(f"{token} reads subkeys of {path}", f"GET M/subkeys/{path}", token=token),
                Request(f"{token} reads metadata of {path}", f"GET M/metadata/{path}", token=token),
            )
        ),
        *(
            Request(f"{token} lists {folder or 'all'}", f"LIST M/metadata/{folder}", token=token)
            for token in ("lister", "fetcher", "nobody")
            for folder in ("", "team", "other", "none")
        ),
        *(
            request
            for token in ("fetcher", "lister")
            for path in ("team/a", "team/none", "other/a")
            for request in (
                Request(f"{token} writes {path}", f"PUT M/data/{path}", {"data": {"x": "2"}}, token=token),
                Request(
                    f"{token} writes metadata of {path}",
                    f"PUT M/metadata/{path}",
                    {"max_versions": 3},
                    token=token,
                ),
                patch(f"{token} patches {path}", f"M/data/{path}", {"data": {"x": "2"}}, token=token),
                patch(
                    f"{token} patches metadata of {path}",
                    f"M/metadata/{path}",
                    {"max_versions": 3},
                    token=token,
                ),
                Request(f"{token} deletes {path}", f"DELETE M/data/{path}", token=token),
                Request(f"{token} removes {path}", f"DELETE M/metadata/{path}", token=token),
                *(
                    Request(f"{token}: {verb} {path}", f"PUT M/{verb}/{path}", _VERSION_ONE, token=token)
                    for verb in ("delete", "undelete", "destroy")
                ),
            )
        ),
        Request("creator creates", "PUT M/data/team/new", {"data": {"x": "1"}}, token="creator"),
        Request("creator updates", "PUT M/data/team/new", {"data": {"x": "2"}}, token="creator"),
        Request("updater creates", "PUT M/data/team/newer", {"data": {"x": "1"}}, token="updater"),
        Request("updater updates", "PUT M/data/team/new", {"data": {"x": "2"}}, token="updater"),
        patch("updater patches", "M/data/team/new", {"data": {"x": "3"}}, token="updater"),
        patch("updater patches nothing", "M/data/team/none", {"data": {"x": "3"}}, token="updater"),
        Request("creator makes metadata", "PUT M/metadata/team/meta", {"max_versions": 9}, token="creator"),
        Request(
            "creator changes metadata", "PUT M/metadata/team/meta", {"max_versions": 12}, token="creator"
        ),
        Request(
            "updater changes metadata", "PUT M/metadata/team/meta", {"max_versions": 12}, token="updater"
        ),
        patch("updater patches metadata", "M/metadata/team/meta", {"max_versions": 13}, token="updater"),
        Request(
            "creator writes after metadata", "PUT M/data/team/meta", {"data": {"x": "1"}}, token="creator"
        ),
        Request("deleter deletes", "DELETE M/data/team/new", token="deleter"),
        Request("deleter undeletes", "PUT M/undelete/team/new", _VERSION_ONE, token="deleter"),
        Request("deleter destroys", "PUT M/destroy/team/new", _VERSION_ONE, token="deleter"),
        Request("deleter removes", "DELETE M/metadata/team/new", token="deleter"),
        Request("fetcher reads config", "GET M/config", token="fetcher"),
        Request("fetcher writes config", "PUT M/config", {}, token="fetcher"),
        Request("nobody reads config", "GET M/config", token="nobody"),
        Request("an unknown verb", "GET M/none/a", token="fetcher"),
        Request("version 1", "GET M/team/a", token="fetcher"),
        Request("an unknown mount", "GET none/data/a", token="fetcher"),
        Request("make a mount", "POST sys/mounts/new", {"type": "kv"}, token="fetcher"),
        Request("remove a mount", "DELETE sys/mounts/new", token="fetcher"),
        Request("tune a mount", "POST sys/mounts/M/tune", {"description": "x"}, token="fetcher"),
        Request("policies", "GET sys/policies/acl", token="fetcher"),
        Request("a policy", "GET sys/policies/acl/default", token="fetcher"),
        Request("old policies", "GET sys/policy", token="fetcher"),
        Request("logins", "GET sys/auth", token="fetcher"),
        Request("a login", "POST sys/auth/userpass", {"type": "userpass"}, token="fetcher"),
        Request("another login", "POST auth/userpass/login/x", {"password": "hunter2"}, token=None),
        Request("another engine", "GET identity/entity/id", token="fetcher"),
    ),
    {
        "fetcher": Rights(("fetch:M/team/*",)),
        "lister": Rights(("list:M/team/*",)),
        "creator": Rights(("create:M/team/*",)),
        "updater": Rights(("update:M/team/*",)),
        "deleter": Rights(("delete:M/team/*",)),
        "nobody": ELSEWHERE,
    },
)

SCENARIOS = (MOUNTS, OWN_TOKEN, SERVER, CAPABILITIES, SCOPES)
