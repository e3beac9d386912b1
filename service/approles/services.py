"""The dependencies of the use cases for AppRoles."""

from __future__ import annotations

from dataclasses import dataclass

from ..secrets.services import SecretServices
from ..store.approles import AppRoleStore
from ..store.secret_ids import SecretIdStore
from ..tokens.tokens import TokenServices


@dataclass(frozen=True, slots=True)
class AppRoleServices:
    """The dependencies; ``secrets`` is for secret ids that are handed out as a secret for a single read."""

    roles: AppRoleStore
    secret_ids: SecretIdStore
    tokens: TokenServices
    secrets: SecretServices
