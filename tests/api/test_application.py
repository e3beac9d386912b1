"""api.application: answers as plain Flask does, whatever is asked."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from flask import Flask, request

from service.api.application import Application
from service.app import create_app
from service.environment import Environment
from service.settings import Settings

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW", "get")

PATHS = (
    *("/plain", "/plain/", "//plain", "/slash", "/slash/", "/slash//", "/with/a", "/with/fixed", "/with/"),
    *("/%C3%BCn%C3%AFcode", "/plain?a=b", "/plain%20", "/PLAIN", "/", "/nothing", "/plain%2F"),
)


def application(kind: type[Any]) -> Flask:
    """Return an application of this class with routes of several kinds."""
    app: Flask = kind("app")
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    def view(**arguments: str) -> str:
        return f"{request.method} {request.url_rule} {request.endpoint} {arguments} {request.host}"

    for number, (rule, methods) in enumerate(
        [
            ("/plain", ["GET"]),
            ("/plain", ["POST"]),
            ("/slash/", ["GET", "POST"]),
            ("/with/<name>", ["GET"]),
            ("/with/fixed", ["GET"]),
            ("/ünïcode", ["GET"]),
        ]
    ):
        app.add_url_rule(rule, f"view{number}", view, methods=methods)
    return app


PLAIN, OURS = application(Flask), application(Application)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("host", ["localhost", "evil host", "x:99999", ""])
def test_answers_as_plain_flask_does(method: str, host: str) -> None:
    """Each route with each method, with and without a slash, and with an invalid host."""
    for path in PATHS:
        plain, ours = (
            app.test_client().open(path, method=method, headers={"Host": host}) for app in (PLAIN, OURS)
        )

        assert (plain.status, plain.data) == (ours.status, ours.data), path
        assert {**plain.headers, "Allow": set(plain.allow)} == {**ours.headers, "Allow": set(ours.allow)}


def test_the_service_s_own_routes_are_in_the_table() -> None:
    """Each route without arguments is found without a search."""
    key = base64.b64encode(bytes(32)).decode()
    app = create_app(Settings.from_environment(Environment({"MASTER_KEY": key})))

    rules = [rule for rule in app.url_map.iter_rules() if not rule.arguments]
    assert len(rules) > 20
    for rule in rules:
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            with app.test_request_context(rule.rule, method=method) as context:
                adapter: Any = context.url_adapter
                assert type(adapter).__module__ == "service.api.application"
                assert rule is adapter.match(return_rule=True)[0]
