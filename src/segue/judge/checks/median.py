"""``median: [10, 20]``: the value in the middle, or halfway between the two in the middle.

It is ``quantile`` at 0.5: numbers, dates and timestamps have one. Null is left out, NaN breaks
any bounds. There is none among no values, which is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.checks.quantile import write_quantile
from segue.judge.metric_bounds import read_bounds
from segue.judge.metric_check import MetricCheck

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check
    from segue.spec.types import DataType


class MedianCheck(MetricCheck):
    """A median outside of the bounds breaks it."""

    name = "median"
    reveals = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read bounds of any kind."""
        return read_bounds(value)

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged."""
        del table
        return write_quantile(check, types, "0.5")


CHECK = MedianCheck()
