"""``max: {max: 100}``: the largest value of a column.

Numbers, dates, times and texts have one. Null is left out, NaN breaks any bounds. There is
none among no values, which is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.metric_bounds import read_bounds
from segue.judge.metric_check import MetricCheck, ordered_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class MaxCheck(MetricCheck):
    """A largest value outside of the bounds breaks it."""

    name = "max"
    folds = True
    reveals = True
    extreme = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read bounds of any kind."""
        return read_bounds(value)

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged; NaN comes after all numbers."""
        del table
        column, type_ = ordered_column(check, types)
        # as the double that is written like it
        wide = "::varchar::double" if type_.kind == "float32" else ""
        return f"max({column}){wide}"


CHECK = MaxCheck()
