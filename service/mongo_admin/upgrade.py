"""Which MongoDB the members run, and for which one the data is marked: one major version at a time.

A mongod opens data that is marked for its own major version or for the one before (the feature
compatibility version); until the mark is moved, members can go back to the version of before.
Source: MongoDB's manual, "Upgrade a Replica Set" and "setFeatureCompatibilityVersion".
"""

from __future__ import annotations

from typing import Any

from pymongo.errors import PyMongoError

from ..errors import ConfigurationError
from ..store.tls import MongoTls
from .replica_set import Client, connect_member, to_domain_error

# From this major version on the mark's move has to be confirmed, as it cannot always be taken back.
_CONFIRMED_FROM = 7


def member_versions(client: Client, tls: MongoTls | None) -> dict[str, str]:
    """Return the version of each member's mongod (``6.0.5``) by its host.

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
    """Return for which version the data is marked (``6.0``); ``client`` is the administrator's.

    Raises:
        StoreUnavailable: there is no primary to ask.
    """
    try:
        answer = client.admin.command("getParameter", 1, featureCompatibilityVersion=1)
    except PyMongoError as error:
        raise to_domain_error("cannot ask for which version the data is marked", error) from error
    return str(answer["featureCompatibilityVersion"]["version"])


def check(client: Client, wanted: str) -> None:
    """Return if members may be exchanged for those of the version ``wanted`` (``7.0.26``).

    Raises:
        ConfigurationError: they would not open the data; the message says what would do instead.
        StoreUnavailable: there is no primary to ask.
    """
    marked = data_version(client)
    distance = _major(wanted) - _major(marked)
    if distance < 0:
        raise ConfigurationError(
            f"the data is marked for MongoDB {marked}, and {wanted} cannot open it: stay, or restore a"
            " backup from before into a new cluster"
        )
    if distance > 1:
        raise ConfigurationError(
            f"the data is marked for MongoDB {marked}, and {wanted} cannot open it: one major version at"
            f" a time, so roll out {_major(marked) + 1}.0 first and finish that upgrade"
            " (ansible-playbook playbooks/upgrade.yml -e upgrade_finish_mongo=true)"
        )


def finish(client: Client, tls: MongoTls | None) -> list[str]:
    """Mark the data for the version that all members run; there is no way back after it.

    ``client`` is the administrator's.  Returns what was done, in words.

    Raises:
        ConfigurationError: the members do not all run the same version.
        StoreUnavailable: a member does not answer, or MongoDB refuses.
    """
    versions = member_versions(client, tls)
    series = {version.rpartition(".")[0] for version in versions.values()}
    if len(series) > 1:
        raise ConfigurationError(
            "the members run different versions of MongoDB: "
            + ", ".join(f"{host} {version}" for host, version in versions.items())
        )
    (wanted,) = series
    if data_version(client) == wanted:
        return []
    further: dict[str, Any] = {"confirm": True} if _major(wanted) >= _CONFIRMED_FROM else {}
    try:
        client.admin.command("setFeatureCompatibilityVersion", wanted, **further)
    except PyMongoError as error:
        raise to_domain_error(f"cannot mark the data for MongoDB {wanted}", error) from error
    return [f"the data is marked for MongoDB {wanted}"]


def _major(version: str) -> int:
    return int(version.split(".")[0])
