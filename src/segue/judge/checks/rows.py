"""``rows: {min: 1, max: 1000}``: how many rows the table has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.metric_bounds import read_bounds
from segue.judge.metric_check import MetricCheck, judge_metric
from segue.judge.slices import write_where

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class RowsCheck(MetricCheck):
    """A table with too few or too many rows breaks it."""

    name = "rows"
    scope = "table"
    folds = True
    words = "row", "rows"

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{min: …, max: …}``, or one number for exactly so many."""
        bounds = read_bounds(value)
        for end in bounds.values():
            if end is not None and (isinstance(end, bool) or not isinstance(end, int) or end < 0):
                raise ValueError(f"expected a number of rows, found {end!r}")
        return bounds

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that counts rows."""
        del types, table
        where = check.slice.where
        return f"count(*) filter (where {write_where(check.slice)})" if where else "count(*)"

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the number of rows against the bounds."""
        found = f"{value:,} {self.words[value != 1]}"
        return judge_metric(check, value, rows, self.describe(check), found=found)

    def describe(self, check: Check) -> str:
        """Return what is measured."""
        del check
        return self.words[1]


CHECK = RowsCheck()
