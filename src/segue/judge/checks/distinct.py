"""``distinct: {max: 50}``: how many different values a column has.

Null is left out; NaN is one value. For a share of the values, say
``{metric: count(distinct x) / count(x), min: 0.9}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.metric_check import MetricCheck, judge_metric, keep_counting
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class DistinctCheck(MetricCheck):
    """Too few or too many different values break it."""

    name = "distinct"
    folds = True

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged."""
        del types, table
        return f"count(distinct {keep_counting(check, quote_identifier(check.columns[0]))})"

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the number of different values against the bounds."""
        found = f"{check.columns[0]} has {value:,} different value{'' if value == 1 else 's'}"
        return judge_metric(check, value, rows, self.describe(check), found=found)


CHECK = DistinctCheck()
