"""``stddev: {max: 5}``: the standard deviation of a column's numbers, as of a sample.

The sum of squares is divided by one less than the number of values. Null is left out, NaN
breaks any bounds. It is not defined for fewer than two values, which is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.judge.metric_check import MetricCheck, number_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class StddevCheck(MetricCheck):
    """A standard deviation outside of the bounds breaks it."""

    name = "stddev"
    folds = True
    sums = True

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged."""
        del table
        column, type_ = number_column(check, types)
        return f"stddev_samp({column if type_.is_float else f'{column}::double'})"


CHECK = StddevCheck()
