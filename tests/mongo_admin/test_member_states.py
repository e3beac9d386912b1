"""mongo_admin.member_states: the members' states, and handing over the primary's role."""

import pytest

from service.errors import StoreUnavailable
from service.mongo_admin import member_states, membership
from service.mongo_admin.replica_set import Member
from service.mongo_admin.users import Login
from tests.replica_set import ADMIN_PASSWORD, Mongod, initiate, primary, until, uri


def test_hands_over_only_to_a_member_that_can_take_over(bare: list[Mongod]) -> None:
    """Not to a member with priority 0 or to one that is down: that would only stop the writes."""
    first, second, third = bare
    initiate(*bare)
    with Login.from_uri(uri("admin", ADMIN_PASSWORD, "admin", first)).connect() as admin:
        members = [Member(first.host, 2), Member(second.host, 0), Member(third.host)]
        list(membership.ensure_members(admin, members, 30))
        third.kill()
        until(lambda: "DOWN" == member_states.member_states(admin)[third.host])
        with pytest.raises(StoreUnavailable, match=rf"cannot hand over, .*secondary: .*{third.host} DOWN$"):
            member_states.step_down(admin, 30)

        list(membership.remove(admin, third.host, 30))
        assert member_states.step_down(admin, 30) is None
        with pytest.raises(StoreUnavailable):
            list(membership.remove(admin, first.host, 1))
    assert first is primary(first, second)
