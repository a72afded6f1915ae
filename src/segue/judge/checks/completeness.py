"""``completeness: {min: 99%}``: the share of a column's values that are not null.

Of no rows there is no share, which is an error. NaN is a value.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segue.judge.checks.nulls import NO_ROWS, count_nulls
from segue.judge.metric_bounds import read_bounds, read_share
from segue.judge.metric_check import MetricCheck, judge_metric
from segue.judge.verdict import judge_unmeasured, write_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class CompletenessCheck(MetricCheck):
    """A column with too many nulls breaks it."""

    name = "completeness"
    folds = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read bounds, which are shares."""
        bounds = read_bounds(value)
        for end in bounds.values():
            if end is not None and read_share(end) is None:
                raise ValueError(f"expected a share such as 99%, found {end!r}")
        return bounds

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that counts nulls."""
        del types, table
        return count_nulls(check)

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the share of values against the bounds."""
        if not rows:
            return judge_unmeasured(check, rows, NO_ROWS)
        found = f"{check.columns[0]} is {write_share(rows - value, rows)} complete"
        found += f", {value:,} of {rows:,} rows have none" if value else ""
        share = Fraction(rows - value, rows)
        return judge_metric(check, share, rows, self.describe(check), found=found)


CHECK = CompletenessCheck()
