"""Secrets for the tests of what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from service.models import Envelope
from service.records import Secret
from service.vault import life

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
SEALED = Envelope(b"payload", b"key")


def secret(values: int = 1, **fields: Any) -> Secret:
    """Return a secret that was given so many values, all of them an hour ago."""
    made = Secret("id", 0, (), NOW, path="team/app")
    made = replace(made, **fields)
    for _ in range(values):
        made = life.add(made, SEALED, {}, NOW - timedelta(hours=1), "maker")
    return life.tidy(made, NOW)
