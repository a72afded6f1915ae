"""Data on its way to Spark: files, Arrow tables, and Spark's own frames."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from segue.engines.spark.bound import Bound, carried_names, carried_struct, rename
from segue.engines.spark.failures import translated
from segue.engines.spark.types import quote, read_columns, write_columns
from segue.frames.arrow_types import conform, from_arrow, from_arrow_type
from segue.frames.nearest import store_batch
from segue.spec.nearest import find_storage, find_storages
from segue.spec.sql import quote_identifier
from segue.spec.types import TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from segue.engines.spark.driver import Driver
    from segue.spec.scan import Scan
    from segue.spec.types import DataType

_INLINE = 32 << 20
"""Bytes of an Arrow table up to which it travels in the query itself."""

_PLAIN_PATH = re.compile(r"/[^\[\]{}*?\\%#:]*")
"""Paths that Spark takes letter for letter."""

_WIDTHS = {"bool": 1, "float32": 4, "float64": 8, "date": 4, "time": 8, "timestamp": 8}
_WIDTHS |= {"duration": 8, "decimal": 16}
_WIDTHS |= {f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)}
"""Bytes of a value, by the kind of its type."""

_DIRECT = ("uint8", "uint16", "uint32", "uint64")
"""Kinds that Spark reads from Parquet as their nearest type by itself."""


def bind_frame(frame: Any) -> Bound:
    """Return one of Spark's own frames as a carried one.

    Raises:
        UnsupportedError: A column has a type that segue lacks.
    """
    struct = frame.schema
    schema = read_columns(struct)
    names = carried_names(len(schema))
    plain = frame.toDF(*names) if schema.columns else frame
    expressions = [
        lay_out(quote(name), field.dataType)
        for name, field in zip(names, struct.fields, strict=False)
    ]
    return Bound(rename(plain, expressions), schema)


def lay_out(expression: str, type_: Any) -> str:
    """Return the SQL of a value in the nearest type, where Spark's own is another."""
    name = type_.simpleString()
    if name == "void":
        return f"cast({expression} as int)"
    if name.startswith("interval day") or "interval" in name:
        return f"unix_micros(timestamp_seconds(0) + {expression})"
    if name.startswith("time("):
        return f"time_diff('MICROSECOND', time'00:00:00', {expression})"
    if name.startswith(("char", "varchar")):
        return f"cast({expression} as string)"
    return expression


def bind_table(driver: Driver, table: pa.Table) -> Bound:
    """Return an Arrow table as a carried frame.

    Raises:
        ValueError: A column has a type that segue lacks.
    """
    schema = from_arrow(table.schema)
    plain = conform(table, schema)
    made = bind_batches(driver, schema, plain.to_batches(), inline=plain.nbytes <= _INLINE)
    return replace(made, weight=plain.nbytes)


def bind_batches(
    driver: Driver, schema: TableSchema, batches: Iterable[pa.RecordBatch], *, inline: bool = False
) -> Bound:
    """Return Arrow batches as a carried frame; what is large goes through Parquet files.

    Args:
        driver: Spark.
        schema: What the batches are, exactly.
        batches: The rows.
        inline: Whether they are few enough to travel in the query itself.
    """
    stored = _store(schema, batches)
    struct = carried_struct(schema)
    with translated("taking rows to Spark"):
        if inline or not driver.nearby:
            return Bound(_upload(driver, struct, stored), schema)
        return Bound(_stage(driver, struct, schema, stored), schema)


def _store(schema: TableSchema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if schema.columns:
            yield store_batch(batch, schema, carried_names(len(schema)))
        else:
            yield pa.record_batch([pa.nulls(batch.num_rows, pa.int32())], ["c0"])


def _arrow_of(schema: TableSchema) -> pa.Schema:
    from segue.frames.arrow_types import to_arrow_type

    types = [to_arrow_type(find_storage(each.type)) for each in schema] or [pa.int32()]
    return pa.schema(list(zip(carried_names(len(schema)), types, strict=True)))


def _upload(driver: Driver, struct: Any, batches: Iterable[pa.RecordBatch]) -> Any:
    rows = [batch for batch in batches if batch.num_rows]
    if not rows:
        return driver.spark.createDataFrame([], struct)
    return driver.spark.createDataFrame(pa.Table.from_batches(rows), struct)


def _stage(
    driver: Driver, struct: Any, schema: TableSchema, batches: Iterable[pa.RecordBatch]
) -> Any:
    folder = driver.scratch / driver.new_name()
    folder.mkdir(parents=True)
    path = folder / "rows.parquet"
    with pq.ParquetWriter(path, _arrow_of(schema), compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
    return driver.spark.read.schema(struct).parquet(f"file://{path}")


def bind_scan(driver: Driver, scan: Scan) -> Bound:
    """Return files as a carried frame: Spark reads them, or DuckDB does and writes others.

    Raises:
        SourceError: A file can't be read.
    """
    direct = _find_direct(scan)
    if direct is not None:
        return _read_parquet(driver, scan.paths, direct)
    name = driver.new_name()
    query = f"select * from {quote_identifier(name)}"
    with driver.local.fork() as local:  # other threads bind files at the same time
        local.bind(name, scan)
        return bind_batches(driver, local.describe(query), local.stream(query))


def _find_direct(scan: Scan) -> TableSchema | None:
    """Return what files are that Spark reads as DuckDB does; None if there may be a difference."""
    odd = scan.format != "parquet" or scan.hive or scan.types or scan.options.get("union")
    if odd or not scan.paths or not all(map(_PLAIN_PATH.fullmatch, scan.paths)):
        return None
    try:
        files = [pq.read_schema(path) for path in scan.paths]
        schema = scan.schema or from_arrow(files[0])
    except (OSError, pa.ArrowException, ValueError):
        # DuckDB says better what is wrong with them
        return None
    if len({name.casefold() for name in schema.names}) < len(schema):
        return None
    if all(_reads_alike(file, schema) for file in files):
        return schema
    return None


def _reads_alike(file: pa.Schema, schema: TableSchema) -> bool:
    for column in schema:
        at = file.get_field_index(column.name)
        if at < 0 or not _is_direct(from_arrow_type(file.field(at).type), column.type):
            return False
    return True


def _is_direct(found: DataType, wanted: DataType) -> bool:
    if found.fields or wanted.fields:
        return found == wanted == find_storage(wanted)
    return found == find_storage(wanted) or (found == wanted and wanted.kind in _DIRECT)


def _read_parquet(driver: Driver, paths: Sequence[str], schema: TableSchema) -> Bound:
    struct = write_columns(find_storages(schema))
    with translated("reading files"):
        frame = driver.spark.read.schema(struct).parquet(*(f"file://{path}" for path in paths))
        named = frame.toDF(*carried_names(len(schema)))
    return Bound(named, schema, _weigh(paths, schema))


def _weigh(paths: Sequence[str], schema: TableSchema) -> int | None:
    """Return how many bytes rows of files need in memory, if all values are equally wide."""
    widths = [_WIDTHS.get(column.type.kind) for column in schema]
    if None in widths:
        return None
    rows = sum(int(pq.read_metadata(path).num_rows) for path in paths)
    return rows * sum(width for width in widths if width is not None)
