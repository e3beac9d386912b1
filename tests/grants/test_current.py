"""grants.current: one read for all, and no grant lives longer than five seconds after its end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pymongo.database import Database

from service.access import policy
from service.audit.recorder import Entry
from service.crypto.keyring import KeyRing
from service.errors import StoreUnavailable
from service.grants import grants
from service.grants.current import RECHECK_SECONDS, CurrentGrants
from service.grants.grants import GrantServices
from service.grants.rules import GrantRequest, Recipient
from service.keys.canary import KeyRingCheck
from service.models import Caller, Grant
from service.store.grants import FoundGrants, GrantStore
from service.store.store import Store
from tests.conftest import OTHER_MASTER_KEY, make_ring

API = Recipient("billing_api", "s1")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class CountedReads(GrantStore):
    """The real store, which counts its reads and can make them wait."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reads = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def page(self, after: str, count: int) -> FoundGrants:
        self.reads += 1
        assert self.go_on.wait(10)
        return super().page(after, count)


@pytest.fixture
def services(store: Store, ring: KeyRing) -> GrantServices:
    """Grants as another process changes them."""
    key_check = KeyRingCheck(store.canaries, store.secrets, ring, store.keys, store.rewrap)
    return GrantServices(store.grants, ring, key_check, lambda: None)


@pytest.fixture
def reads(database: Database) -> CountedReads:
    """The store of ``current``."""
    return CountedReads(database)


@pytest.fixture
def clock() -> Clock:
    """The clock of ``current``."""
    return Clock()


@pytest.fixture
def current(reads: CountedReads, ring: KeyRing, clock: Clock) -> CurrentGrants:
    """What a process that delivers knows."""
    return CurrentGrants(reads, ring, 5, clock)


def entry() -> Entry:
    """Return an entry that nobody writes."""
    return Entry("grant_create", Caller("127.0.0.1", "test"))


def create(services: GrantServices, service: str = "billing_*") -> Grant:
    """Create a grant, as another process does."""
    return grants.create(services, entry(), policy.OPERATOR, GrantRequest((service,), ("team/*",)))


def test_nothing_is_granted_by_default(current: CurrentGrants) -> None:
    """Without any grant."""
    assert None is current.find(API, "team/db")


def test_a_deleted_grant_ends_within_five_seconds(
    services: GrantServices, current: CurrentGrants, clock: Clock, reads: CountedReads
) -> None:
    """Until then it costs no query; the age counts from before the read."""
    grant = create(services)
    assert grant == current.find(API, "team/db")
    grants.delete(services, entry(), policy.OPERATOR, grant.grant_id)

    clock.seconds += RECHECK_SECONDS - 0.1
    assert grant == current.find(API, "team/db")
    assert 1 == reads.reads
    clock.seconds += 0.1
    assert None is current.find(API, "team/db")


def test_a_new_grant_holds_within_a_second(
    services: GrantServices, current: CurrentGrants, clock: Clock, reads: CountedReads
) -> None:
    """Whoever is refused may have been granted it just now; but not each refusal costs a query."""
    assert None is current.find(API, "team/db")
    grant = create(services)

    assert [None] * 9 == [current.find(API, "team/db") for _ in range(9)]
    assert 1 == reads.reads
    clock.seconds += 1
    assert grant == current.find(API, "team/db")


def test_the_process_that_changes_one_knows_at_once(services: GrantServices, current: CurrentGrants) -> None:
    """It forgets what it knew."""
    grant = create(services)
    assert grant == current.find(API, "team/db")
    grants.delete(services, entry(), policy.OPERATOR, grant.grant_id)
    current.forget()

    assert None is current.find(API, "team/db")


def test_a_burst_reads_once(services: GrantServices, current: CurrentGrants, reads: CountedReads) -> None:
    """Fifty deliveries at once: one reads, the others wait and use what it has read."""
    grant = create(services)
    reads.go_on.clear()
    with ThreadPoolExecutor(50) as pool:
        found = [pool.submit(current.find, API, "team/db") for _ in range(50)]
        threading.Timer(0.2, reads.go_on.set).start()

    assert [grant] * 50 == [each.result() for each in found]
    assert 1 == reads.reads


@pytest.mark.parametrize(
    "change",
    [
        {"$set": {"services": ["*"]}},
        {"$set": {"paths": ["*"]}},
        {"$set": {"nodes": ["n1"]}},
        {"$set": {"created_by": "somebody"}},
        {"$set": {"tag": bytes(41)}},
        {"$unset": {"paths": True}},
        {"$set": {"services": {"$gt": ""}}},
    ],
    ids=str,
)
def test_an_altered_grant_grants_nothing(
    services: GrantServices, current: CurrentGrants, database: Database, change: dict
) -> None:
    """And does not keep the others from it."""
    create(services, "other")
    altered = create(services)
    database.grants.update_one({"_id": altered.grant_id}, change)

    assert None is current.find(API, "team/db")
    assert current.find(Recipient("other"), "team/db") is not None


def test_a_grant_under_a_key_that_is_missing_grants_nothing(
    services: GrantServices, reads: CountedReads
) -> None:
    """The ring could not tell it from a forged one."""
    create(services)

    assert None is CurrentGrants(reads, make_ring(OTHER_MASTER_KEY), 5).find(API, "team/db")


def test_old_grants_are_not_used_without_the_database(
    services: GrantServices, current: CurrentGrants, clock: Clock, reads: CountedReads
) -> None:
    """No answer may rest on what was true longer ago."""
    create(services)
    assert current.find(API, "team/db") is not None

    def fail(_after: str, _count: int) -> FoundGrants:
        raise StoreUnavailable("gone")

    reads.page = fail  # type: ignore[method-assign]
    assert current.find(API, "team/db") is not None
    clock.seconds += RECHECK_SECONDS
    with pytest.raises(StoreUnavailable):
        current.find(API, "team/db")
