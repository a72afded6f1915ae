"""``nulls: {max: 5%}`` or ``nulls: {max: 10}``: how many values of a column are null.

Bounds are counts, or shares of the rows: of no rows there is no share, which is an error.
NaN is a value.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segue.judge.metric_bounds import has_bounds, read_bounds, read_share
from segue.judge.metric_check import MetricCheck, judge_metric
from segue.judge.slices import write_where
from segue.judge.verdict import judge_unmeasured, write_share
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class NullsCheck(MetricCheck):
    """Too many nulls, or too few, break it."""

    name = "nulls"
    folds = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read bounds: counts, or shares."""
        bounds = read_bounds(value)
        ends = [end for end in bounds.values() if end is not None]
        shares = [end for end in ends if read_share(end) is not None]
        for end in ends:
            count = isinstance(end, int) and not isinstance(end, bool) and end >= 0
            if end not in shares and not count:
                raise ValueError(f"expected a number of rows or a share such as 5%, found {end!r}")
        if len(shares) not in (0, len(ends)):
            raise ValueError("say both bounds as counts, or both as shares")
        return bounds

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that counts nulls."""
        del types, table
        return count_nulls(check)

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the number or the share of nulls against the bounds."""
        name, what = check.columns[0], self.describe(check)
        shared = f" of {rows:,} rows, {write_share(value, rows)}" if rows else ""
        found = f"{name} has {value:,} null{'' if value == 1 else 's'}{shared}"
        ends = [check.arguments["min"], check.arguments["max"]]
        if any(isinstance(end, str) for end in ends) or not has_bounds(check.arguments):
            if not rows:
                return judge_unmeasured(check, rows, NO_ROWS)
            value = Fraction(value, rows)
        return judge_metric(check, value, rows, what, found=found)


NO_ROWS = "there are no rows, and no share of them"


def count_nulls(check: Check) -> str:
    """Return the aggregate that counts nulls, as ``required`` writes it: they share it."""
    null = f"{quote_identifier(check.columns[0])} is null"
    if check.slice.where:
        null = f"({write_where(check.slice)} and {null})"
    return f"count(*) filter (where {null})"


CHECK = NullsCheck()
