"""Options that a caller can set for a secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypedDict, cast

from ..access import token_format
from ..errors import InvalidFields

# A hundred years: more than any secret needs, and far below the largest datetime.
MAX_SECONDS = 100 * 365 * 86_400

# Versions kept in a secret's document, destroyed ones included; of older ones only the numbers are known.
MAX_KEPT_VERSIONS = 100
# Labels: how many, and the lengths of their names and values.
MAX_LABELS, MAX_LABEL_NAME_CHARACTERS, MAX_LABEL_CHARACTERS = 64, 128, 512

# A point in time, or a duration from now.
Moment = datetime | timedelta


class _PlainOptions(TypedDict, total=False):
    labels: Mapping[str, str]
    max_reads: int | None
    max_versions: int
    cas_required: bool
    delete_version_after: int | None


class SecretOptions(_PlainOptions, total=False):
    """What can be set when a secret is created or changed; an absent option is unchanged.

    ``version_expires_at`` applies to the version created by the same call, or else to the current one.
    ``delete_version_after`` is in seconds.
    """

    expires_at: Moment | None
    version_expires_at: Moment | None


class ResolvedOptions(_PlainOptions, total=False):
    """The same options, validated, with every time as a point in time."""

    expires_at: datetime | None
    version_expires_at: datetime | None


def resolve(options: SecretOptions, at: datetime) -> ResolvedOptions:
    """Return the options with times relative to ``at``, in UTC and whole milliseconds (BSON's precision).

    Raises:
        InvalidFields: a time is not in the future or more than a hundred years away, or a label contains
            a token.
    """
    if any(token_format.is_within(text) for pair in options.get("labels", {}).items() for text in pair):
        raise InvalidFields({"labels": ["a label contains a token: labels are not secret, remove it"]})
    resolved = cast(ResolvedOptions, dict(options))
    if "expires_at" in options:
        resolved["expires_at"] = _resolve("expires_at", options["expires_at"], at)
    if "version_expires_at" in options:
        resolved["version_expires_at"] = _resolve("version_expires_at", options["version_expires_at"], at)
    return resolved


def _resolve(field: str, moment: Moment | None, at: datetime) -> datetime | None:
    if moment is None:
        return None
    if isinstance(moment, timedelta):
        moment = at + moment
    if not at < moment <= at + timedelta(seconds=MAX_SECONDS):
        raise InvalidFields({field: ["must be in the future, at most a hundred years from now"]})
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
