"""secrets.options: how times are resolved."""

from datetime import datetime, timedelta, timezone

import pytest

from service.errors import InvalidFields
from service.secrets.options import resolve
from tests.secrets.secrets import NOW


def test_a_moment_is_in_utc_and_in_whole_milliseconds() -> None:
    """That is BSON's precision, so the time read back equals the time that was set."""
    there = timezone(timedelta(hours=9))
    moment = datetime(2026, 2, 1, 9, 0, 0, 123_987, there)

    assert (
        "2026-02-01T00:00:00.123000+00:00" == resolve({"expires_at": moment}, NOW)["expires_at"].isoformat()
    )
    assert resolve({"expires_at": None}, NOW)["expires_at"] is None


@pytest.mark.parametrize("offset", [-23, 23])
def test_the_first_and_last_dates_are_refused(offset: int) -> None:
    """Converting them to UTC would overflow datetime."""
    there = timezone(timedelta(hours=offset))
    for end in (datetime(9999, 12, 31, 23, 59, tzinfo=there), datetime(1, 1, 1, tzinfo=there)):
        with pytest.raises(InvalidFields):
            resolve({"version_expires_at": end}, NOW)
