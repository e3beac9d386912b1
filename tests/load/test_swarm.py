"""tests.load.swarm: what is counted and shown; the measurement itself needs a Swarm."""

from tests.load.swarm import Row, running, table


def test_counts_the_tasks_that_run() -> None:
    """Not those that only shall, or did."""
    states = (
        "Running 3 seconds ago\nStarting 1 second ago\nRunning about a minute ago\nRejected 1 second ago\n"
    )

    assert 2 == running(states)
    assert 0 == running("")


def test_shows_what_was_measured() -> None:
    """A cell is empty if there was nothing to measure."""
    *_, first, last = table(
        [Row("plain", True, 12.34), Row("driver", False, None, 5.04, 0.26, None)], 200
    ).splitlines()

    assert "| plain | runs | 200 | 12.3 |  |  |  |" == first
    assert "| driver | has no replica | 200 |  | 5.0 | 0.3 |  |" == last
