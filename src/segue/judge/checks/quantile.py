"""``quantile: {at: 0.95, max: 10}``: the value below which a share of a column's values lies.

Between two values it is interpolated. `at` lies between 0 and 1 (`95%` is the same as 0.95).
Numbers, dates and timestamps have quantiles. Null is left out, NaN breaks any bounds. There
is none among no values, which is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.metric_bounds import read_bounds, read_share
from segue.judge.metric_check import MetricCheck, mind_nan, ordered_column
from segue.judge.quantile_bounds import Within, decide_quantile, judge_within
from segue.judge.sql_text import read_decimal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from segue.judge.compile import Screen
    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType

_DIGITS = 6
"""Further digits in which a value between two decimals is told."""
_MOST = 38


class QuantileCheck(MetricCheck):
    """A quantile outside of the bounds breaks it."""

    name = "quantile"
    reveals = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``{at: …, min: …, max: …}``."""
        if not isinstance(value, dict) or "at" not in value:
            raise ValueError(f"expected {{at: 0.95, max: …}}, found {value!r}")
        bounds = {key: item for key, item in value.items() if key != "at"}
        return {"at": _read_place(value["at"]), **read_bounds(bounds)}

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged."""
        del table
        return write_quantile(check, types, check.arguments["at"])

    def decide(self, check: Check, types: Mapping[str, DataType]) -> Screen | None:
        """Return the counts that tell whether it is within the bounds."""
        return decide_quantile(check, types[check.columns[0]], check.arguments["at"])

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold the quantile against the bounds, if counts did not tell."""
        if isinstance(value, Within):
            return judge_within(check, rows, self.state(check))
        return super().judge(check, value, rows)

    def describe(self, check: Check) -> str:
        """Return what is measured."""
        return f"quantile({check.columns[0]}, {check.arguments['at']})"


def write_quantile(check: Check, types: Mapping[str, DataType], place: str) -> str:
    """Return the aggregate of a quantile, told to some more digits than decimals have.

    Raises:
        ValueError: There is nothing between the column's values.
    """
    column, type_ = ordered_column(check, types)
    if type_.kind in ("string", "time"):
        name = check.columns[0]
        raise ValueError(f"column {name!r} is {type_}: {check.kind} is of numbers and dates")
    wide = ""
    if type_.kind == "float32":
        wide = "::double"
    elif type_.kind == "decimal":
        precision, scale = (int(part) for part in type_.arguments)
        # the engine interpolates by a double: more digits than one would cost the last ones
        more = min(1 if place == "0.5" else _DIGITS, _MOST - precision)
        wide = f"::decimal({precision + more},{scale + more})"
    return mind_nan(f"quantile_cont({column}{wide}, {place})", column, type_)


def _read_place(value: Any) -> str:
    """Return what share of the values lies below, as SQL writes it."""
    share = read_share(value)
    place: Decimal | None = read_decimal(value) if isinstance(value, int | float | str) else None
    if share is not None:
        place = read_decimal(value.rstrip().removesuffix("%").strip())
        place = None if place is None else place / 100
    if place is None or not 0 <= place <= 1:
        raise ValueError(f"expected a number between 0 and 1 as `at`, found {value!r}")
    return format(place, "f")


CHECK = QuantileCheck()
