"""Checks and finishes upgrades of MongoDB, one major version at a time.

A mongod opens data that is marked for its own major version or for the previous one (the feature
compatibility version, FCV).  Until the mark is changed, members can go back to the previous version.
Source: MongoDB's manual, "Upgrade a Replica Set" and "setFeatureCompatibilityVersion".
"""

from __future__ import annotations

from typing import Any

from pymongo.errors import PyMongoError

from ..errors import ConfigurationError
from ..store.tls import MongoTls
from .replica_set import Client, connect_member, to_domain_error

# From this major version on, MongoDB requires a confirmation, as the change cannot always be undone.
_CONFIRMED_FROM = 7


def member_versions(client: Client, tls: MongoTls | None) -> dict[str, str]:
    """Return the version of each member's mongod (``6.0.5``) by host.

    ``client`` talks to the set.

    Raises:
        StoreUnavailable: a member does not answer.
    """
    try:
        hello = client.admin.command("hello")
    except PyMongoError as error:
        raise to_domain_error("the replica set does not answer", error) from error
    versions = {}
    for host in sorted([*hello["hosts"], *hello.get("passives", [])]):
        with connect_member(host, tls) as member:
            try:
                versions[host] = str(member.admin.command("buildInfo")["version"])
            except PyMongoError as error:
                raise to_domain_error(f"cannot ask {host} for its version", error) from error
    return versions


def data_version(client: Client) -> str:
    """Return the version that the data is marked for (``6.0``); ``client`` is the administrator's.

    Raises:
        StoreUnavailable: there is no primary.
    """
    try:
        answer = client.admin.command("getParameter", 1, featureCompatibilityVersion=1)
    except PyMongoError as error:
        raise to_domain_error("cannot read the version that the data is marked for", error) from error
    return str(answer["featureCompatibilityVersion"]["version"])


def check(client: Client, target: str) -> None:
    """Check that members of the version ``target`` (``7.0.26``) can open the data.

    Raises:
        ConfigurationError: they cannot; the message says what to do instead.
        StoreUnavailable: there is no primary.
    """
    marked = data_version(client)
    distance = _major(target) - _major(marked)
    if distance < 0:
        raise ConfigurationError(
            f"the data is marked for MongoDB {marked}, and {target} cannot open it: keep the newer version,"
            " or restore a backup from before the upgrade into a new cluster"
        )
    if distance > 1:
        raise ConfigurationError(
            f"the data is marked for MongoDB {marked}, and {target} cannot open it: upgrade one major version"
            f" at a time: roll out {_major(marked) + 1}.0 first and finish that upgrade"
            " (ansible-playbook playbooks/upgrade.yml -e upgrade_finish_mongo=true)"
        )


def finish(client: Client, tls: MongoTls | None) -> list[str]:
    """Mark the data for the version that all members run; this cannot be undone.

    ``client`` is the administrator's.  Returns a line for each change.

    Raises:
        ConfigurationError: the members do not all run the same version.
        StoreUnavailable: a member does not answer, or MongoDB rejects the change.
    """
    versions = member_versions(client, tls)
    series = {version.rpartition(".")[0] for version in versions.values()}
    if len(series) > 1:
        raise ConfigurationError(
            "the members run different versions of MongoDB: "
            + ", ".join(f"{host} {version}" for host, version in versions.items())
            + "; roll out one version to all of them first"
        )
    (target,) = series
    if data_version(client) == target:
        return []
    options: dict[str, Any] = {"confirm": True} if _major(target) >= _CONFIRMED_FROM else {}
    try:
        client.admin.command("setFeatureCompatibilityVersion", target, **options)
    except PyMongoError as error:
        raise to_domain_error(f"cannot mark the data for MongoDB {target}", error) from error
    return [f"the data is marked for MongoDB {target}"]


def _major(version: str) -> int:
    return int(version.split(".")[0])
