"""What a check measured over time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.spec.contract import Report, Segment, Verdict

_FAR = 3
"""What was usual is not drawn farther away than so many times the spread of the points."""


@dataclass(frozen=True, slots=True)
class Point:
    """One earlier measurement of a check.

    Attributes:
        at: UTC time as ISO text.
        verdict: What it came to.
        rows: Rows of the table, or of the part that the check looks at.
        failing: Rows that broke the check; None where it does not count rows.
        value: What was measured, where it does not.
        run_id: The run that measured; empty if none did.
        version: Version of the table; None if it was not published.
        code: Fingerprint of the step that made the table; empty for sources.
        seconds: Duration of the query; None if not known.
        check: Name of the check.
        segments: The segments of a check that is held against its history by segments.
    """

    at: str
    verdict: Verdict
    rows: int
    failing: int | None = None
    value: float | None = None
    run_id: str = ""
    version: int | None = None
    code: str = ""
    seconds: float | None = None
    check: str = ""
    segments: tuple[Segment, ...] = ()

    @property
    def number(self) -> float | None:
        """What is compared over time: the value, else the share of failing rows."""
        return find_number(self.value, self.failing, self.rows)


@dataclass(frozen=True, slots=True)
class Judged:
    """A report, and what it speaks of.

    Attributes:
        report: What was measured of a table.
        version: Number of the version that was measured; None while it is not published.
        code: Fingerprint of the step that made it; empty for sources.
        run_id: The run that measured; empty if none did.
        at: UTC time as ISO text; empty for now.
    """

    report: Report
    version: int | None = None
    code: str = ""
    run_id: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Usual:
    """What a number was in the past.

    Attributes:
        points: Points that count.
        least: Points without which nothing is said.
        season: The part of the past that counts, in words, such as ``on Mondays``.
        middle: Their median; None if there are too few.
        low: What is unusually low lies below it; none if that is not asked.
        high: What is unusually high lies above it.
    """

    points: int
    least: int
    season: str = ""
    middle: float | None = None
    low: float = -math.inf
    high: float = math.inf

    @property
    def known(self) -> bool:
        """Whether there is enough history."""
        return self.middle is not None

    def holds(self, number: float) -> bool:
        """Return whether a number is as usual, as far as is known; NaN never is."""
        return not self.known or self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Series:
    """What one check measured over time, for drawing.

    Attributes:
        table: Name of the table.
        check: Name of the check.
        points: Its measurements, oldest first.
        usual: What was usual at each of them; None for a check without `anomaly`.
        low: Bound of the contract below; None if it has none, or is not stated any more.
        high: Bound of the contract above.
        share: Whether the numbers are shares of failing rows.
        segment: The segment that they are of, in words; empty for all rows.
    """

    table: str
    check: str
    points: tuple[Point, ...]
    usual: tuple[Usual | None, ...]
    low: float | None = None
    high: float | None = None
    share: bool = False
    segment: str = ""

    @property
    def title(self) -> str:
        """What is drawn, in words."""
        return f"{self.check}: {self.segment}" if self.segment else self.check

    def find_reach(self) -> tuple[float, float, float]:
        """Return what has to be seen of the numbers: the lowest, the highest, and their spread.

        Bounds and what was usual belong to it, but for what lies so far off that it would press
        the points together.
        """
        numbers = [point.number for point in self.points if point.number is not None]
        low, high = min(numbers, default=0.0), max(numbers, default=0.0)
        spread = high - low or abs(high) / 4 or 0.01
        ends = [end for usual in self.usual if usual for end in (usual.low, usual.high)]
        seen = [end for end in ends if low - _FAR * spread <= end <= high + _FAR * spread]
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        seen += [bound for bound in bounds if low - spread <= bound <= high + spread]
        return min((low, *seen)), max((high, *seen)), spread

    def is_odd(self, place: int) -> bool:
        """Return whether a point was unusual beside those before it."""
        usual, number = self.usual[place], self.points[place].number
        return usual is not None and number is not None and not usual.holds(number)


def find_number(value: float | None, failing: int | None, rows: int) -> float | None:
    """Return what is compared over time: the value, else the share of failing rows.

    Example:
        >>> find_number(None, 5, 100), find_number(7.5, None, 100), find_number(None, None, 1)
        (0.05, 7.5, None)
    """
    if value is not None or failing is None:
        return value
    return failing / rows if rows else 0.0
