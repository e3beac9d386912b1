"""The members' numbers and names."""

import pytest

from tests.roles import filters

members = filters("swarm_names")["swarm_names_members"]


def test_a_member_has_its_place_in_the_list_as_its_number() -> None:
    """And one name in the replica set, another one in the Swarm."""
    found = members([{"inventory_hostname": "a"}, {"inventory_hostname": "b"}], "stack_mongodb-")

    assert [
        {"host": "a", "number": "1", "name": "mongodb-1", "service": "stack_mongodb-1", "priority": 1},
        {"host": "b", "number": "2", "name": "mongodb-2", "service": "stack_mongodb-2", "priority": 1},
    ] == found


@pytest.mark.parametrize("number", [4, "4"])
def test_a_number_of_the_inventory_wins(number: object) -> None:
    """As text, because a label is one."""
    (found,) = members([{"inventory_hostname": "a", "mongo_member": number, "mongo_priority": 0}], "x-")

    assert ("4", "mongodb-4", "x-4", 0) == (
        found["number"],
        found["name"],
        found["service"],
        found["priority"],
    )


def test_without_hosts_there_are_no_members() -> None:
    """As with a database of the user's own."""
    assert [] == members([], "x-")
