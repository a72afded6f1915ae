"""Rows of PostgreSQL as Arrow, and small Arrow tables as rows of PostgreSQL."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.postgres.catalog import Bound
from segue.engines.postgres.types import sql_type
from segue.errors import SqlError, UnsupportedError
from segue.frames.arrow_types import conform, from_arrow, to_arrow
from segue.spec.sql import quote_identifier, quote_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.types import DataType, TableSchema

MOST_BYTES = 8 << 20
"""Bytes of an Arrow table up to which it travels in a query."""


def make_batch(rows: Sequence[Sequence[Any]], schema: TableSchema) -> pa.RecordBatch:
    """Return rows as an Arrow batch.

    Raises:
        SqlError: A value does not fit into its column's type.
    """
    arrow = to_arrow(schema)
    arrays = []
    for place, column in enumerate(schema):
        values = [row[place] for row in rows]
        try:
            arrays.append(_make_array(values, column.type, arrow.field(place).type))
        except (pa.ArrowException, TypeError, ValueError, ArithmeticError) as error:
            message = f"a value of {column.name!r} does not fit into {column.type}: {error}"
            raise SqlError(message, engine="postgres") from None
    if not arrays:
        return pa.record_batch([], schema=arrow)
    return pa.record_batch(arrays, schema=arrow)


def _make_array(values: list[Any], type_: DataType, arrow: pa.DataType) -> pa.Array:
    if type_.kind == "decimal":
        quantum = Decimal(1).scaleb(-int(type_.arguments[1]))
        values = [None if each is None else _fit(each, quantum) for each in values]
    if type_.kind == "categorical":
        return pa.array(values, arrow.value_type).dictionary_encode().cast(arrow)
    return pa.array(values, arrow)


def _fit(value: Decimal, quantum: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError(f"{value} is no number")
    return (
        value if value.as_tuple().exponent == quantum.as_tuple().exponent else value + 0 * quantum
    )


def bind_rows(name: str, table: pa.Table) -> Bound:
    """Return a small Arrow table as rows that travel in the queries themselves.

    Raises:
        UnsupportedError: It is large, or has a type that PostgreSQL lacks.
    """
    schema = from_arrow(table.schema)
    if table.nbytes > MOST_BYTES:
        raise UnsupportedError(
            f"{name!r} has {table.nbytes:,} bytes, too many to take to PostgreSQL in each query",
            hint="put it into the database, or read the database's tables on this machine",
        )
    plain = conform(table, schema)
    texts, names, columns = [], [], []
    for place, column in enumerate(schema):
        target = sql_type(column.type)
        if column.type.fields and column.type.kind != "categorical":
            raise UnsupportedError(
                f"column {column.name!r} of {name!r} is {column.type}: it can't be taken along",
                hint="leave it out, or make it text",
            )
        values = plain.column(place).to_pylist()
        listed = ",".join(_write_item(each) for each in values)
        texts.append(f"{quote_text('{' + listed + '}')}::{target}[]")
        names.append(f"c{place}")
        collated = ' collate "C"' if target == "text" else ""
        columns.append(f"c{place}{collated} as {quote_identifier(column.name)}")
    if not texts:
        return Bound(f"select from generate_series(1, {plain.num_rows})", schema)
    rows = f"unnest({', '.join(texts)}) as given({', '.join(names)})"
    return Bound(f"select {', '.join(columns)} from {rows}", schema)


def _write_item(value: Any) -> str:
    r"""Return a value as a text of an array has it.

    Example:
        >>> [_write_item(each) for each in (None, True, float("nan"), 'a "b"')]
        ['NULL', '"true"', '"NaN"', '"a \\"b\\""']
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, float):
        text = "NaN" if math.isnan(value) else repr(value).replace("inf", "Infinity")
    elif isinstance(value, bytes):
        text = f"\\x{value.hex()}"
    else:
        text = str(value)
        if "\0" in text:
            raise UnsupportedError("PostgreSQL's texts hold no zero bytes")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
