"""``/v1``: finds the view of a request of Vault's clients, authenticates the caller and records the call."""

from __future__ import annotations

import re
from http import HTTPStatus

from flask import Blueprint, Flask, Response, g, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Rule

from ...access import mounts
from ...errors import VaultError
from ..caller import current_caller
from ..dependencies import dependencies
from ..guard import Call, counting_malformed
from . import answers, authentication, body, routes, wrapping
from .authentication import API
from .call import KvCall
from .routes import Endpoint, Found, Open, Proving

_NAMESPACES = ("", "/", "root", "root/")
_SLASHES = re.compile("/{2,}")
_METHODS = {"PUT": "POST"}
_MERGE_PATCH = "application/merge-patch+json"
# Of Vault, but nothing that can be had here.
_REFUSED = re.compile(r"(sys/(policies|policy|auth|mounts/.+)|cubbyhole|auth/(?!approle/)[^/]+/login)(/.*)?")


class _Anything(BaseConverter):
    """The rest of a path: nothing of it is refused as HTML, whatever it is."""

    regex = r"[\s\S]*"
    part_isolating = False


def init_app(app: Flask) -> None:
    """Serve ``/v1`` with every method, so that no other part of the application answers there."""
    app.url_map.converters["anything"] = _Anything
    blueprint = Blueprint("kv", __name__)
    blueprint.register_error_handler(VaultError, answers.of_error)
    blueprint.register_error_handler(HTTPException, _http_error)
    blueprint.register_error_handler(Exception, answers.of_unexpected)
    blueprint.after_request(_return_namespace)
    blueprint.record(_register)
    app.register_blueprint(blueprint)


def _register(state: BlueprintSetupState) -> None:
    endpoint = f"{state.name}.answer"
    state.app.view_functions[endpoint] = _answer
    for rule in ("/v1", "/v1/<anything:rest>"):
        # Without methods it has all of them, also LIST and unknown ones.
        state.app.url_map.add(Rule(rule, endpoint=endpoint))


def _http_error(error: HTTPException) -> Response:
    return answers.refusal(error.code or 500)


def _return_namespace(response: Response) -> Response:
    if (namespace := request.headers.get("X-Vault-Namespace")) in _NAMESPACES:
        response.headers["X-Vault-Namespace"] = namespace
    return response


def _answer(rest: str = "") -> Response:
    g.route = "/v1/<path>"
    path = _SLASHES.sub("/", rest).removeprefix("/")
    if {".", ".."} & set(path.split("/")):
        return answers.refusal(400, "invalid path: no segment may be . or ..")
    if request.headers.get("X-Vault-Namespace", "") not in _NAMESPACES:
        return answers.refusal(404, "namespace not found")
    found = routes.find(dependencies().kv_mounts, path)
    if found is not None:
        g.route = f"/v1/{found.template}"
    # Flask would answer HEAD with the view of GET, and so use up a read.
    if request.method == "HEAD" and not (found and "HEAD" in found.methods):
        return answers.refusal(405)
    if found is None:
        return _not_found(path)
    try:
        method = "LIST" if request.method == "GET" and body.flag("list") else request.method
    except ValueError:
        return answers.refusal(400)
    method = _METHODS.get(method, method)
    endpoint = found.methods.get(method)
    if endpoint is None:
        return _unsupported(path)
    if method == "PATCH" and request.mimetype != _MERGE_PATCH:
        return answers.refusal(
            415, f"PATCH requires Content-Type of {_MERGE_PATCH}, provided {request.mimetype or 'none'}"
        )
    if isinstance(endpoint, Open):
        return endpoint.view(found.rest)
    # Before the call is made.
    seconds = wrapping.seconds_asked_for()
    response, actor = _recorded(endpoint, found)
    if seconds is None or response.status_code != HTTPStatus.OK:
        return response
    return wrapping.wrapped(response, actor, path, seconds)


def _unsupported(path: str) -> Response:
    if _REFUSED.fullmatch(path):
        return answers.refusal(403, answers.DENIED)
    return answers.refusal(405, "unsupported operation")


def _not_found(path: str) -> Response:
    if _REFUSED.fullmatch(path):
        return answers.refusal(403, answers.DENIED)
    on_mount = mounts.find(dependencies().kv_mounts, path)
    if on_mount is None:
        return answers.refusal(404, f'no handler for route "{path}". route entry not found.')
    # The command line shows warnings, and nothing of another body.
    name, rest = on_mount[0].name, on_mount[1]
    return answers.envelope(
        None,
        status=404,
        warnings=[f"Not a path of the KV engine: use kv get and kv put, or {name}/data/{rest} in the API."],
    )


def _recorded(endpoint: Endpoint | Proving, found: Found) -> tuple[Response, str]:
    """Return the answer, whose record is written, and who gets it, as the audit log calls them."""
    parts = dependencies()
    with parts.recorder.entry(endpoint.operation, current_caller()) as entry:
        entry.api = API
        if isinstance(endpoint, Proving):
            with counting_malformed(entry), parts.request_deadline():
                response = endpoint.view(entry)
        else:
            principal = authentication.authenticate(entry)
            with parts.request_deadline():
                response = endpoint.view(KvCall(Call(entry, principal), found.mount, found.rest))
    return response, entry.actor
