"""mongo_admin.membership: changes of the configuration, also concurrent ones."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymongo import MongoClient

from service.errors import StoreUnavailable
from service.mongo_admin import membership
from service.mongo_admin.replica_set import Member
from service.mongo_admin.users import Login
from tests.gunicorn_server import free_port
from tests.replica_set import ADMIN_PASSWORD, NAME, Mongod, initiate, uri


@pytest.fixture
def admin(bare: list[Mongod]) -> Iterator[MongoClient]:
    """The administrator's client of a set that has only the first member."""
    initiate(bare[0])
    with Login.from_uri(uri("admin", ADMIN_PASSWORD, "admin", bare[0])).connect() as client:
        yield client


def hosts(admin: MongoClient) -> list[str]:
    """Return the members in the configuration."""
    return [member["host"] for member in admin.admin.command("replSetGetConfig")["config"]["members"]]


def test_two_runs_at_once_make_one_set(admin: MongoClient, bare: list[Mongod]) -> None:
    """The run that loses a race tries again and finds the work done."""
    members = [Member(bare[0].host, 2), Member(bare[1].host), Member(bare[2].host)]

    def run(order: list[Member]) -> list[str]:
        return list(membership.ensure_members(admin, order, 30))

    with ThreadPoolExecutor() as pool:
        list(pool.map(run, (members, members[::-1])))

    assert {member.host for member in bare} == set(hosts(admin))
    assert [] == run(members)


def test_a_member_that_never_answers_is_not_added(admin: MongoClient, bare: list[Mongod]) -> None:
    """The set stays as it was, and the message names the member, without the driver's dump of its state."""
    silent = f"127.0.0.1:{free_port()}"

    with pytest.raises(StoreUnavailable, match=f"^{silent} was not ready after 0.1 s: .*refused") as caught:
        list(membership.ensure_members(admin, [Member(bare[0].host, 2), Member(silent)], 0.1))

    assert "Topology" not in str(caught.value)
    assert [bare[0].host] == hosts(admin)


def test_a_member_has_no_vote_before_it_has_the_data(admin: MongoClient, bare: list[Mongod]) -> None:
    """If an empty member counted, the set would stop as soon as another one failed."""
    first, second, _ = bare
    changes = membership.ensure_members(admin, [Member(first.host, 2), Member(second.host, 3)], 30)

    assert f"added {second.host} to the replica set {NAME}" == next(changes)
    added = admin.admin.command("replSetGetConfig")["config"]["members"][1]
    assert (0, 0) == (added["votes"], added["priority"])
    assert f"gave {second.host} its vote" == next(changes)
    assert second.hello()["secondary"]


def test_a_change_that_mongodb_rejects_is_an_error_with_its_message(admin: MongoClient) -> None:
    """It is not retried."""
    with pytest.raises(StoreUnavailable, match=r"refuses a change: .*electionTimeoutMillis"):
        membership.ensure_election_timeout(admin, 0, 30)
