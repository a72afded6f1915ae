"""Whether a number is unusual beside its own past: median and MAD, season by season.

The distance of a number ``x`` from the median ``m`` of its past is counted in robust standard
deviations ``s = 1.4826 * MAD``, where MAD is the median of ``|x_i - m|``: the modified z-score
of Iglewicz and Hoaglin (How to Detect and Handle Outliers, ASQC 1993), who call a number an
outlier beyond 3.5. Half of the past may be wrong without moving either.

Of few points ``s`` is often far too small by chance: at 7 normal points 7 % of all good numbers
lie beyond 3.5. So the bound is ``3.5 * (1 + 8 / n)``, chosen by simulation: 0.5 % at 7 points,
0.2 % at 10, under 0.1 % from 30 on. `sensitivity` divides it.

MAD is 0 where more than half of the past is one number. Then ``s`` is the 90th percentile of
``|x_i - m|`` over 1.645 (the same percentile of a standard normal's absolute value), and for a
past that hardly ever changes a thousandth of ``|m|``, so that its last digit raises no alarm. A
share of rows is never taken to be surer than counting so many rows can be: the standard error
``sqrt(p * (1 - p) / rows)``.

Delays and amounts spread farther above their median than below it. A side whose own MAD is
larger than that of both has its bound widened by as much, at most twice (Rosenmai, Using the
Median Absolute Deviation to Find Outliers, 2013, calls it the double MAD).

A change that stays has to become usual. Where one of the newest ``2 * least - 1`` points failed,
a number is also as usual if it is so beside those points alone, whatever came of them: after
`least` measurements at a new level they are most of them.

Everything is done by the standard library: a few hundred numbers are sorted sooner than numpy
is imported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from segue.judge.history.anomaly_season import SEASONS, Season, find_season, part_numbers
from segue.spec.history import Usual

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

WINDOW = 100
"""Points that count, the newest: older ones say less about today."""
LEAST = 7
BOUND = 3.5
FEW = 8.0
"""How much wider the bound is for few points: at so many of them it is doubled."""
MAD_TO_DEVIATION = 1.4826
NINETIETH = 1.6449
LATELY = 2.0
"""How much more the newest points may spread than all, where some of them failed."""
SKEWED = 2.0
"""Most by which the bound of one side is wider than the numbers of both sides ask for."""
CONSTANT = 1e-3
"""Share of a number that never changed by which it may change."""
_PART = 3
"""Points without which a part of a season tells no spread."""
ROUNDING = 1e-9
"""Share of a number that is taken for the noise of its computation."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A number of the past.

    Attributes:
        at: When it was measured, in UTC.
        number: What was measured.
        good: Whether it is an example of what is usual; what failed is none.
    """

    at: datetime
    number: float
    good: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """How a number is held against its past.

    Attributes:
        side: ``above`` or ``below`` if only that is unusual, else ``both``; for shares of failing
            rows ``above`` goes without saying.
        season: ``hour``, ``weekday`` or ``month`` (of UTC) to compare with the same ones only,
            ``none`` to compare with all; found by itself if not stated.
        sensitivity: By what the bound is divided: 2 finds changes half as large.
        least: Points without which nothing is said.
    """

    side: str = "both"
    season: str = ""
    sensitivity: float = 1.0
    least: int = LEAST

    @classmethod
    def read(cls, stated: Mapping[str, Any], *, share: bool) -> Rule:
        """Return the rule that a contract states; fewer failing rows are never unusual.

        Example:
            >>> Rule.read({"least": 20}, share=True)
            Rule(side='above', season='', sensitivity=1.0, least=20)
        """
        return cls(
            side=stated.get("side", "above" if share else "both"),
            season=stated.get("season", ""),
            sensitivity=float(stated.get("sensitivity", 1.0)),
            least=math.ceil(stated.get("least", LEAST)),
        )


def find_usual(
    past: Sequence[Sample], at: datetime, rule: Rule, rows: int = 0, number: float | None = None
) -> Usual:
    """Return what a number is expected to be.

    Args:
        past: Earlier numbers, oldest first, without the one that is tested.
        at: When the tested one was measured, in UTC.
        rule: How it is held against them.
        rows: Rows that it is a share of; 0 for a number that is no share.
        number: The tested one: where some of the newest points failed, it may be as usual
            beside those alone.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> day = datetime(2026, 1, 1, tzinfo=UTC)
        >>> numbers = [100, 104, 98, 101, 99, 103, 97, 102, 96, 100]
        >>> past = [Sample(day + timedelta(n), number) for n, number in enumerate(numbers)]
        >>> usual = find_usual(past, day + timedelta(10), Rule())
        >>> usual.middle, round(usual.low, 1), round(usual.high, 1)
        (100.0, 81.3, 118.7)
        >>> usual.holds(100), usual.holds(150)
        (True, False)
        >>> find_usual(past[:3], day, Rule()).known
        False
    """
    whole = [each for each in past if math.isfinite(each.number)]
    season, here, least = _choose(whole, at, rule)
    label = season.say(at) if season else ""
    chosen = [each.number for each in here if each.good]
    if season and not rule.season and len(chosen) < least:
        # Sundays that were unusual every time are usual as Sundays
        chosen = [each.number for each in here]
    chosen = chosen[-WINDOW:]
    if len(chosen) < least:
        return Usual(len(chosen), least, label)
    pooled = _pool_seasons(whole, season, median(chosen)) if season else (0.0, 0)
    usual, spread = _describe(chosen, rule, rows, pooled)
    usual = replace(usual, least=least, season=label)
    newest = here[-(2 * least - 1) :]
    changed = not all(each.good for each in newest) and len(newest) == 2 * least - 1
    if number is None or usual.holds(number) or not changed:
        return usual
    # what moved is the level: numbers do not spread so much more for it
    most = LATELY * spread
    lately, _ = _describe([each.number for each in newest], rule, rows, None, most)
    return replace(lately, season=f"{label} lately".strip()) if lately.holds(number) else usual


def _choose(
    past: Sequence[Sample], at: datetime, rule: Rule
) -> tuple[Season | None, list[Sample], int]:
    """Return the season to compare within, the points of its part, and how many it takes."""
    least = max(rule.least, 1)
    if rule.season:
        season = SEASONS.get(rule.season)
    else:
        # the other parts of a season tell the spread as well: half the points do
        half = (least + 1) // 2
        everything = [(each.at, each.number) for each in past]
        season = find_season(everything, at, half) if len(past) >= 2 * least else None
        least = half if season else least
    here = season.part(at) if season else None
    return season, [each for each in past if not season or season.part(each.at) == here], least


def _describe(
    numbers: Sequence[float],
    rule: Rule,
    rows: int,
    pooled: tuple[float, int] | None,
    most: float = math.inf,
) -> tuple[Usual, float]:
    """Return what is usual beside numbers, and how they spread.

    Args:
        numbers: The numbers.
        rule: How far from them a number may be.
        rows: Rows that they are shares of, or 0.
        pooled: The spread that all parts of a season tell, and of how many points; None for the
            newest points alone.
        most: Most by which they are taken to spread.
    """
    middle, points = median(numbers), len(numbers)
    spread = min(find_spread(numbers, middle), most)
    lower, upper = (1.0, 1.0) if pooled is None else _find_skew(numbers, middle, spread)
    if pooled and pooled[1]:
        spread = max(spread, pooled[0])
        points = min(3 * points, max(points, pooled[1]))
    if rows:
        share = min(max(middle, 1 / rows), 1 - 1 / (rows + 1))
        spread = max(spread, math.sqrt(share * (1 - share) / rows))
    reach = BOUND * (1 + FEW / points) / rule.sensitivity * spread
    low = -math.inf if rule.side == "above" else middle - lower * reach
    high = math.inf if rule.side == "below" else middle + upper * reach
    return Usual(len(numbers), rule.least, "", middle, low, high), spread


def _find_skew(numbers: Sequence[float], middle: float, spread: float) -> tuple[float, float]:
    """Return by how much wider numbers spread below their median, and above it: 1 to `SKEWED`."""
    sides = (
        [middle - number for number in numbers if number <= middle],
        [number - middle for number in numbers if number >= middle],
    )
    lower, upper = (MAD_TO_DEVIATION * median(away) / spread for away in sides)
    return min(max(lower, 1.0), SKEWED), min(max(upper, 1.0), SKEWED)


def find_spread(numbers: Sequence[float], middle: float) -> float:
    """Return the robust standard deviation around a median; never 0 but for zeros.

    Example:
        >>> round(find_spread([1, 2, 3, 4, 5], 3), 4)
        1.4826
        >>> find_spread([50, 50, 50], 50)
        0.05
    """
    away = sorted(abs(number - middle) for number in numbers)
    floor = ROUNDING * abs(middle)
    spread = MAD_TO_DEVIATION * median(away)
    if spread <= floor:
        spread = away[min(int(0.9 * len(away)), len(away) - 1)] / NINETIETH
    if spread <= floor:
        spread = CONSTANT * abs(middle)
    return spread or ROUNDING


def _pool_seasons(past: Sequence[Sample], season: Season, middle: float) -> tuple[float, int]:
    """Return the spread around the medians of a season's parts, and of how many points.

    It is told absolutely and relative to the medians: the smaller one is taken, as numbers
    often vary in proportion to their size.
    """
    good = [(each.at, each.number) for each in past if each.good]
    parts = part_numbers(season, good[-10 * WINDOW :], _PART)
    away, relative = [], []
    for numbers in parts.values():
        center = median(numbers)
        away += [abs(number - center) for number in numbers]
        if center:
            relative += [abs(number / center - 1) for number in numbers]
    if not away:
        return 0.0, 0
    absolute = MAD_TO_DEVIATION * median(away)
    share = MAD_TO_DEVIATION * median(relative) * abs(middle) if relative else absolute
    return min(absolute, share), len(away)
