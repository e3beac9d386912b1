"""A call of a client, on its way to a view."""

from __future__ import annotations

from dataclasses import dataclass

from ...access import paths, policy
from ...access.mounts import Mount
from ...errors import InvalidFields
from ...models import Action
from ...store.secret_queries import SecretRef
from ..guard import Call


@dataclass(frozen=True, slots=True)
class KvCall:
    """An authenticated call; ``rest`` is what follows the route's fixed segments, with its trailing slash.

    ``mount`` is None on routes of the system.
    """

    call: Call
    mount: Mount | None
    rest: str

    @property
    def is_folder(self) -> bool:
        """Whether the path is of a folder, and so of no secret."""
        return not self.rest or self.rest.endswith("/")

    def secret(self, action: Action, *others: Action) -> SecretRef:
        """Return the secret that the path names, for a caller who may do one of these to it.

        Raises:
            InvalidFields: the path is malformed.
            Forbidden: they may not, whether the secret exists or not.
        """
        path = self.path
        self.call.entry.path = path
        if not any(policy.has_scope(self.call.principal, each, path) for each in others):
            policy.require_path(self.call.principal, action, path)
        return SecretRef(path, is_path=True)

    def written(self, action: Action, *others: Action) -> SecretRef:
        """Return the secret that the path names, for a change.

        Raises:
            InvalidFields, Forbidden: as ``secret``; a folder has no values.
        """
        if self.is_folder:
            raise InvalidFields({"path": ["cannot write to a path ending in '/'"]})
        return self.secret(action, *others)

    @property
    def path(self) -> str:
        """The secret's own path.

        Raises:
            InvalidFields: it is malformed.
        """
        path = ("" if self.mount is None else self.mount.prefix) + self.rest
        if not paths.is_path(path):
            raise InvalidFields({"path": [f"invalid path: {paths.RULE}"]})
        return path
