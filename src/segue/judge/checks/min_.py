"""``min: {min: 0}``: the smallest value of a column.

Numbers, dates, times and texts have one. Null is left out, NaN breaks any bounds. There is
none among no values, which is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.metric_bounds import read_bounds
from segue.judge.metric_check import MetricCheck, mind_nan, ordered_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class MinCheck(MetricCheck):
    """A smallest value outside of the bounds breaks it."""

    name = "min"
    folds = True
    reveals = True
    extreme = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read bounds of any kind."""
        return read_bounds(value)

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged."""
        del table
        column, type_ = ordered_column(check, types)
        # as the double that is written like it
        wide = "::varchar::double" if type_.kind == "float32" else ""
        return mind_nan(f"min({column}){wide}", column, type_)


CHECK = MinCheck()
