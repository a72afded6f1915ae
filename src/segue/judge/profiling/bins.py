"""Bars of a histogram: of the same width, and at readable places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from segue.spec.profile import Bin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.profile import Plain
    from segue.spec.types import DataType

MOST = 40
"""Most bars."""
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_SECONDS = (1, 5, 15, 60, 300, 900, 3600, 10800, 21600, 43200, 86400, 172800, 604800)
"""Widths of bars of times, up to a week."""
_DAY = 86400
_LEAST = 1e-290
"""Span of values below which floating-point numbers are too coarse to be parted."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bars:
    """Where bars stand.

    Attributes:
        start: Where the first begins.
        width: Width of each.
        count: How many there are.
    """

    start: float
    width: float
    count: int

    def edge(self, at: int) -> float:
        """Return where a bar begins."""
        return self.start + at * self.width


def place_bars(low: float, high: float, type_: DataType) -> Bars | None:
    """Return where the bars of a histogram stand; None if there is nothing to draw.

    Args:
        low: Smallest value; seconds since 1970 for a time.
        high: Largest value.
        type_: Type of the column.

    Example:
        >>> from segue.spec.types import parse_type
        >>> place_bars(3, 97, parse_type("int64"))
        Bars(start=3.0, width=3.0, count=32)
    """
    span = high - low
    if not (math.isfinite(span) and span > _LEAST):
        return None
    width = _choose_width(span, type_)
    # values too near to each other for floating-point numbers have no bars
    if not (width and math.isfinite(low / width) and math.isfinite(high / width)):
        return None
    start = float(math.floor(low / width) * width)
    if not math.isfinite((high - start) / width):
        return None
    count = math.floor((high - start) / width) + 1
    if start + width == start or not 1 <= count <= 2 * MOST:
        return None
    return Bars(start, width, count)


def _choose_width(span: float, type_: DataType) -> float:
    least = span / (MOST - 2)
    if type_.kind in ("date", "time", "timestamp"):
        if type_.kind == "date":
            least = max(least, float(_DAY))
        width = next((float(each) for each in _SECONDS if each >= least), None)
        return width if width is not None else _DAY * _round_up(least / _DAY)
    width = _round_up(least)
    return float(max(1, math.ceil(width))) if type_.is_integer else width


def _round_up(width: float) -> float:
    power = 10.0 ** math.floor(math.log10(width))
    return next((nice * power for nice in _NICE if nice * power >= width), 10 * power)


def write_bar(value: str, bars: Bars) -> str:
    """Return SQL for the number of the bar in which a value stands."""
    at = f"floor(({value} - ({bars.start!r})) / {bars.width!r})"
    return f"least({bars.count - 1}, greatest(0, {at}))::utinyint"


def name_bars(bars: Bars, counts: Mapping[int, int], type_: DataType) -> tuple[Bin, ...]:
    """Return bars with their ends as values of the column."""
    return tuple(
        Bin(
            _name_edge(bars.edge(at), type_),
            _name_edge(bars.edge(at + 1), type_),
            counts.get(at, 0),
        )
        for at in range(bars.count)
    )


def _name_edge(edge: float, type_: DataType) -> Plain:
    if type_.is_integer:
        return int(edge)
    if type_.kind not in ("date", "time", "timestamp"):
        return float(f"{edge:.12g}")
    try:
        moment = _EPOCH + timedelta(seconds=edge)
    except OverflowError:
        return f"{edge:.0f} s"
    if type_.kind == "date":
        return f"{moment:%Y-%m-%d}"
    if type_.kind == "time":
        return f"{moment:%H:%M:%S}" if edge < _DAY else "24:00:00"
    return f"{moment:%Y-%m-%d %H:%M:%S}"
