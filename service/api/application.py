"""Flask without what this API has no use for: sessions, asynchronous views, a search for its routes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
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

    @cached_property
    def _table(self) -> dict[tuple[str, str], _Found]:
        """The routes; made at the first request, when Flask takes no further ones."""
        table: dict[tuple[str, str], _Found] = {}
        for rule in self.url_map.iter_rules():
            # A path that is not ASCII arrives encoded, so it is not compared as it stands.
            if not rule.arguments and rule.rule.isascii():
                for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                    table.setdefault((method, rule.rule), _Found(rule))
        return table

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
        self._rule = rule

    def match(self, *, return_rule: bool) -> tuple[Rule, dict[str, Any]]:
        return self._rule, {}


class _NoSessions(SessionInterface):
    """There are no cookies, so there is no session."""

    _session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self._session
