"""Secrets, and ways to create and fetch them, for the tests of service.secrets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from service.access import policy
from service.audit.recorder import Entry
from service.models import Caller, Envelope
from service.records import Secret
from service.secrets import create, lifecycle, read
from service.secrets.create import CreateSecret
from service.secrets.options import SecretOptions
from service.secrets.read import SecretVersionRef
from service.secrets.services import SecretServices
from service.store.secret_queries import SecretRef

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
SEALED = Envelope(b"payload", b"key")


def secret(values: int = 1, **fields: Any) -> Secret:
    """Return a secret with so many versions, all created an hour ago."""
    result = Secret("id", 0, (), NOW, path="team/app")
    result = replace(result, **fields)
    for _ in range(values):
        result = lifecycle.add(result, SEALED, {}, NOW - timedelta(hours=1), "maker")
    return lifecycle.tidy(result, NOW)


def entry() -> Entry:
    """Return an audit entry like those of the operator's commands."""
    return Entry("test", Caller("127.0.0.1", "test"), policy.OPERATOR.actor)


def keep(vault: SecretServices, path: str | None, value: bytes = b"value", **options: Any) -> Secret:
    """Create a secret as the operator does."""
    request = CreateSecret(value, path, SecretOptions(**options))
    return create.create_secret(vault, entry(), policy.OPERATOR, request)


def value_of(vault: SecretServices, path: str) -> bytes:
    """Fetch a secret as the operator does."""
    return read.fetch(
        vault, entry(), policy.OPERATOR, SecretVersionRef(SecretRef(path, is_path=True))
    ).plaintext
