"""``sum: {min: 0, max: 1000000}``: the sum of a column's numbers.

Null is left out, NaN breaks any bounds, and sums of integers and decimals are exact however
large they are. The sum of no values is not defined, which is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.judge.metric_check import MetricCheck, number_column, sum_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class SumCheck(MetricCheck):
    """A sum outside of the bounds breaks it."""

    name = "sum"
    folds = True
    sums = True

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged."""
        del table
        return sum_column(*number_column(check, types))


CHECK = SumCheck()
