"""Seasons: hours of the day, days of the week, months of the year, all in UTC.

Whether numbers follow one is told by ranks, so that outliers don't matter: a part of a season
whose ranks differ surely from those of all other numbers (Wilcoxon, Individual Comparisons by
Ranking Methods, Biometrics 1945; normal approximation with ties shared) shows the season.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

CERTAIN = 3.5
"""Standard deviations beyond which one part of a season differs by no chance: 1 in 2,000."""
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class Season:
    """One way to part the time.

    Attributes:
        name: Its name in contracts.
        part: The part that a time is in.
        cycle: Which return of the season it is.
        say: The part in words.
        cycles: Returns without which a season is not found by itself.
    """

    name: str
    part: Callable[[datetime], int]
    cycle: Callable[[datetime], tuple[int, ...]]
    say: Callable[[datetime], str]
    cycles: int


SEASONS = {
    season.name: season
    for season in (
        Season(
            "hour",
            lambda at: at.hour,
            lambda at: (at.toordinal(),),
            lambda at: f"from {at.hour:02}:00 to {at.hour:02}:59 UTC",
            3,
        ),
        Season(
            "weekday",
            lambda at: at.weekday(),
            lambda at: tuple(at.isocalendar())[:2],
            lambda at: f"on {_DAYS[at.weekday()]}",
            3,
        ),
        Season(
            "month",
            lambda at: at.month,
            lambda at: (at.year,),
            lambda at: f"in {_MONTHS[at.month - 1]}",
            2,
        ),
    )
}


def find_season(past: Sequence[tuple[datetime, float]], at: datetime, least: int) -> Season | None:
    """Return the season that a past follows most clearly, if there is enough of it.

    Its part that `at` is in has to be there `least` times, in several cycles, and so has
    another part.

    Args:
        past: Times and numbers.
        at: The time that is asked about.
        least: Points without which a part says nothing.
    """
    found, highest = None, CERTAIN
    for season in SEASONS.values():
        certain = _weigh_season(season, past, at, least)
        if certain > highest:
            found, highest = season, certain
    return found


def part_numbers(
    season: Season, past: Sequence[tuple[datetime, float]], least: int
) -> dict[int, list[float]]:
    """Return the numbers of each part of a season that has enough of them."""
    parts: dict[int, list[float]] = {}
    for when, number in past:
        parts.setdefault(season.part(when), []).append(number)
    return {part: numbers for part, numbers in parts.items() if len(numbers) >= least}


def _weigh_season(
    season: Season, past: Sequence[tuple[datetime, float]], at: datetime, least: int
) -> float:
    """Return how sure a season is, in standard deviations; 0 if it can't be told yet."""
    parts = part_numbers(season, past, least)
    here = season.part(at)
    cycles = {season.cycle(when) for when, _ in past if season.part(when) == here}
    if here not in parts or len(parts) < 2 or len(cycles) < season.cycles:  # noqa: PLR2004
        return 0.0
    return compare_groups(list(parts.values()))


def compare_groups(groups: Sequence[Sequence[float]]) -> float:
    """Return by how many standard deviations the ranks of one group differ most from all others.

    Example:
        >>> compare_groups([[1, 3, 5, 7], [2, 4, 6, 8]]) < 1
        True
        >>> compare_groups([list(range(20)), list(range(30, 50))]) > 4
        True
    """
    ranks = _rank([number for numbers in groups for number in numbers])
    count, middle = len(ranks), (len(ranks) + 1) / 2
    variance = sum((rank - middle) ** 2 for rank in ranks) / (count - 1)
    if not variance:
        return 0.0
    highest, place = 0.0, 0
    for numbers in groups:
        size = len(numbers)
        away = abs(sum(ranks[place : place + size]) - size * middle)
        place += size
        if size < count:
            highest = max(highest, away / math.sqrt(variance * size * (count - size) / count))
    return highest


def _rank(numbers: Sequence[float]) -> list[float]:
    """Return the rank of each number; equal ones share the mean of theirs."""
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    ranks = [0.0] * len(numbers)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and numbers[order[end]] == numbers[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end + 1) / 2
        start = end
    return ranks
