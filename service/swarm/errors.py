"""The errors of the package.

::

    SwarmError
    ├── EngineError            the engine did not answer, or refused
    │   ├── NotFoundByEngine
    │   └── VersionOutdated    what was to be changed has been changed since it was read
    ├── VaultNotReached        no address answered: the call may have been carried out nevertheless
    └── VaultRefused           the vault answered with a problem document

Messages are for the operator, and never contain a value or a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SwarmError(Exception):
    """Base class of the errors of this package."""


class EngineError(SwarmError):
    """The engine did not answer, or refused; ``status`` is the answer's, or None."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NotFoundByEngine(EngineError):
    """The engine has no such object."""


class VersionOutdated(EngineError):
    """The object has been changed since it was read: read it again."""


class VaultNotReached(SwarmError):
    """No address of the vault answered."""


class VaultRefused(SwarmError):
    """The vault refused.

    ``kind`` is the last part of the problem document's type (docs/reference/problems.md), ``status`` the
    HTTP status, ``document`` the whole problem document.
    """

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(str(document.get("detail") or document.get("title") or f"status {status}"))
        self.status = status
        self.kind = str(document.get("type", "")).rpartition("/")[2]
        self.document = document
