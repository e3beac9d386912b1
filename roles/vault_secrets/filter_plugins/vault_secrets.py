"""How the API is asked for secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def vault_secrets_references(secrets: Iterable[str]) -> list[dict[str, str]]:
    """Refer to each secret as the API expects it: a UUID by ``secret_id``, anything else by ``path``."""
    return [{"secret_id" if _ID.fullmatch(secret) else "path": secret} for secret in secrets]


class FilterModule:
    """What Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"vault_secrets_references": vault_secrets_references}
