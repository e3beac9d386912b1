"""Who may do what in MongoDB: one administrator, one user for the service, one role.

The service's role reaches the database ``vault`` and nothing else.  It can write, and shape indexes,
but neither drop a collection nor create a user; only where a backup lies apart it may drop what it put there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pymongo import MongoClient
from pymongo.errors import NotPrimaryError, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from ..errors import ConfigurationError, StoreUnavailable
from ..store.backup_collections import STAGING_COLLECTIONS
from ..store.tls import MongoTls, options

# Codes of mongod's error_codes.yml.
UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18

# The cluster, its users, its copies; the data only as far as backup and restore need it.
ADMIN_ROLES = ("clusterAdmin", "userAdminAnyDatabase", "backup", "restore")

SERVICE_ROLE = "vaultService"
SERVICE_ACTIONS = (
    "collMod",
    "collStats",
    "createCollection",
    "createIndex",
    "dropIndex",
    "find",
    "insert",
    "listCollections",
    "listIndexes",
    "remove",
    "update",
)


@dataclass(frozen=True, slots=True)
class Login:
    """A MongoDB user as its connection string tells: ``database`` is where the user is kept."""

    uri: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    database: str
    replica_set: str
    tls: MongoTls | None = None

    @classmethod
    def from_uri(cls, uri: str, tls: MongoTls | None = None) -> Login:
        """Read a connection string that names a user, a password and a replica set.

        Raises:
            ConfigurationError: it does not; the message never repeats it.
        """
        try:
            parts = parse_uri(uri, warn=True)
        except (PyMongoError, ValueError):
            raise ConfigurationError("a connection string is not of the form mongodb://…") from None
        user, password, replica_set = parts["username"], parts["password"], parts["options"].get("replicaSet")
        if not (user and password and replica_set):
            raise ConfigurationError("a connection string lacks its user, its password or replicaSet")
        database = parts["options"].get("authSource") or parts["database"] or "admin"
        return cls(uri, user, password, database, replica_set, tls)

    def at(self, hosts: Sequence[str]) -> Login:
        """Return the same login with ``hosts`` as the way in.

        A name that all members share also leads to one that is in no replica set yet, or no
        longer, and a client that met that one first waits for it.
        """
        return replace(self, uri=re.sub("@[^/?]+", lambda _: "@" + ",".join(hosts), self.uri, count=1))

    def connect(self) -> MongoClient[dict[str, Any]]:
        """A client of the whole replica set that logs in as this user."""
        return MongoClient(
            self.uri, serverSelectionTimeoutMS=10_000, timeoutMS=15_000, w="majority", **options(self.tls)
        )

    def works(self) -> bool:
        """Whether MongoDB lets this user in."""
        try:
            with self.connect() as client:
                client[self.database].command("ping")
        except OperationFailure as error:
            if error.code == AUTHENTICATION_FAILED:
                return False
            raise StoreUnavailable(f"cannot log in as {self.user}: {error}") from error
        except PyMongoError as error:
            raise StoreUnavailable(f"cannot log in as {self.user}: {error}") from error
        return True


def ensure_admin(local: MongoClient[dict[str, Any]], admin: Login) -> list[str]:
    """Create the administrator through the localhost exception; returns what was done, in words.

    ``local`` talks to a member over its loopback interface and is not logged in; only where there
    is no user yet it must be the primary.

    Raises:
        StoreUnavailable: MongoDB has users already, but does not know this one with this password.
    """
    if admin.works():
        return []
    try:
        local[admin.database].command(
            "createUser",
            admin.user,
            pwd=admin.password,
            roles=list(ADMIN_ROLES),
            writeConcern={"w": "majority"},
        )
    except OperationFailure as error:
        if error.code == UNAUTHORIZED:
            raise StoreUnavailable(
                f"MongoDB has users already, but not {admin.user} with the password in the Swarm:"
                " this data belongs to another installation"
            ) from error
        raise StoreUnavailable(f"cannot create {admin.user}: {error}") from error
    except NotPrimaryError as error:
        raise StoreUnavailable(
            f"MongoDB does not let {admin.user} in, and its first user can be created only next to the"
            " primary, which the first member named is not"
        ) from error
    except PyMongoError as error:
        raise StoreUnavailable(f"cannot create {admin.user}: {error}") from error
    return [f"created the user {admin.user}"]


def ensure_service(client: MongoClient[dict[str, Any]], service: Login) -> list[str]:
    """Create the service's role and user, or bring them in line; returns what was done, in words.

    ``client`` is logged in as the administrator.

    Raises:
        StoreUnavailable: MongoDB refuses or does not answer.
    """
    try:
        return _ensure_role(client, service.database) + _ensure_user(client, service)
    except PyMongoError as error:
        raise StoreUnavailable(f"cannot set up {service.user}: {error}") from error


def _ensure_role(client: MongoClient[dict[str, Any]], database: str) -> list[str]:
    wanted = [
        {"resource": {"db": database, "collection": ""}, "actions": sorted(SERVICE_ACTIONS)},
        *(
            {"resource": {"db": database, "collection": name}, "actions": ["dropCollection"]}
            for name in sorted(STAGING_COLLECTIONS)
        ),
    ]
    found = client[database].command("rolesInfo", SERVICE_ROLE, showPrivileges=True)["roles"]
    if not found:
        client[database].command("createRole", SERVICE_ROLE, privileges=wanted, roles=[])
        return [f"created the role {SERVICE_ROLE}"]
    present = sorted(
        ({**privilege, "actions": sorted(privilege["actions"])} for privilege in found[0]["privileges"]),
        key=lambda privilege: str(privilege["resource"]["collection"]),
    )
    if present == wanted and not found[0]["roles"]:
        return []
    client[database].command("updateRole", SERVICE_ROLE, privileges=wanted, roles=[])
    return [f"changed the privileges of the role {SERVICE_ROLE}"]


def _ensure_user(client: MongoClient[dict[str, Any]], service: Login) -> list[str]:
    wanted = [{"role": SERVICE_ROLE, "db": service.database}]
    found = client[service.database].command("usersInfo", service.user)["users"]
    if not found:
        client[service.database].command("createUser", service.user, pwd=service.password, roles=wanted)
        return [f"created the user {service.user}"]
    done = []
    if found[0]["roles"] != wanted:
        client[service.database].command("updateUser", service.user, roles=wanted)
        done.append(f"changed the roles of the user {service.user}")
    if not service.works():
        client[service.database].command("updateUser", service.user, pwd=service.password)
        done.append(f"changed the password of the user {service.user}")
    return done
