"""Refuses to begin anew in the database that MONGO_URI names while there is data in ``vault``.

Earlier versions ignored that name.  Without this, they would seem to have lost everything after an upgrade,
and backups of the empty database would in time replace those of the full one.
"""

from __future__ import annotations

from ..crypto.keyring import KeyRing
from ..errors import ConfigurationError, Tampered, UnknownKey
from ..store.default_database import DefaultDatabase
from . import canary


def require_not_instead(default: DefaultDatabase, ring: KeyRing) -> None:
    """Check that the data under these master keys is not in ``vault`` instead of the database in use.

    Raises:
        ConfigurationError: it is.
        StoreUnavailable: the database did not answer in time.
    """
    if not default.holds_data_instead() or _is_of_others(default, ring):
        return
    name = default.used_name
    raise ConfigurationError(
        f"MONGO_URI names the database {name}, which is empty, but vault on the same server has data under"
        " this master key: earlier versions used vault whatever MONGO_URI named. To go on with that data,"
        f" write /vault there, and authSource={name} if that is where the user is stored; to move it, restore"
        " a backup of it here; to begin anew here, use another master key"
    )


def _is_of_others(default: DefaultDatabase, ring: KeyRing) -> bool:
    """Return whether the data is under none of these master keys; if that cannot be told, it is not."""
    try:
        stored = default.canaries.find()
        if stored is not None:
            canary.open_(stored, ring)
    except UnknownKey:
        return True
    except Tampered:
        pass
    return False
