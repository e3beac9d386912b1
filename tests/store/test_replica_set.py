"""replica_set: whom to take for a primary."""

from typing import Any

import pytest

from service.errors import StoreUnavailable
from service.store.replica_set import wait_for_primary


class Member:
    """Stands for a member in the middle of an election, which lasts milliseconds in a real one."""

    def __init__(self, *hellos: dict[str, Any]) -> None:
        self.hellos = list(hellos)
        self.admin = self

    def command(self, name: str) -> dict[str, Any]:
        assert "hello" == name
        return self.hellos.pop(0) if len(self.hellos) > 1 else self.hellos[0]


ELECTED = {"setName": "rs0", "me": "a:1", "primary": "a:1", "isWritablePrimary": False}


def test_a_member_that_was_just_elected_is_waited_for() -> None:
    """It names itself as the primary before it takes writes."""
    member = Member(ELECTED, {**ELECTED, "isWritablePrimary": True}, {})

    wait_for_primary(member, 10)

    assert [{}] == member.hellos


def test_another_member_may_be_the_primary() -> None:
    """Whether that one takes writes is not for this one to say."""
    wait_for_primary(
        Member({"setName": "rs0", "me": "a:1", "primary": "b:1", "isWritablePrimary": False}), 10
    )


def test_says_what_was_seen_where_there_is_none() -> None:
    """Once the time is over."""
    with pytest.raises(StoreUnavailable, match="a member of rs0 that knows no primary"):
        wait_for_primary(Member(ELECTED), 0)
