"""``/docs`` (Swagger UI) and ``/openapi.json``, from files in the image: no other host is contacted."""

from __future__ import annotations

from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Flask, Response, jsonify, send_from_directory
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from .. import __version__
from . import common_schemas, problems

# Only the package's assets are used: its page has an inline script, which the policy forbids.
ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
_SERVED = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
_OWN = Path(__file__).parent / "static"

# Swagger UI sets style attributes when it renders, and has its icons in data: URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

pages = Blueprint("docs", __name__)


class VaultApi(Api):
    """flask-smorest's API, with this service's error format."""

    ERROR_SCHEMA = common_schemas.Problem
    # Every view documents each of its errors.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_pagination_header(self) -> None:
        """Leave flask-smorest's pagination schema out of the document: no view uses it."""

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Return a problem document."""
        return problems.http_error(error)


def init_app(app: Flask, *, serve: bool) -> VaultApi:
    """Return the API to register blueprints with; serve its documentation if ``serve`` is true."""
    app.config["OPENAPI_URL_PREFIX"] = None
    api = VaultApi(
        app,
        spec_kwargs={
            "title": "Secret manager",
            "version": __version__,
            "openapi_version": "3.1.0",
            "info": {
                "description": "Stores secrets encrypted, and records every access in an audit log."
                " Ids and paths are sent in bodies, so that they do not appear in access logs."
            },
            "servers": [{"url": "/"}],
        },
    )

    api.spec.components.security_scheme(
        "token",
        {"type": "http", "scheme": "bearer", "description": "A token, `smt_…`; see /vault/token/create."},
    )
    if serve:
        app.register_blueprint(pages)

        @app.get("/openapi.json")
        def openapi() -> Response:
            return jsonify(api.spec.to_dict())

    return api


@pages.get("/docs")
def page() -> Response:
    """Serve the Swagger UI page."""
    response = send_from_directory(_OWN, "docs.html")
    response.headers["Content-Security-Policy"] = POLICY
    return response


@pages.get("/docs/<name>")
def asset(name: str) -> Response:
    """Serve an asset of the page."""
    return send_from_directory(ASSETS if name in _SERVED else _OWN, name)
