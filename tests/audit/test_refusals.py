"""audit.refusals: one record for each network and minute, whose count is exact."""

from datetime import UTC, datetime, timedelta

import pytest

from service.audit import refusals
from service.audit.refusals import Refusals
from service.models import AuditRecord, Caller

AT = datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOKEN, OTHER = "0f3a5b7c9d1e2f40", "1f3a5b7c9d1e2f40"


@pytest.fixture
def table() -> Refusals:
    """The refusals of one process."""
    return Refusals()


def add(
    table: Refusals,
    address: str = "192.0.2.1",
    actor: str = "anonymous",
    at: datetime = AT,
    operation: str = "fetch",
) -> bool:
    """Count a refusal."""
    return table.add(operation, Caller(address, f"request {address}"), actor, at)


def records(table: Refusals, until: datetime | None = None) -> list[AuditRecord]:
    """Take all that are due."""
    return [tally.record() for tally in table.take(100, until).values()]


def test_a_record_says_what_its_calls_have_in_common(table: Refusals) -> None:
    """It has the time of the last one, and the request id of the first."""
    for second in range(3):
        add(table, at=AT + timedelta(seconds=second))

    (record,) = records(table)
    assert (3, "fetch", "192.0.2.1", "anonymous", "too many requests", "request 192.0.2.1") == (
        record.count,
        record.operation,
        record.client_ip,
        record.actor,
        record.reason,
        record.request_id,
    )
    assert AT + timedelta(seconds=2) == record.timestamp
    assert [] == records(table)


def test_a_record_does_not_say_what_is_true_of_some_only(table: Refusals) -> None:
    """Addresses of a /64 are one network."""
    add(table, "2001:db8::1", f"unproven:{TOKEN}")
    add(table, "2001:db8::2", "anonymous", operation="create")

    (record,) = records(table)
    assert (2, "2001:db8::/64", "various", "various") == (
        record.count,
        record.client_ip,
        record.actor,
        record.operation,
    )


def test_a_token_a_network_and_a_minute_have_records_of_their_own(table: Refusals) -> None:
    """A proven token is named, whatever others do at its address."""
    add(table)
    add(table, "192.0.2.2")
    add(table, at=AT + MINUTE)
    for token in (TOKEN, OTHER):
        add(table, actor=token)

    assert [
        ("192.0.2.1", "anonymous"),
        ("192.0.2.2", "anonymous"),
        ("192.0.2.1", "anonymous"),
        ("192.0.2.1", TOKEN),
        ("192.0.2.1", OTHER),
    ] == [(record.client_ip, record.actor) for record in records(table)]


def test_a_minute_is_written_when_it_has_ended(table: Refusals) -> None:
    """The present one goes on counting."""
    add(table)
    add(table, at=AT + MINUTE)

    assert [AT] == [record.timestamp for record in records(table, AT + MINUTE)]
    assert [AT + MINUTE] == [record.timestamp for record in records(table)]


def test_what_is_put_back_is_counted_on(table: Refusals) -> None:
    """Nothing is lost if the log cannot be written at the end of a minute."""
    add(table)
    taken = table.take(100)
    add(table)
    table.put_back(taken)
    add(table)

    assert [3] == [record.count for record in records(table)]


def test_the_table_is_bounded(table: Refusals, monkeypatch: pytest.MonkeyPatch) -> None:
    """What finds no room has to be recorded by itself."""
    monkeypatch.setattr(refusals, "_MAX_TALLIES", 2)

    assert [True, True, False, True] == [add(table, f"192.0.2.{number}") for number in (1, 2, 3, 1)]
