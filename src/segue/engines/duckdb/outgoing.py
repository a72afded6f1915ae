"""Rows as they leave DuckDB as Arrow, in the types that segue passes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.duckdb.layout import store_expression
from segue.engines.duckdb.types import (
    needs_cast,
    transport_type,
)
from segue.frames.arrow_types import conform, conform_batch, to_arrow
from segue.spec.sql import quote_identifier
from segue.spec.types import Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Generator

    import duckdb


def write_outgoing(
    query: str, relation: duckdb.DuckDBPyRelation, schema: TableSchema
) -> tuple[str, int]:
    """Return the query with casts that Arrow needs, and how many bytes stand before it.

    Args:
        query: A SELECT.
        relation: The same, bound.
        schema: Its columns.
    """
    columns = [
        store_expression(quote_identifier(column.name), column.type, transport_type(column.type))
        + f" as {quote_identifier(column.name)}"
        if needs_cast(type_)
        else quote_identifier(column.name)
        for column, type_ in zip(schema, relation.types, strict=True)
    ]
    if not any(map(needs_cast, relation.types)):
        return query, 0
    begin = f"select {', '.join(columns)} from (\n"
    return f"{begin}{query}\n)", len(begin.encode())


def arrive_table(table: pa.Table, schema: TableSchema) -> pa.Table:
    """Return what DuckDB gave, in the types of the schema."""
    return _arrive(conform(table, _transport(schema)), schema)


def read_on(
    batches: Generator[pa.RecordBatch, None, None], schema: TableSchema
) -> pa.RecordBatchReader:
    """Return a reader of what DuckDB gives, in the types of the schema.

    Args:
        batches: As they come; they are closed with the reader.
        schema: Columns of the result.
    """
    moved = _transport(schema)

    def arrive() -> Generator[pa.RecordBatch, None, None]:
        try:
            for batch in batches:
                yield _arrive(conform_batch(batch, moved), schema)
        finally:
            batches.close()

    return pa.RecordBatchReader.from_batches(to_arrow(schema), arrive())


def _transport(schema: TableSchema) -> TableSchema:
    return TableSchema(tuple(Column(each.name, transport_type(each.type)) for each in schema))


def _arrive(data: Any, schema: TableSchema) -> Any:
    """Return a table or batch with numbers that stand for durations made durations."""
    target = to_arrow(schema)
    return data if data.schema == target else data.cast(target)
