"""vault.wishes: a moment that is meant."""

from datetime import datetime, timedelta, timezone

import pytest

from service.errors import InvalidFields
from service.secrets.options import resolve
from tests.secrets.secrets import NOW


def test_a_moment_is_in_utc_and_in_whole_milliseconds() -> None:
    """As the database keeps it, so that what is read back is what was set."""
    there = timezone(timedelta(hours=9))
    wanted = datetime(2026, 2, 1, 9, 0, 0, 123_987, there)

    assert (
        "2026-02-01T00:00:00.123000+00:00" == resolve({"expires_at": wanted}, NOW)["expires_at"].isoformat()
    )
    assert resolve({"expires_at": None}, NOW)["expires_at"] is None


@pytest.mark.parametrize("offset", [-23, 23])
def test_the_end_of_all_dates_is_refused_and_no_crash(offset: int) -> None:
    """Converting it to UTC would leave the calendar."""
    there = timezone(timedelta(hours=offset))
    for end in (datetime(9999, 12, 31, 23, 59, tzinfo=there), datetime(1, 1, 1, tzinfo=there)):
        with pytest.raises(InvalidFields):
            resolve({"version_expires_at": end}, NOW)
