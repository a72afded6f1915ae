"""What the kinds have in common that measure the smallest or the largest value of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.metric_bounds import read_bounds
from segue.judge.metric_check import MetricCheck, ordered_column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class ExtremeCheck(MetricCheck):
    """A kind whose aggregate is called as it is."""

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
        return self.mind(f"{self.name}({column}){wide}", column, type_)

    def mind(self, aggregate: str, column: str, type_: DataType) -> str:
        """Return the aggregate with what it leaves out otherwise; NaN comes after all numbers."""
        del column, type_
        return aggregate
