"""The history of a check as a chart of characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from segue.cli.look import BAD, ODD, QUIET, VERDICTS
from segue.cli.render_history import write_number
from segue.spec.contract import Verdict
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.spec.history import Series

HEIGHT = 10
"""Rows of the chart; a point stands in the upper or the lower half of one."""
WIDEST = 120
_MARKS = {Verdict.PASS: " ", Verdict.WARN: "W", Verdict.FAIL: "F", Verdict.ERROR: "E"}


@dataclass(frozen=True, slots=True)
class _Scale:
    """Which row a number is in: 0 is at the top, and two steps are a row.

    Attributes:
        low: The number at the bottom.
        high: The number at the top.
    """

    low: float
    high: float

    def step(self, number: float) -> int:
        """Return the half row of a number, as near as there is."""
        share = (self.high - number) / (self.high - self.low)
        return round(min(max(share, 0.0), 1.0) * (2 * HEIGHT - 1))

    def number(self, row: int) -> float:
        """Return the number that a row stands for: the ends at the top and at the bottom."""
        return self.high - (self.high - self.low) * row / (HEIGHT - 1)


def draw_chart(series: Series, width: int) -> Iterator[Text]:
    """Go through the lines of a chart.

    Args:
        series: What is drawn.
        width: Columns of the terminal.
    """
    scale = _find_scale(series)
    labels = [
        write_number(scale.number(row), share=series.share, short=True) for row in range(HEIGHT)
    ]
    margin = max(map(len, labels)) + 2
    shown = series.points[-max(width - margin - 1, 10) :]
    first = len(series.points) - len(shown)
    yield _title(series, first)
    for row in range(HEIGHT):
        label = labels[row] if row % 3 == 0 or row == HEIGHT - 1 else ""
        axis = f"{label:>{margin - 2}} ┤" if label else f"{'':>{margin - 2}} │"
        text = Text().append(axis, QUIET)
        for place in range(first, len(series.points)):
            text.append_text(_draw_cell(series, place, row, scale))
        yield text
    marks = Text().append(" " * (margin - 2) + " └", QUIET)
    for place in range(first, len(series.points)):
        marks.append_text(_mark(series, place))
    yield marks
    if shown:
        start, end = (point.at[:10] for point in (shown[0], shown[-1]))
        gap = len(shown) - len(start) - len(end)
        dates = f"{start}{' ' * gap}{end}" if gap > 0 and start != end else end
        yield Text(" " * margin + dates, QUIET)
    yield from _legend(series)


def _title(series: Series, hidden: int) -> Text:
    text = Text().append(f"{printable(series.table)}: {printable(series.title)}", "bold")
    what = "share of failing rows" if series.share else "value"
    text.append(f"  {what}, {len(series.points) - hidden:,} measurements", QUIET)
    bounds = [write_number(bound, share=series.share) for bound in (series.low, series.high)]
    if any(bounds):
        text.append(f", bounds {bounds[0]} … {bounds[1]}".rstrip(), QUIET)
    return text


def _find_scale(series: Series) -> _Scale:
    low, high, spread = series.find_reach()
    low = max(low, 0.0) if series.share else low
    return _Scale(low, high) if high > low else _Scale(low, low + spread)


def _draw_cell(series: Series, place: int, row: int, scale: _Scale) -> Text:
    point, usual = series.points[place], series.usual[place]
    if point.number is None:
        sign = "×" if point.verdict is Verdict.ERROR else "·"
        return Text(sign if row == HEIGHT - 1 else " ", VERDICTS.get(str(point.verdict), ""))
    step = scale.step(point.number)
    if step // 2 == row:
        style = ODD if series.is_odd(place) and point.verdict is Verdict.PASS else ""
        return Text("▄" if step % 2 else "▀", style or VERDICTS.get(str(point.verdict), ""))
    for bound in (series.low, series.high):
        if bound is not None and scale.low <= bound <= scale.high and scale.step(bound) // 2 == row:
            return Text("─", BAD)
    if usual and usual.known and usual.low <= scale.number(row) <= usual.high:
        return Text("░", QUIET)
    return Text(" ")


def _mark(series: Series, place: int) -> Text:
    if series.is_odd(place):
        return Text("!", ODD)
    word = series.points[place].verdict
    mark = _MARKS[word]
    return Text("─", QUIET) if mark == " " else Text(mark, VERDICTS.get(str(word), ""))


def _legend(series: Series) -> Iterator[Text]:
    parts: Sequence[tuple[bool, str, str, str]] = (
        (any(usual and usual.known for usual in series.usual), "░", QUIET, "usual"),
        (any(map(series.is_odd, range(len(series.points)))), "!", ODD, "unusual"),
        (any(point.verdict is Verdict.WARN for point in series.points), "W", ODD, "warn"),
        (any(point.verdict is Verdict.FAIL for point in series.points), "F", BAD, "fail"),
        (any(point.verdict is Verdict.ERROR for point in series.points), "E", BAD, "error"),
    )
    text = Text()
    for there, sign, style, meaning in parts:
        if there:
            text.append(sign, style).append(f" {meaning}   ", QUIET)
    if text.plain:
        text.rstrip()
        yield text
