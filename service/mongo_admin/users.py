"""MongoDB's users and roles: one administrator, one user for the service, one role.

The service's role covers the service's database and nothing else.  It may write, and create or change
indexes, but not create users or drop collections, except for the staging collections of a backup.
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
from ..store.database import database_name
from ..store.tls import MongoTls, options

# Codes of mongod's error_codes.yml.
UNAUTHORIZED = 13
AUTHENTICATION_FAILED = 18

# The cluster, its users, backup and restore; the data only as far as these need it.
ADMIN_ROLES = ("clusterAdmin", "userAdminAnyDatabase", "backup", "restore")

SERVICE_ROLE = "vaultService"
SERVICE_ACTIONS = (
    "collMod",
    "collStats",
    "createCollection",
    "createIndex",
    "dbStats",
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
    """A MongoDB user, from its connection string.

    ``database`` is the one that stores the user, ``data`` the one that the service would use.
    """

    uri: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    database: str
    data: str
    replica_set: str
    tls: MongoTls | None = None

    @classmethod
    def from_uri(cls, uri: str, tls: MongoTls | None = None) -> Login:
        """Parse a connection string, which must have a user, a password and a replica set.

        Raises:
            ConfigurationError: it is malformed or lacks one of them; the message never repeats it.
        """
        try:
            parts = parse_uri(uri, warn=True)
        except (PyMongoError, ValueError):
            raise ConfigurationError("a connection string is not of the form mongodb://…") from None
        user, password, replica_set = parts["username"], parts["password"], parts["options"].get("replicaSet")
        if not (user and password and replica_set):
            raise ConfigurationError("a connection string lacks its user, its password or replicaSet")
        database = parts["options"].get("authSource") or parts["database"] or "admin"
        return cls(uri, user, password, database, database_name(parts["database"]), replica_set, tls)

    def at(self, hosts: Sequence[str]) -> Login:
        """Return the same login with ``hosts`` in its connection string.

        A name that all members share may also resolve to one that is in no replica set; a client that
        reaches that one first waits for it.
        """
        return replace(self, uri=re.sub("@[^/?]+", lambda _: "@" + ",".join(hosts), self.uri, count=1))

    def connect(self) -> MongoClient[dict[str, Any]]:
        """Return a client of the whole replica set that logs in as this user."""
        return MongoClient(
            self.uri, serverSelectionTimeoutMS=10_000, timeoutMS=15_000, w="majority", **options(self.tls)
        )

    def works(self) -> bool:
        """Return whether MongoDB accepts this user's login.

        Raises:
            StoreUnavailable: MongoDB does not answer, or fails for another reason.
        """
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
    """Create the administrator through the localhost exception; return a line for each change.

    ``local`` talks to a member over its loopback interface and is not logged in.  That member must be the
    primary if there is no user yet.

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
            f"MongoDB rejects the login of {admin.user}, and its first user can only be created on the"
            " primary, which the first --member is not: name the primary first"
        ) from error
    except PyMongoError as error:
        raise StoreUnavailable(f"cannot create {admin.user}: {error}") from error
    return [f"created the user {admin.user}"]


def ensure_service(client: MongoClient[dict[str, Any]], service: Login) -> list[str]:
    """Create or correct the service's role and user; return a line for each change.

    ``client`` is logged in as the administrator.

    Raises:
        StoreUnavailable: MongoDB rejects a change, or does not answer.
    """
    try:
        return _ensure_role(client, service.data) + _ensure_user(client, service)
    except PyMongoError as error:
        raise StoreUnavailable(f"cannot set up {service.user}: {error}") from error


def _ensure_role(client: MongoClient[dict[str, Any]], database: str) -> list[str]:
    privileges = [
        {"resource": {"db": database, "collection": ""}, "actions": sorted(SERVICE_ACTIONS)},
        *(
            {"resource": {"db": database, "collection": name}, "actions": ["dropCollection"]}
            for name in sorted(STAGING_COLLECTIONS)
        ),
    ]
    found = client[database].command("rolesInfo", SERVICE_ROLE, showPrivileges=True)["roles"]
    if not found:
        client[database].command("createRole", SERVICE_ROLE, privileges=privileges, roles=[])
        return [f"created the role {SERVICE_ROLE}"]
    present = sorted(
        ({**privilege, "actions": sorted(privilege["actions"])} for privilege in found[0]["privileges"]),
        key=lambda privilege: str(privilege["resource"]["collection"]),
    )
    if present == privileges and not found[0]["roles"]:
        return []
    client[database].command("updateRole", SERVICE_ROLE, privileges=privileges, roles=[])
    return [f"changed the privileges of the role {SERVICE_ROLE}"]


def _ensure_user(client: MongoClient[dict[str, Any]], service: Login) -> list[str]:
    roles = [{"role": SERVICE_ROLE, "db": service.data}]
    found = client[service.database].command("usersInfo", service.user)["users"]
    if not found:
        client[service.database].command("createUser", service.user, pwd=service.password, roles=roles)
        return [f"created the user {service.user}"]
    done = []
    if found[0]["roles"] != roles:
        client[service.database].command("updateUser", service.user, roles=roles)
        done.append(f"changed the roles of the user {service.user}")
    if not service.works():
        client[service.database].command("updateUser", service.user, pwd=service.password)
        done.append(f"changed the password of the user {service.user}")
    return done
