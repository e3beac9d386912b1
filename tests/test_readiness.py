"""readiness: what a check finds holds for a second, for everybody."""

import threading
from concurrent.futures import ThreadPoolExecutor

from service.errors import StoreUnavailable
from service.readiness import Readiness


def test_checks_once_a_second_for_all_callers() -> None:
    """However many ask: each check is a transaction, and asking needs no token."""
    at, calls = [0.0], []
    found = Readiness({"database": lambda: calls.append(at[0])}, clock=lambda: at[0])

    for moment in (0.0, 0.5, 0.99, 1.0, 1.5, 2.5):
        at[0] = moment
        assert {"database": "ok"} == found.findings()

    assert [0.0, 1.0, 2.5] == calls


def test_a_failure_holds_as_long() -> None:
    """Who asks while the database is away does not keep it away."""
    at, calls = [0.0], []

    def fail() -> None:
        calls.append(at[0])
        raise StoreUnavailable("away")

    found = Readiness({"database": fail, "keys": lambda: calls.append(-1)}, clock=lambda: at[0])

    for _ in range(3):
        assert {"database": "away", "keys": "not checked: the database cannot be used"} == found.findings()
    assert [0.0] == calls


def test_concurrent_callers_share_a_check() -> None:
    """Those that come while it runs wait for it."""
    calls, go = [], threading.Event()

    def check() -> None:
        calls.append(1)
        go.wait(10)

    found = Readiness({"database": check})
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(found.findings) for _ in range(8)]
        go.set()
        assert [{"database": "ok"}] * 8 == [answer.result(10) for answer in answers]
    assert [1] == calls
