"""``anomaly: true``: what a check measured is held against what it measured before.

It can be added to any check, in its long form: ``rows: {anomaly: true}``, ``mean: {min: 0,
anomaly: {side: below, season: weekday}}``. The check is judged by its own bounds first. What
passes them and is unusual fails, or warns where the check only warns. What is compared is the
value that a check measures, or the share of failing rows where it counts them; of that only more
than usual is unusual. A check with `by` compares each segment with its own past.

The past is every measurement in the ledger, of runs and of ``segue check``: the newest of each
version, and none of the version that is tested. What failed is no example of what is usual, until
most of the newest points are so: a change that stays raises an alarm `least` times at most.
Where there is too little history, the message says so and the verdict stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from segue.judge.history.anomaly import Rule, Sample, find_usual
from segue.spec.contract import Verdict
from segue.spec.history import Point, Usual, find_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.spec.contract import Check, Measurement, Segment

MOST_SEGMENTS = 1000
"""Segments that are held against their history; with more of them nobody reads what is said."""
KEPT = 20
_TOLD = 3
_ORDER = list(Verdict)
_POISON = (Verdict.FAIL, Verdict.ERROR)


def judge_anomaly(
    check: Check,
    measured: Measurement,
    past: Callable[[str], Sequence[Point]] | None,
    moment: datetime,
) -> Measurement:
    """Hold what a check measured against its own history, if its contract says so.

    What is unusual fails, or warns where the check only warns. Too little history leaves the
    verdict as it is and is said in the message.

    Args:
        check: The check.
        measured: What it measured, already judged by its own bounds.
        past: Gives earlier measurements by the name of a check, oldest first.
        moment: When it was measured.
    """
    parted = bool(check.slice.by)
    done = (Verdict.ERROR,) if parted else _POISON  # segments have verdicts of their own
    if check.anomaly is None or measured.verdict in done:
        return measured
    if past is None:
        return _add(measured, "no history is kept here, so `anomaly` was not judged")
    points = choose_points(past(check.name))
    if parted:
        return _judge_segments(check, measured, points, moment)
    return _judge_number(check, measured, points, moment)


def _judge_number(
    check: Check, measured: Measurement, points: Sequence[Point], moment: datetime
) -> Measurement:
    """Hold the one number of a check against its history."""
    number = find_number(measured.value, measured.failing, measured.rows)
    if number is None:
        why = (
            "values of sensitive columns are not kept" if check.sensitive else "there is no number"
        )
        return _add(measured, f"{why}, so `anomaly` was not judged")
    tested = _Tested(number, measured.rows, measured.value is None, check, moment)
    usual, odd = tested.hold(points)
    words = tested.say(usual, odd=odd)
    if not odd:
        return _add(measured, words)
    told = replace(measured, message=measured.message.removesuffix(", as expected"))
    return replace(_add(told, words), verdict=_worsen(check, measured.verdict))


def choose_points(points: Sequence[Point]) -> list[Point]:
    """Return the points that tell something: those that could be measured, each version once.

    Of several measurements of one version the last one counts.
    """
    latest: dict[Any, Point] = {}
    for place, point in enumerate(points):
        if point.verdict is Verdict.ERROR and not point.segments:
            continue
        if point.number is None and not point.segments:
            continue
        key = place if point.version is None else f"version {point.version}"
        latest.pop(key, None)
        latest[key] = point
    return list(latest.values())


def trace_usual(check: Check, points: Sequence[Point], last: int) -> list[Usual | None]:
    """Return for the last points of a history what was usual then; for drawing.

    Args:
        check: The check, as its contract states it now.
        points: Its history, oldest first.
        last: How many points are asked for.
    """
    traced: list[Usual | None] = []
    for place in range(max(len(points) - last, 0), len(points)):
        point, earlier = points[place], points[:place]
        if check.anomaly is None or point.number is None:
            traced.append(None)
            continue
        if point.version is not None:
            earlier = [each for each in earlier if each.version != point.version]
        moment = _read_time(point.at)
        tested = _Tested(point.number, point.rows, point.value is None, check, moment)
        traced.append(tested.hold(choose_points(earlier))[0])
    return traced


@dataclass(frozen=True, slots=True)
class _Tested:
    """A number that is held against its past."""

    number: float
    rows: int
    share: bool
    check: Check
    moment: datetime

    def hold(self, points: Sequence[Point]) -> tuple[Usual, bool]:
        """Return what is usual, and whether the number is not."""
        samples = [
            Sample(_read_time(point.at), point.number, point.verdict not in _POISON)
            for point in points
            if point.number is not None
        ]
        rule = Rule.read(self.check.anomaly or {}, share=self.share)
        rows = self.rows if self.share else 0
        usual = find_usual(samples, self.moment, rule, rows, self.number)
        return usual, usual.known and not usual.holds(self.number)

    def say(self, usual: Usual, *, odd: bool) -> str:
        """Return what came of it in words; numbers of sensitive columns stay out."""
        where = f" {usual.season}" if usual.season else ""
        if not usual.known:
            return (
                f"too little history{where} for `anomaly`: {usual.points} of {usual.least} points"
            )
        points = f"{usual.points} earlier points{where}"
        if self.check.sensitive and not self.share:
            return f"unusual beside {points}" if odd else f"as usual beside {points}"
        told = f"{self._say_range(usual)}, median {self._write(usual.middle or 0)} of {points}"
        if odd:
            return f"{self._write(self.number)} is unusual: {told}"
        return f"usual: {told}"

    def _say_range(self, usual: Usual) -> str:
        low, high = usual.low, usual.high
        if low == -math.inf:
            return f"at most {self._round(high, usual)}"
        if high == math.inf:
            return f"at least {self._round(low, usual)}"
        low = max(low, 0.0) if self.share else low
        return f"{self._round(low, usual)} to {self._round(high, usual)}"

    def _round(self, bound: float, usual: Usual) -> str:
        """Return a bound with as many digits as its distance to the median is worth."""
        if self.share:
            return self._write(bound)
        reach = abs((usual.high if usual.high < math.inf else usual.low) - (usual.middle or 0))
        decimals = 2 - math.ceil(math.log10(reach)) if math.isfinite(reach) and reach else 0
        return f"{bound:,.{min(max(decimals, 0), 12)}f}"

    def _write(self, number: float) -> str:
        return write_number(number, share=self.share)


def write_number(number: float, *, share: bool = False) -> str:
    """Return a number as people read it, or a share in percent.

    Example:
        >>> write_number(1234567.0), write_number(0.00123456), write_number(0.0512, share=True)
        ('1,234,567', '0.00123456', '5.12%')
    """
    if share:
        return f"{100 * number:.3g}%"
    if math.isfinite(number) and number == round(number) and abs(number) < 1e15:  # noqa: PLR2004  # exact so far
        return f"{number:,.0f}"
    return f"{number:,.2f}" if abs(number) >= 1000 else f"{number:.6g}"  # noqa: PLR2004


def _judge_segments(
    check: Check, measured: Measurement, points: Sequence[Point], moment: datetime
) -> Measurement:
    """Hold each segment against its own history; the worst of them decides."""
    tracked = measured.tracked
    if not tracked or len(tracked) > MOST_SEGMENTS:
        many = f"{len(tracked):,} are too many" if tracked else "none has a name"
        message = f"segments were not held against their history: {many}"
        return replace(_add(measured, message), tracked=())
    past = part_points(points)
    judged, odd, short = [], [], 0
    for segment in tracked:
        told = _hold_segment(check, segment, past.get(name_segment(segment.key), ()), moment)
        worse, words, known = told
        judged.append(worse)
        short += not known
        if words:
            odd.append((worse, words))
    message = _say_segments(len(tracked), [words for _, words in odd], short)
    bad = [each for each in judged if each.verdict is not Verdict.PASS]
    bad.sort(key=lambda each: -_ORDER.index(each.verdict))
    verdict = max((measured.verdict, *(each.verdict for each, _ in odd)), key=_ORDER.index)
    return replace(
        _add(measured, message),
        verdict=verdict,
        segments=tuple(bad[:KEPT]) if odd else measured.segments,
        tracked=tuple(judged),
    )


def _hold_segment(
    check: Check, segment: Segment, past: Sequence[Point], moment: datetime
) -> tuple[Segment, str, bool]:
    """Return a segment with its verdict, what is odd of it, and whether enough is known."""
    number = find_number(segment.value, segment.failing, segment.rows)
    if number is None or segment.verdict in _POISON:
        return segment, "", True
    tested = _Tested(number, segment.rows, segment.value is None, check, moment)
    usual, odd = tested.hold(past)
    if not odd:
        return segment, "", usual.known
    words = f"{name_segment(segment.key)}: {tested.say(usual, odd=True)}"
    return replace(segment, verdict=_worsen(check, segment.verdict)), words, True


def part_points(points: Sequence[Point]) -> dict[str, list[Point]]:
    """Return the points of each segment by its name, with the segment's own verdicts."""
    parted: dict[str, list[Point]] = {}
    for point in points:
        for each in point.segments:
            told = replace(
                point,
                verdict=each.verdict,
                rows=each.rows,
                failing=each.failing,
                value=each.value,
                segments=(),
            )
            parted.setdefault(name_segment(each.key), []).append(told)
    return parted


def name_segment(key: Mapping[str, Any]) -> str:
    """Return the name of a segment.

    Example:
        >>> name_segment({"store": "a", "year": 2026})
        "store = 'a', year = 2026"
    """
    return ", ".join(f"{name} = {value!r}" for name, value in key.items())


def _say_segments(count: int, odd: Sequence[str], short: int) -> str:
    parts = []
    if odd:
        more = f"; and {len(odd) - _TOLD:,} more" if len(odd) > _TOLD else ""
        parts.append(f"{len(odd):,} of {count:,} unusual: {'; '.join(odd[:_TOLD])}{more}")
    if short:
        parts.append(f"too little history for `anomaly` of {short:,} of {count:,} segments")
    return "; ".join(parts) or f"all {count:,} segments as usual"


def _worsen(check: Check, verdict: Verdict) -> Verdict:
    worse = Verdict.WARN if check.fail is None else Verdict.FAIL
    return max(verdict, worse, key=_ORDER.index)


def _add(measured: Measurement, words: str) -> Measurement:
    message = f"{measured.message}; {words}" if measured.message else words
    return replace(measured, message=message)


def _read_time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
