"""``drift: {against: previous, max: 0.2}``: values are distributed as in a reference.

The reference is the version of the table that was published before, or another table
(``against: baseline``, with ``column: name`` if the column is called otherwise there). `method`
says how the distance is told:

``psi`` (the default): population stability index over bins, at most 0.2 unless `max` says
otherwise. ``js``: Jensen-Shannon distance over bins, from 0 to 1, at most 0.1. ``ks``:
Kolmogorov-Smirnov distance of numbers, from 0 to 1, at most 0.1; to within 0.1 % where both
tables have more than 500,000 rows together. ``chi2``: chi-squared test over bins, told as
Cramér's V, from 0 to 1, at most 0.1. ``ks`` and ``chi2`` can be held to a p-value in place of a
distance: ``p: 0.01`` fails below it; with many rows every difference is significant.

Numbers, dates and times are counted in `bins` (10) between the quantiles of the reference;
texts by its 50 most frequent values, all others together. Null is left out; NaN is a value.
`where` chooses rows of both. Where there is no earlier version there is nothing to compare
with: the check passes and says so. Another table that has no values is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segue.judge.history.drift_counts import (
    EXACT,
    FINE,
    Counts,
    Side,
    count_bins,
    count_texts,
    count_values,
    find_distance,
    number_column,
    text_column,
)
from segue.judge.history.drift_formulas import (
    find_chi2,
    find_js,
    find_ks,
    find_ks_p,
    find_psi,
    parts_of_psi,
)
from segue.judge.slices import write_where
from segue.judge.verdict import judge_unmeasured, judge_value, measurement, write_share
from segue.registry import nearest
from segue.spec.contract import Verdict
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols import Scene
    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType

PREVIOUS = "previous"
MOST = {"psi": 0.2, "js": 0.1, "ks": 0.1, "chi2": 0.1}
"""Distances that are borne unless a contract says otherwise."""
BINS = 10
_KEYS = ("against", "column", "method", "max", "p", "bins")
_TESTS = ("ks", "chi2")


@dataclass(frozen=True, slots=True)
class _Distance:
    """How far the distributions are apart.

    Attributes:
        value: The distance.
        chance: The p-value, of a method that is a test.
        most: The bin that changed most, in words.
        sql: The query that told.
    """

    value: float
    chance: float | None
    most: str
    sql: str


class DriftCheck:
    """A column whose values are distributed otherwise than in the reference breaks it."""

    name = "drift"
    scope = "column"
    row_level = False
    refused = ("by",)

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{against: …, method: …, max: …}``, or the reference alone."""
        value = {"against": value} if isinstance(value, str) else value
        if not isinstance(value, dict) or "against" not in value:
            raise ValueError(f"expected {{against: previous}} or a table, found {value!r}")
        unknown = [key for key in value if key not in _KEYS]
        if unknown:
            hint = nearest(str(unknown[0]), _KEYS)
            raise ValueError(f"unknown key {unknown[0]!r}: {hint}; expected {', '.join(_KEYS)}")
        method, against = value.get("method", "psi"), value["against"]
        if method not in MOST:
            raise ValueError(f"method is one of {', '.join(MOST)}, not {method!r}")
        if not isinstance(against, str) or not against:
            raise ValueError(f"expected previous or a table as `against`, found {against!r}")
        arguments: dict[str, Any] = {"against": against, "method": method, **_read_limits(value)}
        if against != PREVIOUS:
            arguments["table"] = against
        if "column" in value:
            if against == PREVIOUS or not isinstance(value["column"], str):
                raise ValueError("`column` names a column of the table in `against`")
            arguments["column"] = value["column"]
        return arguments

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: no single row breaks it."""
        del check, types, table
        return ""

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: it measures by queries of its own."""
        del check, types, table
        return ""

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold a distance against its bound."""
        return self._hold(check, _Distance(float(value), None, "", ""), rows)

    def state(self, check: Check) -> str:
        """Return what is measured, in words."""
        against = check.arguments["against"]
        told = "the version before" if against == PREVIOUS else against
        return f"drift of {check.columns[0]} against {told} ({check.arguments['method']})"

    def inspect(self, check: Check, scene: Scene) -> Measurement:
        """Count both distributions where the data is, and hold their distance to the bound."""
        reference = check.arguments.get("table") or scene.context.before
        if not reference:
            return self._pass_over(check, scene, "there is no earlier version to compare with")
        before, now, numbers = _find_sides(check, scene, reference)
        counted = count_values(scene.session, before, now)
        if not all(counted):
            empty = "the reference" if not counted[0] else "the table"
            problem = f"{empty} has no values to compare"
            if not counted[0] and check.arguments["against"] == PREVIOUS:
                return self._pass_over(check, scene, problem)
            return judge_unmeasured(check, scene.rows, f"{self.state(check)}: {problem}")
        found = _measure(check, scene, (before, now), counted, numbers=numbers)
        return self._hold(check, found, scene.rows)

    def _pass_over(self, check: Check, scene: Scene, why: str) -> Measurement:
        message = f"{self.state(check)}: {why}"
        return measurement(check, Verdict.PASS, scene.rows, message=message)

    def _hold(self, check: Check, found: _Distance, rows: int) -> Measurement:
        most = check.arguments["max"]
        least = check.arguments["p"]
        told = f"{self.state(check)}: {found.value:.3g}"
        told += "" if found.chance is None else f" (p = {found.chance:.2g})"
        if least is None:
            kept, expected = found.value <= most, f"at most {most:g}"
        else:
            kept, expected = (found.chance or 0.0) >= least, f"p of at least {least:g}"
        judged = judge_value(check, found.value, rows, kept=kept, found=told, expected=expected)
        shown = f"; most changed: {found.most}" if found.most and not check.sensitive else ""
        return replace(judged, message=judged.message + shown, sql=found.sql)


def _find_sides(check: Check, scene: Scene, reference: str) -> tuple[Side, Side, bool]:
    """Return the reference and the table, and whether their values are numbers."""
    name = check.columns[0]
    other = check.arguments.get("column", name)
    known = scene.session.describe(f"select * from {quote_identifier(reference)}")
    column = known.find(other)
    if column is None:
        hint = nearest(other, list(known.names), noun="column")
        raise ValueError(f"{reference} has no column {other!r}: {hint}")
    tested = next(each for each in scene.schema if each.name == name)
    numbers = number_column(other, column.type), number_column(name, tested.type)
    texts = None in numbers
    if texts and check.arguments["method"] == "ks":
        raise ValueError(f"column {name!r} is {tested.type}: ks is of numbers, dates and times")
    sides = (text_column(other), text_column(name)) if texts else numbers
    where = write_where(check.slice) if check.slice.where else ""
    return Side(reference, str(sides[0]), where), Side(scene.table, str(sides[1])), not texts


def _measure(
    check: Check,
    scene: Scene,
    sides: tuple[Side, Side],
    counted: tuple[int, int],
    *,
    numbers: bool,
) -> _Distance:
    """Return how far two distributions are apart that both have values."""
    method, session = check.arguments["method"], scene.session
    if method == "ks":
        if sum(counted) <= EXACT:
            value, query = find_distance(session, *sides)
        else:
            counts = count_bins(session, *sides, FINE)
            value, query = find_ks(counts.before, counts.now), counts.sql
        return _Distance(value, find_ks_p(value, *counted), "", query)
    bins = check.arguments["bins"]
    counts = count_bins(session, *sides, bins) if numbers else count_texts(session, *sides)
    chance = None
    if method == "psi":
        value = find_psi(counts.before, counts.now)
    elif method == "js":
        value = find_js(counts.before, counts.now)
    else:
        _, value, chance = find_chi2(counts.before, counts.now)
    return _Distance(value, chance, _name_most(counts), counts.sql)


def _name_most(counts: Counts) -> str:
    """Return the bin that adds most to the distance; empty if nothing changed."""
    parts = parts_of_psi(counts.before, counts.now)
    place = max(range(len(parts)), key=parts.__getitem__)
    if not parts[place]:
        return ""
    before, now = (
        write_share(column[place], sum(column)) for column in (counts.before, counts.now)
    )
    return f"{counts.labels[place]}, {before} -> {now}"


def _read_limits(value: Mapping[str, Any]) -> dict[str, Any]:
    method = value.get("method", "psi")
    most, least, bins = value.get("max"), value.get("p"), value.get("bins", BINS)
    if least is not None and (method not in _TESTS or most is not None):
        raise ValueError("p is of the methods ks and chi2, and takes the place of max")
    for name, limit in (("max", most), ("p", least)):
        if limit is not None and not (_is_number(limit) and limit >= 0):
            raise ValueError(f"{name} is a number from 0 on, not {limit!r}")
    if not isinstance(bins, int) or isinstance(bins, bool) or not 1 < bins <= FINE:
        raise ValueError(f"bins is a whole number from 2 to {FINE}, not {bins!r}")
    return {"max": MOST[method] if most is None else most, "p": least, "bins": bins}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


CHECK = DriftCheck()
