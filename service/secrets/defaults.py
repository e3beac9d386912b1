"""What applies to a secret: its own options together with those of the folder that it is in."""

from __future__ import annotations

from ..records import INHERIT, MAX_VERSIONS, Defaults, Secret

NONE = Defaults()


def applied(secret: Secret, defaults: Defaults) -> Defaults:
    """Return what applies: more versions, the shorter time, and an expected version if either wants one."""
    times = (secret.delete_version_after, defaults.delete_version_after)
    return Defaults(
        max_versions=max(secret.max_versions, defaults.max_versions) or MAX_VERSIONS,
        cas_required=secret.cas_required or defaults.cas_required,
        delete_version_after=min((time for time in times if time is not None), default=None),
    )


def inherited(secret: Secret, defaults: Defaults) -> list[str]:
    """Return the names of the options that apply to a secret although they are not its own."""
    names = []
    found = applied(secret, defaults)
    if secret.max_versions == INHERIT or secret.max_versions < found.max_versions:
        names.append("max_versions")
    if secret.cas_required != found.cas_required:
        names.append("cas_required")
    if secret.delete_version_after != found.delete_version_after:
        names.append("delete_version_after")
    return names
