"""What the views reach through the application: put there once, by ``create_app``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from ..audit.checkpointer import AuditLog
from ..audit.recorder import Entry, Recorder
from ..environment import Network
from ..keys.status import Keys
from ..models import DrillResult, Principal
from ..readiness import Readiness
from ..secrets.vault import Vault
from ..tokens.tokens import Tokens

_NAME = "secret-manager"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts behind the API; ``time_limit()`` bounds a request's database operations, its record apart.

    ``warnings`` are what an operator has switched off that protects the secrets.
    """

    vault: Vault
    tokens: Tokens
    keys: Keys
    audit_log: AuditLog
    authenticate: Callable[[Entry, str | None], Principal]
    recorder: Recorder
    readiness: Readiness
    last_drill: Callable[[], DrillResult | None]
    trusted_proxies: tuple[Network, ...]
    metrics_networks: tuple[Network, ...]
    warnings: tuple[str, ...]
    time_limit: Callable[[], AbstractContextManager[object]]


def install(app: Flask, services: Services) -> None:
    """Put the services where ``services()`` finds them."""
    app.extensions[_NAME] = services


def services() -> Services:
    """Return the services of the application that handles the present request."""
    return cast(Services, current_app.extensions[_NAME])
