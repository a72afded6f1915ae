"""``mean: [10, 20]``: the mean of a column's numbers.

Null is left out, NaN breaks any bounds, and means of integers and decimals are exact. The
mean of no values is not defined, which is an error.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segue.judge.metric_check import MetricCheck, number_column, sum_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class MeanCheck(MetricCheck):
    """A mean outside of the bounds breaks it."""

    name = "mean"
    folds = True
    sums = True

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged: the sum and the count, where they are exact."""
        del table
        column, type_ = number_column(check, types)
        if type_.is_float:
            return f"avg({column})"
        return f"{sum_column(column, type_)}::varchar || '/' || count({column})::varchar"

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the mean against the bounds."""
        if isinstance(value, str):
            total, _, count = value.partition("/")
            value = Fraction(total) / int(count)
        return super().judge(check, value, rows)


CHECK = MeanCheck()
