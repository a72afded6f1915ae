"""Histories of checks as a picture: one SVG that needs nothing else, on light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.spec.history import Point, Series

WIDTH = 860
PLOT = 150
"""Height of one chart."""
HEAD = 34
FOOT = 30
LEFT = 86
RIGHT = 18
TOP = 54
_TICKS = 4
_REACH = 12
"""Longest reach of a shade to both sides of its point."""

_STYLE = """
.segue { font-family: ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
.segue .page { fill: #ffffff }
.segue .frame { fill: #f6f8fa; stroke: #d0d7de }
.segue .grid { stroke: #d8dee4; stroke-width: 1 }
.segue .head { fill: #1f2328; font-size: 17px; font-weight: 600 }
.segue .name { fill: #1f2328; font-size: 13px; font-weight: 600 }
.segue .note { fill: #57606a; font-size: 11px }
.segue .usual { fill: #0969da; fill-opacity: 0.13 }
.segue .bound { stroke: #cf222e; stroke-width: 1.2; stroke-dasharray: 6 4 }
.segue .line { fill: none; stroke: #8c959f; stroke-width: 1.4 }
.segue .pass { fill: #1a7f37 } .segue .warn { fill: #bf8700 }
.segue .fail, .segue .error { fill: #cf222e }
.segue .odd { fill: none; stroke: #bf8700; stroke-width: 1.8 }
.segue .code { stroke: #8250df; stroke-width: 1; stroke-dasharray: 2 3 }
@media (prefers-color-scheme: dark) {
.segue .page { fill: #0d1117 }
.segue .frame { fill: #161b22; stroke: #30363d }
.segue .grid { stroke: #262c36 }
.segue .head, .segue .name { fill: #f0f6fc }
.segue .note { fill: #9da7b3 }
.segue .usual { fill: #58a6ff; fill-opacity: 0.16 }
.segue .bound { stroke: #ff7b72 }
.segue .line { stroke: #6e7681 }
.segue .pass { fill: #3fb950 } .segue .warn { fill: #d29922 }
.segue .fail, .segue .error { fill: #ff7b72 }
.segue .odd { stroke: #d29922 }
.segue .code { stroke: #a371f7 }
}
"""

_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" class="segue" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}" role="img">"""


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where numbers and times stand, in pixels.

    Attributes:
        series: What is drawn.
        top: Upper side of the plot.
        low: Number at the bottom.
        high: Number at the top.
        first: Time at the left, in seconds.
        last: Time at the right.
    """

    series: Series
    top: float
    low: float
    high: float
    first: float
    last: float

    def x(self, point: Point) -> float:
        """Return where a point stands from left to right: by its time."""
        if self.last <= self.first:
            return LEFT + (WIDTH - LEFT - RIGHT) / 2
        share = (_seconds(point.at) - self.first) / (self.last - self.first)
        return LEFT + 10 + share * (WIDTH - LEFT - RIGHT - 20)

    def y(self, number: float) -> float:
        """Return where a number stands; what is out of the plot, at its edge."""
        share = (self.high - number) / (self.high - self.low)
        return self.top + min(max(share, 0.0), 1.0) * PLOT


def draw_history(found: Sequence[Series], table: str) -> str:
    """Return histories as the text of an SVG file, one chart below the other.

    Args:
        found: What was measured; checks without a point are left out.
        table: Name of the table, for the title.
    """
    shown = [series for series in found if series.points]
    height = TOP + len(shown) * (HEAD + PLOT + FOOT) + 10
    title = _safe(f"Checks of {table} over time")
    parts = [
        _HEAD.format(width=WIDTH, height=height),
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<text class="head" x="16" y="30">{title}</text>',
    ]
    for place, series in enumerate(shown):
        parts += _draw_series(series, TOP + place * (HEAD + PLOT + FOOT))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _draw_series(series: Series, top: float) -> Iterator[str]:
    plot = _place(series, top + HEAD)
    what = "share of failing rows" if series.share else "value"
    yield (
        f'<text class="name" x="16" y="{top + 20:.0f}">{_safe(series.title)}</text>'
        f'<text class="note" x="{WIDTH - RIGHT}" y="{top + 20:.0f}" text-anchor="end">'
        f"{what}, {len(series.points):,} measurements</text>"
    )
    yield (
        f'<rect class="frame" x="{LEFT}" y="{plot.top:.1f}" width="{WIDTH - LEFT - RIGHT}"'
        f' height="{PLOT}" rx="4"/>'
    )
    yield from _draw_scale(plot)
    yield from _draw_usual(plot)
    for bound in (series.low, series.high):
        if bound is not None and plot.low <= bound <= plot.high:
            y = plot.y(bound)
            yield (
                f'<line class="bound" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}">'
                f"<title>bound of the contract: {_write(bound, series)}</title></line>"
            )
    yield from _draw_changes(plot)
    yield from _draw_points(plot)


def _place(series: Series, top: float) -> _Plot:
    low, high, spread = series.find_reach()
    room = (high - low) * 0.06 or spread
    times = [_seconds(point.at) for point in series.points]
    bottom = max(low - room, 0.0) if low >= 0 else low - room
    return _Plot(series, top, bottom, high + room, min(times), max(times))


def _draw_scale(plot: _Plot) -> Iterator[str]:
    for tick in range(_TICKS + 1):
        number = plot.low + (plot.high - plot.low) * tick / _TICKS
        y = plot.y(number)
        if 0 < tick < _TICKS:
            yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield (
            f'<text class="note" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
            f"{_write(number, plot.series)}</text>"
        )
    below = plot.top + PLOT + 16
    points = plot.series.points
    ends = (
        [(points[0], "start"), (points[-1], "end")] if len(points) > 1 else [(points[0], "middle")]
    )
    for point, anchor in ends:
        yield (
            f'<text class="note" x="{plot.x(point):.1f}" y="{below:.1f}" text-anchor="{anchor}">'
            f"{_safe(point.at[:16].replace('T', ' '))}</text>"
        )


def _draw_usual(plot: _Plot) -> Iterator[str]:
    """Go through the shades of what was usual, which reach half-way to the next points."""
    places = [plot.x(point) for point in plot.series.points]
    left, right = LEFT + 1, WIDTH - RIGHT - 1
    middles = [left, *((a + b) / 2 for a, b in pairwise(places)), right]
    for place, usual in enumerate(plot.series.usual):
        if usual is None or not usual.known:
            continue
        start = max(middles[place], places[place] - _REACH)
        width = min(middles[place + 1], places[place] + _REACH) - start
        top, bottom = plot.y(usual.high), plot.y(usual.low)
        yield (
            f'<rect class="usual" x="{start:.1f}" y="{top:.1f}" width="{width:.1f}"'
            f' height="{max(bottom - top, 1):.1f}"/>'
        )


def _draw_changes(plot: _Plot) -> Iterator[str]:
    """Go through the places where the step's code changed."""
    points = plot.series.points
    for before, point in pairwise(points):
        if before.code and point.code and before.code != point.code:
            x = plot.x(point)
            yield (
                f'<line class="code" x1="{x:.1f}" x2="{x:.1f}" y1="{plot.top:.1f}"'
                f' y2="{plot.top + PLOT:.1f}"><title>the code changed</title></line>'
            )


def _draw_points(plot: _Plot) -> Iterator[str]:
    series = plot.series
    placed = [
        (plot.x(point), plot.y(point.number)) for point in series.points if point.number is not None
    ]
    if len(placed) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        yield f'<polyline class="line" points="{path}"/>'
    for place, point in enumerate(series.points):
        x = plot.x(point)
        y = plot.top + PLOT if point.number is None else plot.y(point.number)
        if series.is_odd(place):
            yield f'<circle class="odd" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
        yield (
            f'<circle class="{point.verdict}" cx="{x:.1f}" cy="{y:.1f}" r="3.4">'
            f"<title>{_safe(_tell(series, place))}</title></circle>"
        )


def _tell(series: Series, place: int) -> str:
    point = series.points[place]
    number = "not measured" if point.number is None else _write(point.number, series)
    parts = [point.at[:19].replace("T", " "), str(point.verdict), number]
    parts += ["unusual"] if series.is_odd(place) else []
    parts += [f"version {point.version}"] if point.version is not None else []
    parts += [f"run {point.run_id}"] if point.run_id else []
    return ", ".join(parts)


def _write(number: float, series: Series) -> str:
    if series.share:
        return f"{100 * number:.3g}%"
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e15 else f"{number:.4g}"  # noqa: PLR2004


def _seconds(at: str) -> float:
    moment = datetime.fromisoformat(at)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _safe(text: str) -> str:
    """Return a text that XML can hold: escaped, and without control characters."""
    return escape("".join(sign if sign.isprintable() else "�" for sign in text))
