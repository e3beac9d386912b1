"""Tokens for others: made, looked up, renewed and revoked, also by their accessors; and AppRole's login."""

from __future__ import annotations

from typing import Any

from tests.api.kv.oracle.scenarios import ADMIN, Request, Rights, Scenario

_CREATE = "POST auth/token/create"
_CHILD = {"child": "auth|client_token", "child.accessor": "auth|accessor"}
# As the command line and Ansible send it.
_EMPTY = {
    "policies": None,
    "meta": None,
    "ttl": "",
    "explicit_max_ttl": "",
    "period": "",
    "display_name": "",
    "num_uses": 0,
    "renewable": True,
    "type": "service",
    "entity_alias": "",
}

_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("nothing", {}),
    ("everything empty", _EMPTY),
    ("a lifetime", {"ttl": "1h"}),
    ("a lifetime in seconds", {"ttl": 90}),
    ("a lifetime as text", {"ttl": "90"}),
    ("no lifetime", {"ttl": 0}),
    ("a lifetime that is nonsense", {"ttl": "soon"}),
    ("a negative lifetime", {"ttl": "-1h"}),
    ("a lifetime and a maximum", {"ttl": "1h", "explicit_max_ttl": "30m"}),
    ("a maximum", {"explicit_max_ttl": "2h"}),
    ("a maximum that is nonsense", {"explicit_max_ttl": "soon"}),
    ("a period", {"period": "1h"}),
    ("a period that is nonsense", {"period": "soon"}),
    ("not renewable", {"ttl": "1h", "renewable": False}),
    ("uses", {"num_uses": 3, "policies": ["default"]}),
    ("negative uses", {"num_uses": -1}),
    ("uses as a word", {"num_uses": "many"}),
    ("a name", {"display_name": "ci"}),
    ("meta", {"meta": {"who": "ci"}}),
    ("meta that is a text", {"meta": "ci"}),
    ("no default policy", {"no_default_policy": True}),
    ("an orphan", {"no_parent": True}),
    ("a service token", {"type": "service"}),
    ("a token of the default type", {"type": "default"}),
    ("an unknown type", {"type": "hunter"}),
    ("the default policy", {"policies": ["default"]}),
    ("no policies", {"policies": []}),
    ("policies that are a number", {"policies": 1}),
    ("an unknown member", {"hunter": 2}),
)
CREATE = Scenario(
    "token-create",
    (
        *(
            request
            for name, options in _OPTIONS
            for request in (
                Request(name, _CREATE, options, token="maker", keep=_CHILD),
                Request(f"{name}, looked up", "GET auth/token/lookup-self", token="child"),
            )
        ),
        Request("by PUT", "PUT auth/token/create", {"ttl": "1h"}, token="maker"),
        Request("without a body", _CREATE, token="maker"),
        Request("by GET", "GET auth/token/create"),
        Request("orphan", "POST auth/token/create-orphan", {"ttl": "1h"}, token="maker", keep=_CHILD),
        Request("by an administrator", _CREATE, {"ttl": "1h"}, keep=_CHILD),
        Request("by an administrator, looked up", "GET auth/token/lookup-self", token="child"),
        Request("by one that ends", _CREATE, {"ttl": "2h", "policies": ["default"]}, token="ending"),
        Request("orphan, looked up", "GET auth/token/lookup-self", token="child"),
        Request("without a token", _CREATE, {"ttl": "1h"}, token=None),
        Request("by a reader", _CREATE, {"ttl": "1h"}, token="reader"),
        Request("orphan, by a reader", "POST auth/token/create-orphan", {"ttl": "1h"}, token="reader"),
    ),
    {
        "maker": Rights(("fetch:M/*", "token")),
        "reader": Rights(("fetch:M/*",)),
        "ending": Rights(("token",), seconds=3600),
    },
)

_LIVES = {"ttl": "1h"}
LOOKUP = Scenario(
    "token-lookup",
    (
        Request("create", _CREATE, _LIVES, keep=_CHILD),
        Request("lookup", "POST auth/token/lookup", {"token": "$child"}),
        Request("lookup by PUT", "PUT auth/token/lookup", {"token": "$child"}, only="data|type"),
        Request("lookup of nothing", "POST auth/token/lookup", {}),
        Request("lookup without a body", "POST auth/token/lookup"),
        Request("lookup of an unknown token", "POST auth/token/lookup", {"token": "hvs.hunter2"}),
        Request("lookup of a number", "POST auth/token/lookup", {"token": 1}),
        Request("lookup by GET", "GET auth/token/lookup"),
        Request("lookup by a reader", "POST auth/token/lookup", {"token": "$child"}, token="reader"),
        Request("lookup-accessor", "POST auth/token/lookup-accessor", {"accessor": "$child.accessor"}),
        Request(
            "lookup-accessor by PUT",
            "PUT auth/token/lookup-accessor",
            {"accessor": "$child.accessor"},
            only="data|id",
        ),
        Request("lookup-accessor of nothing", "POST auth/token/lookup-accessor", {}),
        Request(
            "lookup-accessor of an unknown one", "POST auth/token/lookup-accessor", {"accessor": "hunter2"}
        ),
        Request(
            "lookup-accessor by a reader",
            "POST auth/token/lookup-accessor",
            {"accessor": "$child.accessor"},
            token="reader",
        ),
        Request("uses", _CREATE, {"num_uses": 2, "policies": ["default"]}, keep=_CHILD),
        Request("lookup takes no use", "POST auth/token/lookup", {"token": "$child"}, only="data|num_uses"),
        Request(
            "lookup takes no use, again", "POST auth/token/lookup", {"token": "$child"}, only="data|num_uses"
        ),
    ),
    {"reader": Rights(("fetch:M/*",))},
)

