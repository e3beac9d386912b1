"""Applications in this process: what takes long to make of one is made once, all else for each test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from flask import Flask

from service import app as service_app
from service.app import create_app
from service.environment import Environment
from service.settings import Settings


class Applications:
    """Applications by their variables.

    Routes and their documentation are those of earlier tests, as making them takes 100 ms.  What is behind
    them, that is keys, tokens, the audit log and the connection to the database, is made for each test: it
    remembers what it saw in the database.
    """

    def __init__(self) -> None:
        self._free: defaultdict[frozenset[tuple[str, str]], list[Flask]] = defaultdict(list)

    @contextmanager
    def borrowed(self) -> Iterator[Callable[[Mapping[str, str]], Flask]]:
        """Return a function that lends an application, another one each time, until the ``with`` ends."""
        lent: list[tuple[frozenset[tuple[str, str]], Flask]] = []

        def borrow(variables: Mapping[str, str]) -> Flask:
            key = frozenset(variables.items())
            settings = Settings.from_environment(Environment(variables))
            if self._free[key]:
                app = self._free[key].pop()
                service_app.init_dependencies(app, settings)
            else:
                app = create_app(settings)
            lent.append((key, app))
            return app

        yield borrow
        for key, app in lent:
            self._free[key].append(app)
