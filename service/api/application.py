"""Flask without what this API has no use for: sessions, asynchronous views, a search for its routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter, Rule


class Application(Flask):
    """A Flask application that finds routes without arguments in a table.

    Werkzeug binds its map to each request and searches it.  It still does that for whatever the table does
    not have: routes with arguments, another spelling, HEAD and OPTIONS, and everything that is refused.
    """

    def __init__(self, import_name: str) -> None:
        super().__init__(import_name, static_folder=None)
        self.session_interface = _NoSessions()
        self._table: dict[tuple[str, str], _Found] = {}

    def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
        """Register a route."""
        super().add_url_rule(rule, *args, **options)
        for added in self.url_map.iter_rules():
            for method in (added.methods or set()) - {"HEAD", "OPTIONS"}:
                if not added.arguments:
                    self._table.setdefault((method, added.rule), _Found(added))

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the route of ``request``."""
        if request is not None:
            environ = request.environ
            found = self._table.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
            if found is not None:
                return found  # type: ignore[return-value]  # all that Flask calls of it
        return super().create_url_adapter(request)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the view itself: none is asynchronous."""
        return func


class _Found:
    """The result of a search that is not needed."""

    def __init__(self, rule: Rule) -> None:
        self._found = rule, dict[str, Any]()

    def match(self, *, return_rule: bool) -> tuple[Rule, dict[str, Any]]:
        return self._found


class _NoSessions(SessionInterface):
    """There are no cookies, so there is no session."""

    _session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self._session
