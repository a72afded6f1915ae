"""Values as SQL text, in the types of the columns that they are compared with.

Checks compare exactly: a bound is written in the type of its column, so that no value
passes through a floating-point number on the way.
"""

from __future__ import annotations

import math
from datetime import date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from segue.spec.sql import quote_identifier, quote_text

if TYPE_CHECKING:
    from segue.spec.types import DataType

Plain = bool | int | float | str
"""A value as a contract holds it; dates and times are ISO text."""

_MOST_DIGITS = 80
"""More than any type has: rounding a larger number does not change that it is out of range."""
_EXACT = Context(prec=200)
_DAY = len("2026-01-31")


def read_scalar(value: Any) -> Plain:
    """Return a YAML scalar as a plain value: dates and times become ISO text.

    Raises:
        ValueError: It is a list, a mapping, a null or another thing without an order.

    Example:
        >>> read_scalar(date(2026, 1, 31))
        '2026-01-31'
    """
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise ValueError(f"expected a number, a text, a date or a time, found {value!r}")


def read_decimal(value: Plain) -> Decimal | None:
    """Return a number, or a text that writes one, exactly; None for anything else.

    Example:
        >>> read_decimal("100000000000000000.01")
        Decimal('100000000000000000.01')
        >>> read_decimal("1_000") is None
        True
    """
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def text_column(name: str, type_: DataType) -> str:
    """Return SQL for a column of strings; categories are compared as the texts they stand for.

    Raises:
        ValueError: The column holds something else.
    """
    if plain_type(type_).kind != "string":
        raise ValueError(f"column {name!r} is {type_}, not a string")
    # engines have types of their own that segue knows as strings, such as UUID
    return f"{quote_identifier(name)}::varchar"


def plain_column(name: str, type_: DataType) -> str:
    """Return SQL for a column that is compared with literals of `plain_type`."""
    quoted = quote_identifier(name)
    return f"{quoted}::varchar" if type_.kind == "categorical" else quoted


def plain_type(type_: DataType) -> DataType:
    """Return the type that values are compared in: a category's own type, else the same."""
    return type_.fields[0][1] if type_.kind == "categorical" else type_


def write_literal(value: Plain, type_: DataType) -> str | None:
    """Return a value as a literal of a column's type, exactly.

    Returns:
        None if no value of the type can equal it, such as 0.5 beside integers.

    Raises:
        ValueError: The value is of another kind than the column.
    """
    if type_.is_integer or type_.kind == "decimal":
        number = _expect_number(value, type_)
        exact = number.is_finite() and fits(number, type_)
        return format(number, "f") if exact and number == _round(number, type_) else None
    if type_.is_float:
        return _write_float(_expect_number(value, type_), type_)
    if type_.kind == "bool":
        if not isinstance(value, bool):
            raise ValueError(_mismatch(value, type_, "true or false"))
        return "true" if value else "false"
    return _write_text(value, type_)


def write_bound(value: Plain, type_: DataType, *, lower: bool) -> str | bool:
    """Return a bound as a literal of a column's type, rounded inward where the type is coarser.

    Returns:
        The literal; or True if every value of the type is within the bound, False if none is.

    Raises:
        ValueError: The value is of another kind than the column, or the type has no order.
    """
    if type_.kind == "bool":
        raise ValueError("a column of true and false has no bounds")
    if not (type_.is_integer or type_.kind == "decimal"):
        literal = write_literal(value, type_)
        if literal is None or literal.startswith("'nan'"):
            raise ValueError(f"{value!r} is no bound")
        return literal
    number = _expect_number(value, type_)
    if number.is_infinite():
        return (number < 0) == lower
    rounded = _round(number, type_, ROUND_CEILING if lower else ROUND_FLOOR)
    if not fits(rounded, type_):
        return (rounded < 0) == lower
    return format(rounded, "f")


def fits(number: Decimal, type_: DataType) -> bool:
    """Return whether a number lies in the range of an integer or decimal type.

    Example:
        >>> from segue.spec.types import parse_type
        >>> fits(Decimal(255), parse_type("uint8")), fits(Decimal(255), parse_type("int8"))
        (True, False)
    """
    if type_.kind == "decimal":
        precision, scale = (int(part) for part in type_.arguments)
        return bool(number.copy_abs() < Decimal(10) ** (precision - scale))
    unsigned = type_.kind.startswith("u")
    bits = int(type_.kind.removeprefix("u").removeprefix("int"))
    low, high = (0, (1 << bits) - 1) if unsigned else (-(1 << bits - 1), (1 << bits - 1) - 1)
    return low <= int(number) <= high


def _round(number: Decimal, type_: DataType, rounding: str = ROUND_FLOOR) -> Decimal:
    scale = int(type_.arguments[1]) if type_.kind == "decimal" else 0
    if number.is_zero() or number.adjusted() > _MOST_DIGITS:
        return number
    return number.quantize(Decimal(1).scaleb(-scale), rounding=rounding, context=_EXACT)


def _expect_number(value: Plain, type_: DataType) -> Decimal:
    number = read_decimal(value)
    if number is None or (number.is_nan() and not type_.is_float):
        raise ValueError(_mismatch(value, type_, "a number"))
    return number


def _write_float(number: Decimal, type_: DataType) -> str:
    target = "float" if type_.kind == "float32" else "double"
    value = float(number)
    text = "nan" if math.isnan(value) else repr(value)
    return f"'{text}'::{target}"


def _write_text(value: Plain, type_: DataType) -> str:
    text = value if isinstance(value, str) else None
    if text is None:
        quote = ": put it in quotes" if type_.kind == "string" else ""
        raise ValueError(_mismatch(value, type_, f"a {type_.kind}") + quote)
    if type_.kind == "string":
        return quote_text(text)
    if type_.kind == "time":
        _parse(time, text, type_)
        return f"time {quote_text(text)}"
    if type_.kind in ("date", "timestamp"):
        return _write_moment(text, type_)
    raise ValueError(f"values of type {type_} can't be compared with what a contract can write")


def _write_moment(value: str, type_: DataType) -> str:
    moment: datetime = _parse(datetime, value, type_)
    zoned = type_.kind == "timestamp" and len(type_.arguments) > 1
    if zoned:
        # without a zone the engine would take its own, which differs between machines
        midnight = " 00:00:00" if len(value.strip()) <= _DAY else ""
        text = value if moment.tzinfo else f"{value.rstrip()}{midnight}+00"
        return f"timestamptz {quote_text(text.replace('Z', '+00'))}"
    if moment.tzinfo:
        raise ValueError(f"{value!r} has a time zone and the column, {type_}, has none")
    if type_.kind == "date" and len(value.strip()) <= _DAY:
        return f"date {quote_text(moment.date().isoformat())}"
    kind = "timestamp_ns" if type_.arguments[:1] == ("ns",) else "timestamp"
    return f"{quote_text(value.strip())}::{kind}"


def _parse(kind: Any, value: str, type_: DataType) -> Any:
    try:
        return kind.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(_mismatch(value, type_, f"a {type_.kind} such as 2026-01-31")) from None


def _mismatch(value: Plain, type_: DataType, expected: str) -> str:
    return f"{value!r} is not {expected}, and the column is {type_}"
