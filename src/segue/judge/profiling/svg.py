"""Charts of a profile as SVG that takes its colours from the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.frames.html import Markup, write_text
from segue.judge.profiling.words import write_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.profile import Bin, ColumnProfile

_SMALL = (120, 28)
_LARGE = (520, 150)
_BELOW = 34
"""Room below the bars for the axis and quantiles."""


def draw_small(bars: Sequence[Bin]) -> Markup:
    """Return a histogram as small as a word."""
    width, height = _SMALL
    inner = "".join(_draw_bars(bars, width, height, titles=False))
    return Markup(
        f'<svg class="small" viewBox="0 0 {width} {height}" aria-hidden="true">{inner}</svg>'
    )


def draw_large(column: ColumnProfile) -> Markup:
    """Return a histogram with its axis, and below it where the quantiles lie."""
    width, height = _LARGE
    bars = column.histogram
    low, high = write_text(write_number(bars[0].low)), write_text(write_number(bars[-1].high))
    label = write_text(f"Histogram of {column.name}")
    inner = [
        *_draw_bars(bars, width, height, titles=True),
        f'<line class="axis" x1="0" x2="{width}" y1="{height}" y2="{height}"/>',
        *_draw_quantiles(column, width, height),
        f'<text x="0" y="{height + 30}">{low}</text>',
        f'<text x="{width}" y="{height + 30}" text-anchor="end">{high}</text>',
    ]
    return Markup(
        f'<svg class="large" viewBox="0 -4 {width} {height + _BELOW + 4}" role="img" '
        f'aria-label="{label}">{"".join(inner)}</svg>'
    )


def _draw_bars(bars: Sequence[Bin], width: int, height: int, *, titles: bool) -> list[str]:
    most = max((each.rows for each in bars), default=0) or 1
    step = width / max(len(bars), 1)
    gap = min(2.0, step / 6)
    drawn = []
    for at, each in enumerate(bars):
        # what is there is seen, however little it is
        tall = max(height * each.rows / most, 1.5) if each.rows else 0
        title = ""
        if titles:
            ends = f"{write_number(each.low)} to {write_number(each.high)}"
            title = f"<title>{write_text(f'{ends}: {each.rows:,} rows')}</title>"
        drawn.append(
            f'<rect class="bar" x="{at * step + gap / 2:.1f}" y="{height - tall:.1f}" '
            f'width="{step - gap:.1f}" height="{tall:.1f}">{title}</rect>'
        )
        if titles:
            # a low bar can be pointed at all over its height
            drawn.append(
                f'<rect class="over" x="{at * step:.1f}" y="0" width="{step:.1f}" '
                f'height="{height}">{title}</rect>'
            )
    return drawn


def _draw_quantiles(column: ColumnProfile, width: int, height: int) -> list[str]:
    """Draw a box from the first to the third quartile, with the median in it."""
    places = [_place(value, column, width) for _, value in column.quantiles]
    if len(places) != 5 or None in places:  # noqa: PLR2004  # as many as the profile asks for
        return []
    least, first, median, third, most = (place or 0.0 for place in places)
    y = height + 9
    box = f'x="{first:.1f}" y="{y - 5}" width="{max(third - first, 2):.1f}" height="10" rx="2"'
    middle = f'x1="{median:.1f}" x2="{median:.1f}" y1="{y - 5}" y2="{y + 5}"'
    told = ", ".join(
        f"{100 * share:g} % {write_number(value)}" for share, value in column.quantiles
    )
    return [
        f'<g class="box"><title>{write_text(f"Quantiles: {told}")}</title>',
        f'<line x1="{least:.1f}" x2="{most:.1f}" y1="{y}" y2="{y}"/>',
        f'<rect {box}/><line class="median" {middle}/></g>',
    ]


def _place(value: object, column: ColumnProfile, width: int) -> float | None:
    low, high = column.histogram[0].low, column.histogram[-1].high
    if isinstance(value, str) or isinstance(low, str) or isinstance(high, str):
        return None
    return width * (float(str(value)) - float(low)) / (float(high) - float(low))
