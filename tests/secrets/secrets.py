"""Secrets for the tests of what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from service.access import policy
from service.audit.recorder import Entry
from service.models import Caller, Envelope
from service.records import Secret
from service.secrets import create, lifecycle, read
from service.secrets.create import NewSecret
from service.secrets.options import Settings
from service.secrets.read import Wanted
from service.secrets.vault import Vault
from service.store.secret_queries import Name

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
SEALED = Envelope(b"payload", b"key")


def secret(values: int = 1, **fields: Any) -> Secret:
    """Return a secret that was given so many values, all of them an hour ago."""
    made = Secret("id", 0, (), NOW, path="team/app")
    made = replace(made, **fields)
    for _ in range(values):
        made = lifecycle.add(made, SEALED, {}, NOW - timedelta(hours=1), "maker")
    return lifecycle.tidy(made, NOW)


def entry() -> Entry:
    """Return an audit entry as the operator's commands open it."""
    return Entry("test", Caller("127.0.0.1", "test"), policy.OPERATOR.actor)


def keep(vault: Vault, path: str | None, value: bytes = b"value", **settings: Any) -> Secret:
    """Create a secret as the operator does."""
    wish = NewSecret(value, path, Settings(**settings))
    return create.create(vault, entry(), policy.OPERATOR, wish)


def value_of(vault: Vault, path: str) -> bytes:
    """Fetch a secret as the operator does."""
    return read.fetch(vault, entry(), policy.OPERATOR, Wanted(Name(path, is_path=True))).plaintext
