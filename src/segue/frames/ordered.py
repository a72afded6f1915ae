"""Rows in the order of their keys, however many there are: a local session sorts and spills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from segue.frames.arrow_types import conform_batch, to_arrow, to_arrow_type
from segue.spec.layout import INPUT, key_name, order_terms, row_name
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier as quote
from segue.spec.types import DataType, TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from segue.protocols import LocalSession
    from segue.spec.layout import Layout


@dataclass(frozen=True, slots=True)
class Feed:
    """An input as a local session has it.

    Attributes:
        name: Name of it that is bound there.
        schema: Its columns and types as a function is to get them.
        columns: Names of the columns there, in the order of the schema.
        where: SQL of a condition that its rows have to meet, if any.
    """

    name: str
    schema: TableSchema
    columns: tuple[str, ...]
    where: str = ""

    @property
    def origin(self) -> str:
        """What stands after FROM."""
        return quote(self.name) + (f" where {self.where}" if self.where else "")


def stage_tables(tables: Iterable[pa.Table], schema: TableSchema, path: Path) -> Scan:
    """Put tables aside in a file, one after the other, for `feed_staged`.

    Its columns are called ``c0``, ``c1``, ...: SQL can't tell all names apart.

    Args:
        tables: Tables with the schema's columns and types.
        schema: Columns and types.
        path: File to write.
    """
    types = [_plain_type(to_arrow_type(column.type)) for column in schema]
    plain = pa.schema(zip(_plain_names(schema), types, strict=True))
    odd = any(_is_odd(part) for column in schema for _, part in column.type.fields)
    return _write_file((_write_plain(table, plain) for table in tables), plain, path, odd=odd)


def stage_for_sql(tables: Iterable[pa.Table], schema: TableSchema, path: Path) -> Scan:
    """Put tables aside in a file, one after the other, that SQL reads as it does a table.

    Args:
        tables: Tables with the schema's columns and types.
        schema: Columns and types.
        path: File to write.
    """
    odd = any(_is_odd(column.type) or column.type.kind == "categorical" for column in schema)
    return _write_file(tables, to_arrow(schema), path, odd=odd)


def _write_file(tables: Iterable[pa.Table], schema: pa.Schema, path: Path, *, odd: bool) -> Scan:
    """Write a Parquet file, or one of Arrow's where types would not come back from Parquet."""
    if odd:
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
            for table in tables:
                writer.write_table(table)
        return Scan("arrow", (str(path),))
    with pq.ParquetWriter(path, schema, compression="lz4", write_statistics=False) as file:
        for table in tables:
            file.write_table(table)
    return Scan("parquet", (str(path),))


def feed_staged(session: LocalSession, name: str, scan: Scan, schema: TableSchema) -> Feed:
    """Bind a file that `stage_tables` wrote, and return it as an input."""
    session.bind(name, scan)
    return Feed(name, schema, _plain_names(schema))


def stream_ordered(
    session: LocalSession, feeds: Sequence[Feed], layout: Layout
) -> Iterator[pa.RecordBatch]:
    """Return the rows of one input, or of several as a tagged stream, as `Work` takes them.

    Args:
        session: What sorts them, and puts aside what its memory does not hold.
        feeds: The inputs, each with one column at least.
        layout: Keys and order.
    """
    if len(feeds) == 1:
        (feed,) = feeds
        names = dict(zip(feed.schema.names, feed.columns, strict=True))
        terms = [quote(names[key]) for key in layout.keys]
        terms += _sort_terms(feed, layout, feed.columns)
        for batch in session.stream(_select(feed, feed.columns) + _order(terms)):
            yield _restore(batch, feed.schema)
        return
    for batch in session.stream(_select_tagged(feeds, layout)):
        yield _tag(batch, feeds, layout)


def _select(feed: Feed, columns: Iterable[str]) -> str:
    listed = ", ".join(f"{quote(name)} as c{at}" for at, name in enumerate(columns))
    return f"select {listed} from {feed.origin}"


def _order(terms: Sequence[str]) -> str:
    return f" order by {', '.join(terms)}" if terms else ""


def _sort_terms(feed: Feed, layout: Layout, columns: Sequence[str]) -> list[str]:
    """Return the terms that order an input, with its columns' names in the query."""
    names = dict(zip(feed.schema.names, columns, strict=True))
    terms = layout.order_of(feed.schema)
    signs = ["-" if term.startswith("-") else "" for term in terms]
    plain = [names[term.removeprefix("-")] for term in terms]
    return order_terms([sign + name for sign, name in zip(signs, plain, strict=True)])


