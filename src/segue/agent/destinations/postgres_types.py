"""Arrow's columns as PostgreSQL's, and their values as it copies them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.agent.destinations.plain import LABELS, dump_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

_SLICE = 10_000


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


def write_csv(table: pa.Table) -> Iterator[bytes]:
    """Yield rows as PostgreSQL's COPY reads CSV: an empty field is null, a quoted one a text."""
    import pyarrow as pa
    from pyarrow import csv

    columns = [_prepare(name, table.column(name)) for name in table.column_names]
    plain = pa.Table.from_arrays(columns, names=[str(each) for each in range(len(columns))])
    for begin in range(0, plain.num_rows, _SLICE):
        sink = pa.BufferOutputStream()
        csv.write_csv(plain.slice(begin, _SLICE), sink, csv.WriteOptions(include_header=False))
        yield bytes(sink.getvalue())


def _prepare(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as its CSV has to be."""
    import pyarrow as pa
    import pyarrow.compute as pc

    type_ = column.type
    if name == LABELS and len(column):  # a node's own, the same in every row
        text = dump_value(column[0].as_py(), type_)
        return pa.chunked_array([pa.repeat(pa.scalar(text), len(column))])
    if pa.types.is_dictionary(type_):
        return _prepare(name, column.cast(type_.value_type))
    if pa.types.is_timestamp(type_):
        # PostgreSQL has no nanoseconds, and reads no offset without a colon
        if type_.unit == "ns":
            column = pc.floor_temporal(column, unit="microsecond")
        return column.cast(pa.timestamp("us", "UTC" if type_.tz else None), safe=False)
    if pa.types.is_nested(type_):
        texts = [
            None if value is None else dump_value(value, type_) for value in column.to_pylist()
        ]
    elif pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        texts = [None if value is None else "\\x" + value.hex() for value in column.to_pylist()]
    elif pa.types.is_duration(type_):
        scale = {"s": 10**6, "ms": 10**3, "us": 1, "ns": 1e-3}[type_.unit]
        counts = column.cast(pa.int64()).to_pylist()
        texts = [None if each is None else f"{int(each * scale)} microseconds" for each in counts]
    else:
        return column
    return pa.chunked_array([pa.array(texts, pa.string())])
