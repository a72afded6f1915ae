"""Histories of checks as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from segue.cli.look import ODD, QUIET, VERDICTS, cell, make_table, verdict
from segue.cli.wording import age, duration
from segue.spec.contract import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from segue.spec.history import Point, Series, Usual

BLOCKS = "▁▂▃▄▅▆▇█"
LINE = 40
"""Points that a line of blocks shows, at most."""
MOST_POINTS = 20
_EXACT = 1e15
"""Numbers from here on are not exact to the last digit."""


def render_overview(found: Sequence[Series]) -> RenderableType:
    """Return a line for each check: its last verdict, its number, and how both came to be."""
    columns = ["check", "verdict", "since", "now", "history", "points"]
    rows = [_describe(series) for series in found]
    return make_table(
        columns, rows, numbers=["now", "points"], wrap=["check"], spare=["points", "since"]
    )


def _describe(series: Series) -> list[Text]:
    if not series.points:
        return [cell(series.title), cell("not measured yet", QUIET)]
    last = series.points[-1]
    return [
        cell(series.title),
        verdict(str(last.verdict)),
        cell(age(_find_since(series.points)), QUIET),
        cell(write_number(last.number, share=series.share)),
        draw_line(series),
        cell(f"{len(series.points):,}", QUIET),
    ]


def _find_since(points: Sequence[Point]) -> str:
    """Return since when the last verdict stands; the first point if it never was another."""
    since = points[-1]
    for point in reversed(points):
        if point.verdict is not since.verdict:
            break
        since = point
    return since.at


def draw_line(series: Series) -> Text:
    """Return a history as one line of blocks in the colours of the verdicts.

    What was unusual is underlined; what could not be measured is a cross.
    """
    points = series.points[-LINE:]
    first = len(series.points) - len(points)
    numbers = [point.number for point in points if point.number is not None]
    low, high = min(numbers, default=0.0), max(numbers, default=0.0)
    text = Text()
    for place, point in enumerate(points, first):
        style = VERDICTS.get(str(point.verdict), "")
        if point.number is None:
            text.append("×" if point.verdict is Verdict.ERROR else "·", style)
            continue
        level = (point.number - low) / (high - low) if high > low else 0.0
        block = BLOCKS[min(int(level * len(BLOCKS)), len(BLOCKS) - 1)]
        text.append(block, f"{style} underline" if series.is_odd(place) else style)
    return text


def render_points(series: Series) -> RenderableType:
    """Return the newest points as a table, newest first."""
    columns = ["when", "verdict", "value", "usual", "rows", "failing", "version", "took", "by"]
    first = max(len(series.points) - MOST_POINTS, 0)
    rows = [
        _describe_point(series, place) for place in range(len(series.points) - 1, first - 1, -1)
    ]
    return make_table(
        columns,
        rows,
        numbers=["value", "rows", "failing", "version", "took"],
        spare=["took", "version", "rows", "usual"],
    )


def _describe_point(series: Series, place: int) -> list[Text]:
    point, usual = series.points[place], series.usual[place]
    odd = series.is_odd(place)
    return [
        cell(point.at[:16].replace("T", " ")),
        verdict(str(point.verdict)),
        cell(write_number(point.number, share=series.share), ODD if odd else ""),
        cell(write_usual(usual, share=series.share), ODD if odd else QUIET),
        cell(f"{point.rows:,}"),
        cell("" if point.failing is None else f"{point.failing:,}"),
        cell(point.version),
        cell("" if point.seconds is None else duration(point.seconds), QUIET),
        cell(point.run_id or "segue check", QUIET),
    ]


def write_usual(usual: Usual | None, *, share: bool) -> str:
    """Return what was usual, in few words."""
    if usual is None:
        return ""
    if not usual.known:
        return f"{usual.points} of {usual.least} points"
    ends = (usual.low, usual.high)
    low, high = (
        "" if abs(end) == float("inf") else write_number(end, share=share, short=True)
        for end in ends
    )
    where = f" {usual.season}" if usual.season else ""
    return f"{low} … {high}".strip() + where


def write_number(number: float | None, *, share: bool = False, short: bool = False) -> str:
    """Return a number of a history.

    Example:
        >>> write_number(1234.5), write_number(0.05, share=True), write_number(None)
        ('1234.5', '5%', '')
        >>> write_number(0.123456789), write_number(1234.5678, short=True)
        ('0.123457', '1,235')
    """
    if number is None:
        return ""
    if share:
        return f"{100 * number:.3g}%"
    digits = 4 if short else 6
    if number == round(number) and abs(number) < _EXACT:
        return f"{number:,.0f}"
    if 10 ** (digits - 1) <= abs(number) < _EXACT:
        return f"{number:,.0f}" if short else f"{number:,.2f}"
    return f"{number:.{digits}g}"
