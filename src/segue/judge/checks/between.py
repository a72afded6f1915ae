"""``between: [0, 100]``: values lie within bounds that count as inside; ``~`` is no bound.

Null passes; NaN fails whatever the bounds. Bounds are numbers, dates, times or texts; a
number as text (``"0.10"``) is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.judge.row_check import RowCheck, read_long
from segue.judge.sql_text import (
    Plain,
    plain_column,
    plain_type,
    read_decimal,
    read_scalar,
    write_bound,
)
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from segue.spec.contract import Check
    from segue.spec.types import DataType

_PAIR = 2


class BetweenCheck(RowCheck):
    """Rows whose value is outside the bounds break it."""

    name = "between"
    convex = True

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read ``[min, max]`` or ``{min: …, max: …}``."""
        if not isinstance(value, dict):
            if not isinstance(value, list | tuple) or len(value) != _PAIR:
                raise ValueError(f"expected [min, max], with ~ for no bound, found {value!r}")
            value = dict(zip(("min", "max"), value, strict=True))
        value = read_long(value, ("min", "max"), "min")
        low, high = (_read_end(value.get(end)) for end in ("min", "max"))
        if low is None and high is None:
            raise ValueError("expected at least one bound")
        if low is not None and high is not None:
            _compare_ends(low, high)
        return {"min": low, "max": high}

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the predicate of failing rows."""
        del table
        name = check.columns[0]
        type_ = plain_type(types[name])
        column = plain_column(name, types[name])
        outside = [f"isnan({column})"] if type_.is_float else []
        for end, sign in (("min", "<"), ("max", ">")):
            if check.arguments[end] is None:
                continue
            bound = write_bound(check.arguments[end], type_, lower=end == "min")
            if bound is False:
                outside.append("true")
            elif bound is not True:
                outside.append(f"{column} {sign} {bound}")
        return f"({quote_identifier(name)} is not null and ({' or '.join(outside) or 'false'}))"

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        low, high = check.arguments["min"], check.arguments["max"]
        if low is None:
            return f"{check.columns[0]} at most {high}"
        if high is None:
            return f"{check.columns[0]} at least {low}"
        return f"{check.columns[0]} between {low} and {high}"


def _read_end(value: Any) -> Plain | None:
    if value is None:
        return None
    end = read_scalar(value)
    if isinstance(end, bool) or end != end:  # noqa: PLR0124 - NaN
        raise ValueError(f"{value!r} is no bound")
    return end


def _compare_ends(low: Plain, high: Plain) -> None:
    first, last = _read_number(low), _read_number(high)
    numbers_in_order = first is not None and last is not None and first <= last
    if isinstance(low, str) and isinstance(high, str):
        # Texts may be meant as numbers or as words: only what is wrong both ways is wrong.
        nonsense = high < low and not numbers_in_order
    elif first is None or last is None:
        raise ValueError(f"the bounds {low!r} and {high!r} are of different kinds")
    else:
        nonsense = not numbers_in_order
    if nonsense:
        raise ValueError(f"nothing is between {low} and {high}: the smaller bound comes first")


def _read_number(end: Plain) -> Decimal | None:
    number = read_decimal(end)
    return None if number is None or number.is_nan() else number


CHECK = BetweenCheck()
