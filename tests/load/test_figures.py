"""load.figures: the table and the plot of a benchmark."""

import re

from tests.load.bench import Row
from tests.load.figures import plot, table
from tests.load.wrk import Measured

ROWS = [
    Row("healthz", 1, "service", Measured(500, 0.002, 0.004, 0), 0.0012, 40.4),
    Row("healthz", 32, "service", Measured(2000, 0.016, 0.05, 0), 0.001, 41.0),
    Row("healthz", 1, "yardstick", Measured(1000, 0.001, 0.002, 3), 0.0004, 80.0),
]


def test_the_table_has_a_row_for_each() -> None:
    """In the units of its header."""
    lines = table(ROWS).splitlines()

    assert "| 1 | healthz | service | 500 | 2.0 | 4.0 | 2.0 | 0 | 1.20 | 40 |" == lines[2]
    assert "| 1 | healthz | yardstick | 1000 | 1.0 | 2.0 | 2.0 | 3 | 0.40 | 80 |" == lines[4]
    assert {11} == {line.count("|") for line in lines}


def test_the_plot_has_a_line_for_each_call() -> None:
    """Of each program, from few to many connections, and nothing outside the page."""
    lines = [found.split() for found in re.findall(r'<polyline points="([^"]*)"', plot(ROWS))]

    assert [1, 2] == sorted(len(points) for points in lines)
    numbers = [float(found) for points in lines for point in points for found in re.findall(r"[\d.]+", point)]
    assert all(0 < number < 720 for number in numbers)
