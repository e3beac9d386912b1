"""The results of the benchmark, as a table (Markdown) and as a plot (SVG)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from .bench import Row

_HEAD = (
    "connections",
    "call",
    "program",
    "requests/s",
    "p50, ms",
    "p99, ms",
    "p99 ÷ p50",
    "errors",
    "processor, ms",
    "MiB",
)

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _LEGEND = 720, 420, 60, 45, 20, 150
_FONT = 'font-family="sans-serif" font-size="11"'
_COLOURS = ("#888888", "#555555", "#c0392b", "#2471a3", "#7d3c98", "#b9770e", "#e59866", "#7fb3d5")


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table."""
    lines: list[Sequence[str]] = [_HEAD, ("---:", "---", "---", *["---:"] * (len(_HEAD) - 3))]
    lines += [
        (
            str(row.connections),
            row.kind,
            row.program,
            f"{row.measured.rate:.0f}",
            f"{row.measured.p50 * 1000:.1f}",
            f"{row.measured.p99 * 1000:.1f}",
            f"{row.measured.p99 / row.measured.p50:.1f}",
            str(row.measured.errors),
            f"{row.processor * 1000:.2f}",
            f"{row.memory:.0f}",
        )
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def plot(rows: Sequence[Row]) -> str:
    """Return a plot of latency against load, with a line for each call of each program.

    The whiskers go from the median to the 99th percentile; both axes are logarithmic.
    """
    across = _Axis([row.measured.rate for row in rows], _LEFT, _WIDTH - _LEGEND)
    times = [seconds * 1000 for row in rows for seconds in (row.measured.p50, row.measured.p99)]
    upwards = _Axis(times, _HEIGHT - _BOTTOM, _TOP)
    right, below = _WIDTH - _LEGEND, _HEIGHT - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        *(
            _line(across.at(tick), _TOP, across.at(tick), _HEIGHT - _BOTTOM, "#eeeeee")
            for tick in across.ticks
        ),
        *(
            _line(_LEFT, upwards.at(tick), _WIDTH - _LEGEND, upwards.at(tick), "#eeeeee")
            for tick in upwards.ticks
        ),
        *(_text(across.at(tick), below + 15, f"{tick:g}", "middle") for tick in across.ticks),
        *(_text(_LEFT - 6, upwards.at(tick) + 4, f"{tick:g}", "end") for tick in upwards.ticks),
        _text((_LEFT + right) / 2, _HEIGHT - 8, "requests per second", "middle"),
        _text(_LEFT - 6, _TOP - 8, "ms: median, and up to the 99th percentile", "start"),
    ]
    ordered = sorted(rows, key=_series)
    for number, (series, rows_of_series) in enumerate(groupby(ordered, _series)):
        colour = _COLOURS[number % len(_COLOURS)]
        points = [
            (
                across.at(row.measured.rate),
                upwards.at(row.measured.p50 * 1000),
                upwards.at(row.measured.p99 * 1000),
            )
            for row in sorted(rows_of_series, key=lambda row: row.connections)
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y, _ in points]
        parts += [_line(x, y, x, high, colour) for x, y, high in points]
        parts.append(_text(right + 12, _TOP + 16 * (number + 1), series, "start", colour))
    return "\n".join([*parts, "</svg>\n"])


def _series(row: Row) -> str:
    return f"{row.kind}, {row.program}"


class _Axis:
    """A logarithmic axis, from ``start`` to ``end`` on the page, with ticks at 1, 2 and 5."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._lowest, self._highest = math.log(min(values) * 0.9), math.log(max(values) * 1.1)
        self._start, self._end = start, end
        steps = [digit * 10.0**power for power in range(-3, 7) for digit in (1, 2, 5)]
        self.ticks = [step for step in steps if self._lowest <= math.log(step) <= self._highest]

    def at(self, value: float) -> float:
        """Return the position of a value on the page."""
        share = (math.log(value) - self._lowest) / (self._highest - self._lowest)
        return self._start + share * (self._end - self._start)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