RENEW = Scenario(
    "token-renew",
    (
        Request("create", _CREATE, {"period": "1h"}, keep=_CHILD),
        Request("renew", "POST auth/token/renew", {"token": "$child"}),
        Request(
            "renew by PUT",
            "PUT auth/token/renew",
            {"token": "$child", "increment": "10m"},
            only="auth|renewable",
        ),
        Request(
            "renew, increment nonsense", "POST auth/token/renew", {"token": "$child", "increment": "soon"}
        ),
        Request("renew nothing", "POST auth/token/renew", {}),
        Request("renew an unknown token", "POST auth/token/renew", {"token": "hvs.hunter2"}),
        Request("renew by a reader", "POST auth/token/renew", {"token": "$child"}, token="reader"),
        Request("renew by accessor", "POST auth/token/renew-accessor", {"accessor": "$child.accessor"}),
        Request("create one not renewable", _CREATE, {"ttl": "1h", "renewable": False}, keep=_CHILD),
        Request("renew what is not renewable", "POST auth/token/renew", {"token": "$child"}),
        Request("renews itself", "POST auth/token/renew-self", {}, token="child"),
    ),
    {"reader": Rights(("fetch:M/*",))},
)

REVOKE = Scenario(
    "token-revoke",
    (
        Request("create", _CREATE, _LIVES, keep=_CHILD),
        Request(
            "create a grandchild", _CREATE, _LIVES, token="child", keep={"grandchild": "auth|client_token"}
        ),
        Request(
            "create a foster child",
            "POST auth/token/create-orphan",
            _LIVES,
            keep={"orphan": "auth|client_token"},
        ),
        Request("revoke", "POST auth/token/revoke", {"token": "$child"}),
        Request("the child is dead", "GET auth/token/lookup-self", token="child"),
        Request("the grandchild is dead", "GET auth/token/lookup-self", token="grandchild"),
        Request("the orphan lives", "GET auth/token/lookup-self", token="orphan"),
        Request("lookup of the dead", "POST auth/token/lookup", {"token": "$child"}),
        Request(
            "lookup-accessor of the dead", "POST auth/token/lookup-accessor", {"accessor": "$child.accessor"}
        ),
        Request("renew the dead", "POST auth/token/renew", {"token": "$child"}),
        Request("revoke the dead", "POST auth/token/revoke", {"token": "$child"}),
        Request("revoke nothing", "POST auth/token/revoke", {}),
        Request("revoke an unknown token", "PUT auth/token/revoke", {"token": "hvs.hunter2"}),
        Request("revoke by a reader", "POST auth/token/revoke", {"token": "$orphan"}, token="reader"),
        Request("create another", _CREATE, _LIVES, keep=_CHILD),
        Request("revoke-accessor", "POST auth/token/revoke-accessor", {"accessor": "$child.accessor"}),
        Request("it is dead", "GET auth/token/lookup-self", token="child"),
        Request(
            "revoke-accessor of the dead", "POST auth/token/revoke-accessor", {"accessor": "$child.accessor"}
        ),
        Request("revoke-accessor of nothing", "POST auth/token/revoke-accessor", {}),
        Request(
            "revoke-accessor of an unknown one", "PUT auth/token/revoke-accessor", {"accessor": "hunter2"}
        ),
    ),
    {"reader": Rights(("fetch:M/*",))},
)

_LOGIN = "POST auth/approle/login"
_ROLE = {"role_id": "$role.role_id", "secret_id": "$role.secret_id"}
LOGIN = Scenario(
    "approle-login",
    (
        Request("login", _LOGIN, _ROLE, token=None, keep=_CHILD),
        Request("looks itself up", "GET auth/token/lookup-self", token="child"),
        Request("reads", "GET M/data/none", token="child"),
        Request("renews itself", "PUT auth/token/renew-self", {}, token="child"),
        Request("revokes itself", "PUT auth/token/revoke-self", {}, token="child"),
        Request("login by PUT", "PUT auth/approle/login", _ROLE, token=None, only="auth|token_type"),
        Request("login with a token", _LOGIN, _ROLE, token=ADMIN, only="auth|token_type"),
        Request("wrong secret id", _LOGIN, {"role_id": "$role.role_id", "secret_id": "hunter2"}, token=None),
        Request("wrong role id", _LOGIN, {"role_id": "hunter2", "secret_id": "$role.secret_id"}, token=None),
        Request("no secret id", _LOGIN, {"role_id": "$role.role_id"}, token=None),
        Request("no role id", _LOGIN, {"secret_id": "$role.secret_id"}, token=None),
        Request("nothing", _LOGIN, {}, token=None),
        Request("no body", _LOGIN, token=None),
        Request("numbers", _LOGIN, {"role_id": 1, "secret_id": 2}, token=None),
        Request("by GET", "GET auth/approle/login", token=None),
        Request("another place", "POST auth/none/login", _ROLE, token=None),
    ),
    roles={"role": Rights(("fetch:M/*",))},
)

SCENARIOS = (CREATE, LOOKUP, RENEW, REVOKE, LOGIN)
