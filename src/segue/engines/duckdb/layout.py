"""Expressions between logical types and the types in which Parquet files hold them.

Durations and times lie in files as integers that count the type's own unit, as do
timestamps of nanoseconds; the rest is a plain cast. Nested types are rebuilt part by part
only where a part needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.engines.duckdb.types import (
    sql_type,
)
from segue.spec.sql import quote_identifier
from segue.spec.types import DataType

if TYPE_CHECKING:
    from collections.abc import Callable

_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}


def cast_expression(expression: str, found: DataType, logical: DataType) -> str:
    """Return the SQL that casts a value, and fails where part of it would be lost.

    Args:
        expression: SQL of the value.
        found: Its type.
        logical: The type that it is to have.

    Example:
        >>> cast_expression("x", DataType("int32"), DataType("int64"))
        'x::bigint'
    """
    cast = f"{expression}::{sql_type(logical)}"
    if found == logical or not _may_lose(found, logical):
        return cast
    return (
        f"case when {expression} is null or {cast}::{sql_type(found)} = {expression} then {cast} "
        f"else error({expression}::varchar || ' can''t be {logical} without a loss') end"
    )


def _may_lose(found: DataType, logical: DataType) -> bool:
    """Return whether DuckDB casts by rounding or by cutting off."""
    if found.is_float or found.kind == "decimal":
        return logical.is_integer or (found.kind == logical.kind == "decimal")
    return found.kind == "timestamp" and (
        logical.kind in ("date", "time")
        or (found.arguments[0] == "ns" and logical.kind == "timestamp")
    )


def store_expression(expression: str, logical: DataType, stored: DataType) -> str:
    """Return the SQL that turns a value of a logical type into what is stored.

    Args:
        expression: SQL of the value, of any type that casts to the logical one.
        logical: The logical type.
        stored: What `Lake.storage_type` says of it.

    Example:
        >>> from segue.spec.types import parse_type
        >>> store_expression("t", parse_type("time"), parse_type("int64"))
        'epoch_us(t::time)'
    """
    if logical == stored:
        return f"{expression}::{sql_type(logical)}"
    if stored.is_integer and logical.kind == "duration":
        return _count_duration(expression, str(logical.arguments[0]))
    if stored.is_integer and logical.kind == "time":
        return f"epoch_us({expression}::time)"
    if stored.is_integer and logical.kind == "timestamp":
        unit = str(logical.arguments[0])
        return f"epoch_{unit}({expression}::{sql_type(logical)})"
    if logical.fields and logical.kind == stored.kind:
        parts = [part for _, part in stored.fields]
        return _rebuild(
            f"({expression})",
            logical,
            lambda inner, position: store_expression(
                inner, logical.fields[position][1], parts[position]
            ),
        )
    return f"{expression}::{sql_type(stored)}"


def restore_expression(expression: str, logical: DataType, found: Any) -> str:
    """Return the SQL that turns what a file holds back into a value of a logical type.

    Args:
        expression: SQL of the stored value.
        logical: The logical type.
        found: DuckDB's type of the stored value.
    """
    counted = found.id == "bigint"
    if counted and logical.kind == "duration":
        return _make_duration(expression, str(logical.arguments[0]))
    if counted and logical.kind == "time":
        return f"(time '00:00:00' + to_microseconds({expression}))"
    if counted and logical.kind == "timestamp":
        return f"make_timestamp_ns({expression})"
    if found.id in ("list", "struct", "map") and has_special(logical):
        parts = [part for _, part in found.children]
        return _rebuild(
            expression,
            logical,
            lambda inner, position: restore_expression(
                inner, logical.fields[position][1], parts[position]
            ),
        )
    if logical.kind == "null":
        return "null"
    return f"{expression}::{sql_type(logical)}"


def has_special(type_: DataType) -> bool:
    """Return whether a type may lie in files as something that a cast does not undo."""
    if type_.kind in ("duration", "time", "null"):
        return True
    if type_.kind == "timestamp" and type_.arguments == ("ns",):
        return True
    return any(has_special(part) for _, part in type_.fields)


def _count_duration(expression: str, unit: str) -> str:
    interval = f"({expression}::interval)"
    count = f"epoch_us({interval})"
    if unit == "ns":
        count = f"{count} * 1000"
    elif unit != "us":
        size = _MICROSECONDS[unit]
        count = (
            f"case when {count} % {size} <> 0 "
            f"then error('a duration is finer than its unit, {unit}') else {count} // {size} end"
        )
    return f"{refuse_months(interval)} {count} end"


def refuse_months(interval: str) -> str:
    """Return the beginning of a CASE that fails for intervals without a fixed length."""
    return (
        f"case when datepart('month', {interval}) <> 0 or datepart('year', {interval}) <> 0 "
        f"then error('an interval of months or years has no fixed length: ' || {interval}) else"
    )


def _make_duration(expression: str, unit: str) -> str:
    if unit != "ns":
        return f"to_microseconds({expression} * {_MICROSECONDS[unit]})"
    return (
        f"case when {expression} % 1000 = 0 then to_microseconds({expression} // 1000) "
        "else error('SQL can''t see a duration of nanoseconds') end"
    )


def _rebuild(expression: str, type_: DataType, convert: Callable[[str, int], str]) -> str:
    """Return the SQL that takes a nested value apart and converts its parts."""
    # the depth keeps the names of nested lambdas apart
    item = f"e{expression.count('(')}"
    if type_.kind == "list":
        return f"list_transform({expression}, lambda {item}: {convert(item, 0)})"
    if type_.kind == "map":
        key, value = convert(f"{item}.key", 0), convert(f"{item}.value", 1)
        entry = f"{{'key': {key}, 'value': {value}}}"
        return (
            f"map_from_entries(list_transform(map_entries({expression}), lambda {item}: {entry}))"
        )
    parts = ", ".join(
        f"{quote_identifier(name)} := {convert(f'{expression}.{quote_identifier(name)}', position)}"
        for position, (name, _) in enumerate(type_.fields)
    )
    return f"case when {expression} is null then null else struct_pack({parts}) end"
