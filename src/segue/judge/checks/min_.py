"""``min: {min: 0}``: the smallest value of a column.

Numbers, dates, times and texts have one. Null is left out, NaN breaks any bounds. There is
none among no values, which is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.judge.extreme_check import ExtremeCheck
from segue.judge.metric_check import mind_nan

if TYPE_CHECKING:
    from segue.spec.types import DataType


class MinCheck(ExtremeCheck):
    """A smallest value outside of the bounds breaks it."""

    name = "min"

    def mind(self, aggregate: str, column: str, type_: DataType) -> str:
        """Return the aggregate, or NaN if there is one."""
        return mind_nan(aggregate, column, type_)


CHECK = MinCheck()
