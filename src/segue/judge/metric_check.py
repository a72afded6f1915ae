"""What the kinds have in common that measure one value and hold it against bounds."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from segue.judge.metric_bounds import (
    has_bounds,
    is_within,
    read_bounds,
    read_share,
    say_bounds,
    say_value,
)
from segue.judge.slices import write_where
from segue.judge.sql_text import plain_column, plain_type, read_decimal, write_literal
from segue.judge.verdict import judge_unmeasured, judge_value, measurement
from segue.spec.contract import Verdict
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Check, Measurement
    from segue.spec.types import DataType

FEW = 5
"""Rows below which a sum or a mean tells too much of a single value."""
_ORDERED = ("date", "time", "timestamp", "string")


class MetricCheck(ABC):
    """A kind that measures one value, which bounds or its own history judge.

    Attributes:
        name: The word in contracts.
        scope: Where it stands.
        row_level: No single row breaks it.
        reveals: Whether what it measures is a value of the column, to be kept out of messages
            if the column is sensitive.
        sums: Whether it sums values up, which hides them unless rows are few.
        folds: Whether its measure is of the rows that `where` names, without a scan of their own.
    """

    name: str
    scope: str = "column"
    row_level: bool = False
    reveals: bool = False
    sums: bool = False
    folds: bool = False

    def read(self, value: Any) -> Mapping[str, Any]:
        """Read bounds, which must be numbers."""
        bounds = read_bounds(value)
        refuse_others(bounds)
        return bounds

    def limited(self, arguments: Mapping[str, Any]) -> bool:
        """Return whether a contract says what to expect; if not, history has to."""
        return has_bounds(arguments)

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return nothing: no single row breaks it."""
        del check, types, table
        return ""

    @abstractmethod
    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate that is judged."""

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Hold what was measured against the bounds."""
        reveals = self.reveals or (self.sums and rows < FEW)
        return judge_metric(check, value, rows, self.describe(check), reveals=reveals)

    def describe(self, check: Check) -> str:
        """Return what is measured, such as ``sum(amount)``."""
        return f"{self.name}({', '.join(check.columns)})"

    def state(self, check: Check) -> str:
        """Return the check as a statement."""
        return f"{self.describe(check)} {say_bounds(check.arguments)}".strip()


def judge_metric(
    check: Check, value: Any, rows: int, what: str, *, reveals: bool = False, found: str = ""
) -> Measurement:
    """Hold a value against the bounds of a check.

    Args:
        check: The check; its arguments hold ``min`` and ``max``.
        value: What was measured; not None.
        rows: Rows that were looked at.
        what: What was measured, in words.
        reveals: Whether the value may be one of a column's own.
        found: What was found, in words, where it is not `what` with the value.
    """
    hidden = reveals and check.sensitive
    if not hidden:
        found = found or f"{what} is {say_value(value)}"
    else:
        found = f"{what} is not shown (sensitive columns)"
    number = None if hidden else read_number(value)
    if not has_bounds(check.arguments) and number is not None:
        return measurement(check, Verdict.PASS, rows, message=found, value=number)
    try:
        kept = is_within(value, check.arguments)
    except ValueError as error:
        return judge_unmeasured(check, rows, str(error))
    expected = say_bounds(check.arguments) or "a number"
    return judge_value(check, number, rows, kept=kept, found=found, expected=expected)


def read_number(value: Any) -> float | None:
    """Return what is kept of a measured value over time; None for what is no finite number.

    Example:
        >>> read_number(Fraction(1, 4)), read_number(float("nan")), read_number("x")
        (0.25, None, None)
    """
    if isinstance(value, bool | int | float | Decimal | Fraction):
        number = float(value)
        return number if math.isfinite(number) else None
    return None


def refuse_others(bounds: Mapping[str, Any]) -> None:
    """Accept bounds that are numbers.

    Raises:
        ValueError: One is not.
    """
    for end in (bounds["min"], bounds["max"]):
        if end is None:
            continue
        if read_share(end) is not None:
            raise ValueError(f"{end!r} is a share, and what is measured is none")
        if read_decimal(end) is None:
            raise ValueError(f"expected a number, found {end!r}")


def number_column(check: Check, types: Mapping[str, DataType]) -> tuple[str, DataType]:
    """Return the SQL of a check's column, null where rows do not count, and its type.

    Raises:
        ValueError: It does not hold numbers.
    """
    name = check.columns[0]
    type_ = types[name]
    if not (type_.is_integer or type_.is_float or type_.kind == "decimal"):
        raise ValueError(f"column {name!r} is {type_}: {check.kind} is of numbers")
    return keep_counting(check, quote_identifier(name)), type_


def keep_counting(check: Check, column: str) -> str:
    """Return a column that is null in rows that do not count, as aggregates leave null out."""
    where = check.slice.where
    return f"(case when {write_where(check.slice)} then {column} end)" if where else column


def ordered_column(check: Check, types: Mapping[str, DataType]) -> tuple[str, DataType]:
    """Return the SQL of a check's column, as `number_column`, and the type of comparisons.

    Raises:
        ValueError: The column's values have no order, or a bound is of another kind.
    """
    name = check.columns[0]
    type_ = plain_type(types[name])
    number = type_.is_integer or type_.is_float or type_.kind == "decimal"
    if not number and type_.kind not in _ORDERED:
        raise ValueError(f"column {name!r} is {type_}: {check.kind} is of values with an order")
    for end in (check.arguments["min"], check.arguments["max"]):
        if end is not None and (not number or read_decimal(end) is None):
            write_literal(end, type_)
    return keep_counting(check, plain_column(name, types[name])), type_


def sum_column(column: str, type_: DataType) -> str:
    """Return the SQL of an exact sum, which does not overflow for any number of int64."""
    return f"sum({column}::decimal(20,0))" if type_.kind.endswith("int64") else f"sum({column})"


def mind_nan(aggregate: str, column: str, type_: DataType) -> str:
    """Return an aggregate that is NaN if a value is; it comes after all numbers."""
    if not type_.is_float:
        return aggregate
    return f"case when isnan(max({column})) then 'nan'::double else {aggregate} end"
