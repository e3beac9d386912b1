"""breaker: closed, open and half open, with a clock of the test's own."""

import pytest

from service.swarm_driver.breaker import OPEN_SECONDS, Breaker
from service.swarm_driver.errors import CircuitOpen, NotAllowed, VaultNotReached


class Clock:
    """The time that the test wants it to be."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of ``breaker``."""
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """A closed one."""
    return Breaker(clock)


def fail(breaker: Breaker, error: Exception) -> None:
    """Make an attempt that ends like this."""
    with pytest.raises(type(error)), breaker.attempt():
        raise error


def test_opens_at_a_failure_and_lets_one_try_after_two_seconds(breaker: Breaker, clock: Clock) -> None:
    """While that one tries, the others are refused; its success closes it."""
    fail(breaker, VaultNotReached())
    assert "open" == breaker.state
    clock.now += OPEN_SECONDS - 0.01
    with pytest.raises(CircuitOpen):
        breaker.check()

    clock.now += 0.02
    assert "half_open" == breaker.state
    with breaker.attempt():
        with pytest.raises(CircuitOpen):
            breaker.check()
        fail(breaker, CircuitOpen())
    assert "closed" == breaker.state
    breaker.check()


def test_opens_again_if_the_one_that_tries_fails(breaker: Breaker, clock: Clock) -> None:
    """For another two seconds from then on."""
    fail(breaker, VaultNotReached())
    clock.now += OPEN_SECONDS
    fail(breaker, VaultNotReached())

    clock.now += OPEN_SECONDS - 0.01
    with pytest.raises(CircuitOpen):
        breaker.check()


def test_stays_closed_if_the_vault_refuses(breaker: Breaker) -> None:
    """It was reached."""
    fail(breaker, NotAllowed())

    assert "closed" == breaker.state


def test_whoever_tries_and_is_cancelled_leaves_the_place(breaker: Breaker, clock: Clock) -> None:
    """Otherwise nobody would ever try again."""
    fail(breaker, VaultNotReached())
    clock.now += OPEN_SECONDS
    fail(breaker, RuntimeError())

    breaker.check()
