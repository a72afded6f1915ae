"""``rows: {min: 1, max: 1000}``: how many rows the table has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import read_long
from segue.judge.verdict import judge_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType


class RowsCheck:
    """A table with too few or too many rows breaks it."""

    name = "rows"
    scope = "table"
    row_level = False

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{min: …, max: …}``, or one number for exactly so many."""
        if isinstance(value, int) and not isinstance(value, bool):
            value = {"min": value, "max": value}
        if not isinstance(value, dict) or not value:
            raise ValueError(f"expected {{min: …, max: …}}, found {value!r}")
        value = read_long(value, ("min", "max"), "min")
        low, high = value.get("min"), value.get("max")
        for end in (low, high):
            if end is not None and (isinstance(end, bool) or not isinstance(end, int) or end < 0):
                raise ValueError(f"expected a number of rows, found {end!r}")
        if low is None and high is None:
            raise ValueError("expected min, max or both")
        if low is not None and high is not None and high < low:
            raise ValueError(f"no table has at least {low} and at most {high} rows")
        return {"min": low, "max": high}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: no single row breaks it."""
        del check, types, table
        return ""

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that counts rows."""
        del check, types, table
        return "count(*)"

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the number of rows against the bounds."""
        low, high = check.arguments["min"], check.arguments["max"]
        kept = (low is None or value >= low) and (high is None or value <= high)
        if low == high:
            expected = f"exactly {low:,}"
        else:
            ends = (("at least", low), ("at most", high))
            expected = " and ".join(f"{word} {end:,}" for word, end in ends if end is not None)
        return judge_value(
            check, value, rows, kept=kept, found=f"{value:,} rows", expected=expected
        )


CHECK = RowsCheck()