def _select_tagged(feeds: Sequence[Feed], layout: Layout) -> str:
    """Return the SELECT of all inputs' rows, each input in columns of its own."""
    selects = []
    for number, feed in enumerate(feeds):
        where_of = dict(zip(feed.schema.names, feed.columns, strict=True))
        keys = [f"{quote(where_of[key])} as k{at}" for at, key in enumerate(layout.keys)]
        cells = [
            f"{quote(name) if other == number else 'null'} as {cell}"
            for other, each in enumerate(feeds)
            for name, cell in zip(each.columns, _cells(each, other), strict=True)
        ]
        listed = ", ".join([*keys, f"{number}::integer as input", *cells])
        selects.append(f"select {listed} from {feed.origin}")
    terms = [f"k{at}" for at in range(len(layout.keys))] + ["input"]
    for number, feed in enumerate(feeds):
        terms += _sort_terms(feed, layout, _cells(feed, number))
    return f"select * from ({' union all '.join(selects)})" + _order(terms)


def _cells(feed: Feed, number: int) -> list[str]:
    return [f"r{number}_{at}" for at in range(len(feed.columns))]


def _tag(batch: pa.RecordBatch, feeds: Sequence[Feed], layout: Layout) -> pa.RecordBatch:
    """Return a batch of all inputs' columns as a batch of a tagged stream."""
    names = [key_name(at) for at in range(len(layout.by))]
    keys = batch.select(range(len(names)))
    arrays = _restore(keys, TableSchema(layout.by)).columns if names else []
    inputs = batch.column(len(names))
    begin = len(names) + 1
    for number, feed in enumerate(feeds):
        end = begin + len(feed.columns)
        rows = _restore(batch.select(range(begin, end)), feed.schema)
        elsewhere = pc.not_equal(inputs, number)
        fields = list(to_arrow(feed.schema))
        arrays.append(pa.StructArray.from_arrays(rows.columns, fields=fields, mask=elsewhere))
        begin = end
    rows_of = [row_name(number) for number in range(len(feeds))]
    ordered = [*arrays[: len(names)], inputs, *arrays[len(names) :]]
    return pa.RecordBatch.from_arrays(ordered, [*names, INPUT, *rows_of])


def _restore(batch: pa.RecordBatch, schema: TableSchema) -> pa.RecordBatch:
    """Return a batch, whose columns stand in the schema's order, with its names and types."""
    arrays = [
        _restore_array(array, column.type)
        for array, column in zip(batch.columns, schema, strict=True)
    ]
    return conform_batch(pa.RecordBatch.from_arrays(arrays, list(schema.names)), schema)


def _restore_array(array: pa.Array, type_: DataType) -> pa.Array:
    """Return an array with what SQL changes of it undone, as far as no value changes."""
    target = to_arrow_type(type_)
    if type_.kind == "duration" and pa.types.is_integer(array.type):
        return array.cast(target)
    if type_.kind == "null":
        return pa.nulls(len(array))
    named = _rename_fields(array.type, target)
    return array if named == array.type else array.view(named)


def _rename_fields(found: pa.DataType, target: pa.DataType) -> pa.DataType:
    """Return a type with the other's names of fields: SQL renames those that differ by case."""
    if pa.types.is_struct(found) and pa.types.is_struct(target):
        fields = zip(found, target, strict=True)
        return pa.struct([(to.name, _rename_fields(field.type, to.type)) for field, to in fields])
    if pa.types.is_map(found) and pa.types.is_map(target):
        key = _rename_fields(found.key_type, target.key_type)
        return pa.map_(key, _rename_fields(found.item_type, target.item_type))
    if pa.types.is_list(found) and pa.types.is_list(target):
        return pa.list_(_rename_fields(found.value_type, target.value_type))
    return found


def _plain_names(schema: TableSchema) -> tuple[str, ...]:
    return tuple(f"c{at}" for at in range(len(schema)))


def _plain_type(type_: pa.DataType) -> pa.DataType:
    return pa.int64() if pa.types.is_duration(type_) else type_


def _write_plain(table: pa.Table, plain: pa.Schema) -> pa.Table:
    arrays = [column.cast(field.type) for column, field in zip(table.columns, plain, strict=True)]
    return pa.Table.from_arrays(arrays, schema=plain)


def _is_odd(type_: DataType) -> bool:
    """Return whether values of a type don't come back from a Parquet file."""
    if type_.kind in ("null", "duration"):
        return True
    return any(_is_odd(part) for _, part in type_.fields)
