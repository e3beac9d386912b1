"""What a caller can ask for a secret, whatever door they came through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict

from ..errors import InvalidFields
from .generate import Recipe

# Far beyond what anybody means, and far from where dates end.
MOST_SECONDS = 100 * 365 * 86_400

# A point in time, or how long from now.
Moment = datetime | timedelta


class Settings(TypedDict, total=False):
    """What can be set with a secret and changed later; what is not there stays as it is.

    ``version_expires_at`` is of the version that comes with it, or else of the current one.
    ``delete_version_after`` is in seconds.
    """

    labels: Mapping[str, str]
    expires_at: Moment | None
    version_expires_at: Moment | None
    max_reads: int | None
    max_versions: int
    cas_required: bool
    delete_version_after: int | None


# A value to keep, or how to make one.
Content = bytes | Recipe


def moment(
    settings: Settings, field: Literal["expires_at", "version_expires_at"], at: datetime
) -> datetime | None:
    """Return a moment as seen from ``at``, in whole milliseconds as the database keeps it.

    Raises:
        InvalidFields: it is over, or absurdly far away.
    """
    wanted = settings.get(field)
    if wanted is None:
        return None
    if isinstance(wanted, timedelta):
        wanted = at + wanted
    if not at < wanted <= at + timedelta(seconds=MOST_SECONDS):
        raise InvalidFields({field: ["a moment to come, within a hundred years"]})
    wanted = wanted.astimezone(UTC)
    return wanted.replace(microsecond=wanted.microsecond // 1000 * 1000)
