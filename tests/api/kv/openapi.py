"""An OpenAPI document of ``/v1`` for the tests: the service has none of it, as Vault's clients bring theirs.

It has what clients send by rule; what else they might is in ``test_any_request.py``.
"""

from __future__ import annotations

from typing import Any

from service.api.kv import routes

_TEXT = {"type": "string"}
_COUNT = {"type": ["integer", "string"]}
_OBJECT = {"type": "object"}
_OPTIONS = {
    "max_versions": {"type": "integer"},
    "cas_required": {"type": "boolean"},
    "delete_version_after": {"type": ["integer", "string"], "examples": ["90m", 3600]},
}
_METADATA = {**_OPTIONS, "custom_metadata": {"type": ["object", "null"], "additionalProperties": _TEXT}}
_VALUE = {"data": _OBJECT, "options": {"type": ["object", "null"], "properties": {"cas": _COUNT}}}
_VERSIONS = {"versions": {"type": "array", "items": _COUNT}}
_DURATION = {"type": ["integer", "string"], "examples": ["20m", 1200]}
_TOKEN = {
    "policies": {"type": "array", "items": {"enum": ["fetch:team/*", "default", "root", "no such"]}},
    "ttl": _DURATION,
    "explicit_max_ttl": _DURATION,
    "period": _DURATION,
    "renewable": {"type": "boolean"},
    "num_uses": {"type": "integer"},
    "display_name": _TEXT,
    "meta": {"type": ["object", "null"], "additionalProperties": _TEXT},
    "type": {"enum": ["service", "batch", "default", ""]},
}

# By method and route: the query's parameters and the body's members.
_QUERIES: dict[tuple[str, str], dict[str, Any]] = {
    ("GET", "<mount>/data/<path>"): {"version": _COUNT},
    ("GET", "<mount>/subkeys/<path>"): {"version": _COUNT, "depth": _COUNT},
    ("GET", "<mount>/metadata/<path>"): {"list": {"enum": ["true", "false", "True", "1", "yes"]}},
}
_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "<mount>/data/<path>"): _VALUE,
    ("PATCH", "<mount>/data/<path>"): _VALUE,
    ("POST", "<mount>/metadata/<path>"): _METADATA,
    ("PATCH", "<mount>/metadata/<path>"): _METADATA,
    ("POST", "<mount>/config"): _OPTIONS,
    ("POST", "<mount>/delete/<path>"): _VERSIONS,
    ("POST", "<mount>/undelete/<path>"): _VERSIONS,
    ("POST", "<mount>/destroy/<path>"): _VERSIONS,
    ("POST", "sys/capabilities-self"): {"paths": {"type": "array", "items": _TEXT}, "path": _TEXT},
    ("POST", "sys/wrapping/wrap"): {"password": _TEXT},
    ("POST", "sys/wrapping/unwrap"): {"token": _TEXT},
    ("POST", "sys/wrapping/lookup"): {"token": _TEXT},
    ("POST", "auth/approle/login"): {"role_id": _TEXT, "secret_id": _TEXT},
    ("POST", "auth/token/create"): _TOKEN,
    ("POST", "auth/token/create-orphan"): _TOKEN,
    ("POST", "auth/token/lookup"): {"token": _TEXT},
    ("POST", "auth/token/renew"): {"token": _TEXT, "increment": _COUNT},
    ("POST", "auth/token/revoke"): {"token": _TEXT},
    ("POST", "auth/token/lookup-accessor"): {"accessor": _TEXT},
    ("POST", "auth/token/revoke-accessor"): {"accessor": _TEXT},
    ("POST", "auth/token/lookup-self"): {},
    ("POST", "auth/token/renew-self"): {"increment": _COUNT},
    ("POST", "auth/token/revoke-self"): {},
}
# These have other members than every other answer.
_BARE = {"sys/health", "sys/seal-status", "sys/leader", "sys/init"}

_ERRORS = {
    "type": "object",
    "properties": {"errors": {"type": "array", "items": _TEXT}},
    "required": ["errors"],
    "additionalProperties": False,
}
_ENVELOPE = {
    "type": "object",
    "properties": {
        "request_id": {"type": "string", "format": "uuid"},
        "lease_id": {"const": ""},
        "renewable": {"const": False},
        "lease_duration": {"const": 0},
        "data": {"type": ["object", "null"]},
        "wrap_info": {"type": ["object", "null"]},
        "warnings": {"type": ["array", "null"], "items": _TEXT},
        "auth": {"type": ["object", "null"]},
    },
    "required": [
        *("request_id", "lease_id", "renewable", "lease_duration"),
        *("data", "wrap_info", "warnings", "auth"),
    ],
}


def operations() -> list[tuple[str, str]]:
    """Return the method and the route of all requests; LIST, which OpenAPI has not, is GET here as well.

    PUT is POST, which is tested for all at once.
    """
    every = ((method, name.removeprefix("/v1/")) for method, name in routes.templates())
    return [(method, name) for method, name in every if method != "LIST"]


def has_input(method: str, name: str) -> bool:
    """Return whether a request has anything that could be sent in another form."""
    return "<path>" in name or (method, name) in _QUERIES or (method, name) in _BODIES


def path_of(name: str) -> str:
    """Return a route's path in the document."""
    return "/v1/" + name.replace("<mount>", "secret").replace("<path>", "{path}")


def document() -> dict[str, Any]:
    """Return the document of all routes."""
    paths: dict[str, Any] = {}
    for method, name in operations():
        paths.setdefault(path_of(name), {})[method.lower()] = _operation(method, name)
    return {"openapi": "3.1.0", "info": {"title": "v1", "version": "1"}, "paths": paths}


def _operation(method: str, name: str) -> dict[str, Any]:
    key = (method, name)
    operation: dict[str, Any] = {
        "parameters": [
            {"name": parameter, "in": "query", "schema": schema}
            for parameter, schema in _QUERIES.get(key, {}).items()
        ],
        "responses": _responses(name),
    }
    if "<path>" in name:
        # Few of them, so that some are there.
        known = {"type": "string", "enum": ["a", "b", "team/app"]}
        operation["parameters"].append({"name": "path", "in": "path", "required": True, "schema": known})
    if method in {"POST", "PATCH"}:
        content = "application/merge-patch+json" if method == "PATCH" else "application/json"
        body = {"type": "object", "properties": _BODIES[key]}
        operation["requestBody"] = {"content": {content: {"schema": body}}}
    return operation


def _responses(name: str) -> dict[str, Any]:
    if name == "sys/health":
        return {"2XX": _json(_OBJECT), "3XX": _json(_OBJECT), "4XX": _json(_OBJECT)}
    errors = _json(_ERRORS)
    return {
        "200": _json(_OBJECT if name in _BARE else _ENVELOPE),
        "204": {"description": "changed"},
        # With the metadata of a version that is deleted, or a warning.
        "404": _json({"anyOf": [_ERRORS, _ENVELOPE]}),
        **dict.fromkeys(("400", "403", "405", "413", "415"), errors),
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "JSON", "content": {"application/json": {"schema": schema}}}
