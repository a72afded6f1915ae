"""``max: {max: 100}``: the largest value of a column.

Numbers, dates, times and texts have one. Null is left out, NaN breaks any bounds. There is
none among no values, which is an error.
"""

from __future__ import annotations

from segue.judge.extreme_check import ExtremeCheck


class MaxCheck(ExtremeCheck):
    """A largest value outside of the bounds breaks it."""

    name = "max"


CHECK = MaxCheck()
