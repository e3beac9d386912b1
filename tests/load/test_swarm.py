"""tests.load.swarm: what is shown; the measurement itself needs a Swarm."""

from tests.load.swarm import Row, table


def test_shows_what_was_measured() -> None:
    """A cell is empty if there was nothing to measure."""
    *_, first, last = table(
        [Row("plain", True, 12.34), Row("driver", False, None, 5.04, 0.26, None)], 200
    ).splitlines()

    assert "| plain | runs | 200 | 12.3 |  |  |  |" == first
    assert "| driver | has no replica | 200 |  | 5.0 | 0.3 |  |" == last
