"""Arrow's columns as PostgreSQL's, and their values as its driver takes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from segue.agent.destinations.plain import plain_value

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa


def sql_type(type_: pa.DataType) -> str:
    """Return the type of a column that holds all values of an Arrow type.

    Example:
        >>> import pyarrow as pa
        >>> [
        ...     sql_type(each)
        ...     for each in (pa.uint32(), pa.timestamp("us", "UTC"), pa.list_(pa.int8()))
        ... ]
        ['bigint', 'timestamp with time zone', 'jsonb']
    """
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(type_):
        return sql_type(type_.value_type)
    if types.is_timestamp(type_):
        return "timestamp with time zone" if type_.tz else "timestamp"
    if types.is_decimal(type_):
        return f"numeric({type_.precision},{type_.scale})"
    named: list[tuple[Callable[[pa.DataType], bool], str]] = [
        (types.is_boolean, "boolean"),
        (lambda each: each in (pa.int8(), pa.int16(), pa.uint8()), "smallint"),
        (lambda each: each in (pa.int32(), pa.uint16()), "integer"),
        (lambda each: each in (pa.int64(), pa.uint32()), "bigint"),
        (types.is_uint64, "numeric(20,0)"),
        (types.is_float32, "real"),
        (types.is_floating, "double precision"),
        (lambda each: types.is_binary(each) or types.is_large_binary(each), "bytea"),
        (types.is_date, "date"),
        (types.is_time, "time"),
        (types.is_duration, "interval"),
        (types.is_nested, "jsonb"),
    ]
    return next((sql for test, sql in named if test(type_)), "text")


def list_columns(table: pa.Table) -> list[list[Any]]:
    """Return the values of each column, as the driver takes them."""
    return [_list_values(column) for column in table.columns]


def _list_values(column: pa.ChunkedArray) -> list[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    type_ = column.type
    if pa.types.is_timestamp(type_) and type_.unit == "ns":
        column = pc.floor_temporal(column, unit="microsecond").cast(pa.timestamp("us", type_.tz))
    if pa.types.is_nested(type_):
        values = column.to_pylist()
        return [None if each is None else json.dumps(plain_value(each, type_)) for each in values]
    return list(column.to_pylist())
