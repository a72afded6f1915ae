"""``median: [10, 20]``: the value in the middle, or halfway between the two in the middle.

It is ``quantile`` at 0.5: numbers, dates and timestamps have one. Null is left out, NaN breaks
any bounds. There is none among no values, which is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.checks.quantile import QuantileCheck
from segue.judge.metric_bounds import read_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check


class MedianCheck(QuantileCheck):
    """A median outside of the bounds breaks it."""

    name = "median"

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read bounds of any kind."""
        return {"at": "0.5", **read_bounds(value)}

    def describe(self, check: Check) -> str:
        """Return what is measured."""
        return f"median({check.columns[0]})"


CHECK = MedianCheck()
