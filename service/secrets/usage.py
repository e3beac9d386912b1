"""What Swarm services are known to use of a secret, and what is about to end although they use it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from ..audit.deliveries import Use
from ..errors import SecretInUse, SecretNotFound
from ..records import Secret, readable_until
from . import state
from .services import SecretServices


def in_use(services: SecretServices, secret: Secret) -> list[Use]:
    """Return the versions that have values and that services are known to use.

    Raises:
        StoreUnavailable, CannotDecrypt: the audit log cannot be read.
    """
    return services.deliveries.in_use(secret.secret_id, _kept(secret))


def require_unused(services: SecretServices, secret: Secret, numbers: Collection[int]) -> None:
    """Check that no service is known to use any of these versions, or of all if none is named.

    Raises:
        SecretInUse: one does.
        StoreUnavailable, CannotDecrypt: as ``in_use``.
    """
    found = [use for use in in_use(services, secret) if not numbers or use.version in numbers]
    if found:
        raise SecretInUse(
            [
                f"version {use.version} was delivered to service {use.service}"
                f" at {use.delivered_at.isoformat()}"
                for use in found
            ]
        )


def warnings(secret: Secret, uses: Sequence[Use], at: datetime, max_versions: int) -> list[str]:
    """Return a line for each version in use that has ended or has an end, or that the next value will end."""
    lines = []
    kept = _kept(secret)
    too_old = kept[: max(0, len(kept) + 1 - max_versions)]
    for number in sorted({use.version for use in uses}):
        services = ", ".join(use.service for use in uses if use.version == number)
        what = f"version {number}, in use by {services},"
        try:
            version = state.readable(secret, number, at)
        except SecretNotFound as error:
            lines.append(f"{what} is not delivered any more: {error}")
            continue
        if (end := readable_until(secret, version)) is not None:
            lines.append(f"{what} is delivered until {end.isoformat()}")
        if number in too_old:
            lines.append(f"{what} is destroyed by the next value, as max_versions is {max_versions}")
    return lines


def _kept(secret: Secret) -> list[int]:
    return [version.version for version in secret.versions if version.destroyed_at is None]
