"""mongo_admin.replica_set: an existing set is found, and a new one is initiated once."""

import pytest

from service.dev.mongod import EmbeddedMongo
from service.errors import ConfigurationError, StoreUnavailable
from service.mongo_admin import membership, replica_set
from service.mongo_admin.replica_set import Member, connect_member
from tests.gunicorn_server import free_port
from tests.replica_set import ADMIN_PASSWORD, NAME, Mongod, initiate, until


def test_finds_the_set_through_any_member(bare: list[Mongod]) -> None:
    """Through the member itself, or another one even if a third does not answer; not if all are new."""
    first, second, third = bare
    silent = f"127.0.0.1:{free_port()}"
    with connect_member(first.host) as of_set, connect_member(second.host) as new:
        assert [] == replica_set.find(new, NAME, [first.host, third.host], 0)
        initiate(first)

        assert [first.host] == replica_set.find(of_set, NAME, [silent], 0)
        assert [first.host] == replica_set.find(new, NAME, [silent, first.host], 0)


def test_a_member_of_another_set_is_refused(mongo: EmbeddedMongo) -> None:
    """At once: waiting does not help."""
    with (
        connect_member(mongo.uri) as client,
        pytest.raises(ConfigurationError, match="set rs0, not to rs-test"),
    ):
        replica_set.find(client, NAME, [], 0)


def test_an_existing_set_is_not_initiated_again(bare: list[Mongod]) -> None:
    """The hello of a removed member is that of a new one, but it still has its users."""
    first, second, _ = bare
    initiate(first, second)
    with connect_member(second.host) as client:
        assert not replica_set.initiate(client, NAME, Member(second.host))

        with first.client(username="admin", password=ADMIN_PASSWORD) as admin:
            list(membership.remove(admin, second.host, 30))
        until(lambda: "setName" not in second.hello())
        assert not replica_set.initiate(client, NAME, Member(second.host))


def test_a_member_with_priority_0_begins_a_set_as_well(bare: list[Mongod]) -> None:
    """It is the only member that can be the primary."""
    with connect_member(bare[0].host) as client:
        assert replica_set.initiate(client, NAME, Member(bare[0].host, 0))
        assert bare[0].host == replica_set.wait_for_primary(client, 30)


def test_a_wait_for_a_primary_ends(bare: list[Mongod]) -> None:
    """The message has the last answer."""
    seen = "no primary after 0.1 s; last seen: Does not have a valid replica set config"
    with connect_member(bare[0].host) as client, pytest.raises(StoreUnavailable, match=seen):
        replica_set.wait_for_primary(client, 0.1)
