"""The dependencies of the use cases for shares."""

from __future__ import annotations

from dataclasses import dataclass

from ..secrets.services import SecretServices
from ..store.shares import ShareStore


@dataclass(frozen=True, slots=True)
class ShareServices:
    """The dependencies; ``max_seconds`` is how long a share may live."""

    store: ShareStore
    secrets: SecretServices
    max_seconds: int
