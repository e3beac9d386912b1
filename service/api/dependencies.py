"""The dependencies of the views, stored in the application once, by ``create_app``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask import Flask, current_app

from ..access.mounts import Mount
from ..approles.login import Login
from ..approles.services import AppRoleServices
from ..audit.checkpointer import AuditLog
from ..audit.recorder import Entry, Recorder
from ..environment import Network
from ..exclusive import Exclusive
from ..grants.current import CurrentGrants
from ..grants.grants import GrantServices
from ..keys.status import KeyServices
from ..models import DrillResult, Principal
from ..readiness import Readiness
from ..secrets.services import SecretServices
from ..shares.opening import Opener
from ..shares.services import ShareServices
from ..status import StatusServices
from ..store.disk import DiskUsage
from ..tokens.tokens import TokenServices

_NAME = "secret-manager"


class Authentication(Protocol):
    """``tokens.authentication.Authenticator``, or what replaces it."""

    def authenticate(
        self, entry: Entry, text: str | None, *, batch: bool = False, sessions: bool = True
    ) -> Principal:
        """Return who sends this token or session."""

    def charge(self, principal: Principal, values: int) -> None:
        """Count a batch as so many calls."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The parts behind the API.

    ``request_deadline()`` bounds a request's database operations together, except writing its audit record.
    ``kv_token_seconds`` is the lifetime of tokens that Vault's clients make without a ``ttl``.
    ``public_url`` is the base of links to this service, or empty.  ``warnings`` name the protections that
    an operator has switched off.
    """

    secrets: SecretServices
    tokens: TokenServices
    grants: GrantServices
    approles: AppRoleServices
    login: Login
    shares: ShareServices
    opener: Opener
    current_grants: CurrentGrants
    keys: KeyServices
    audit_log: AuditLog
    verification: Exclusive
    authentication: Authentication
    recorder: Recorder
    readiness: Readiness
    status: StatusServices
    last_drill: Callable[[], DrillResult | None]
    disk_usage: Callable[[], DiskUsage | None]
    certificate_expiry: Mapping[str, datetime]
    trusted_proxies: tuple[Network, ...]
    metrics_networks: tuple[Network, ...]
    kv_mounts: tuple[Mount, ...]
    share_enabled: bool
    public_url: str
    kv_token_seconds: int
    warnings: tuple[str, ...]
    request_deadline: Callable[[], AbstractContextManager[object]]


def init_app(app: Flask, parts: Dependencies) -> None:
    """Store the dependencies where ``dependencies()`` finds them."""
    app.extensions[_NAME] = parts


def dependencies() -> Dependencies:
    """Return the dependencies of the application that handles the current request."""
    parts: Dependencies = current_app.extensions[_NAME]
    return parts
