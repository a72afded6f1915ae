"""Files of arriving tables: written from Arrow streams, or taken as a node wrote them."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from segue.frames.arrow_types import conform, from_arrow, to_arrow, to_arrow_type
from segue.spec.edge import PROVENANCE
from segue.spec.nearest import find_storages
from segue.spec.types import Column, TableSchema
from segue.stores.arriving_bounds import measure_stream
from segue.stores.arriving_schema import PROVENANCE_COLUMNS, is_stored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from segue.spec.arriving import Batch

COMPRESSION = {"compression": "zstd", "compression_level": 1}
ROW_GROUP = 1 << 20
STATISTICS = ("int8", "int16", "int32", "int64", "string", "date")
"""Kinds of columns whose bounds stand in the log, so that readers can leave files out.

Floats are not among them: Parquet's bounds leave NaN out, which is greater than all others.
"""
_LONGEST_BOUND = 32
MOST_DECODED = 2**30
"""Bytes that rows of one batch may take in memory, and those of all that are decoded together."""
MOST_ROWS = 2**25
"""Rows of one batch: rows without values, or of one value, take no bytes before they are read."""
MOST_DEEP = 12
"""Types within types: what a log costs grows by half with each level."""
EMPTY = ""
"""Column that stands for rows without columns."""
_OWN = tuple(PROVENANCE)


class PayloadError(ValueError):
    """A payload is not what its header says, or too much."""


class CrowdedError(Exception):
    """A batch is good, and the batches before it have all the room; it never leaves the stores."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a batch, ready to be written or linked.

    Attributes:
        batch: The batch.
        schema: Their columns, without provenance.
        table: The rows, if they are to be written.
        footer: Footer of the file, if the payload is to be linked as it is.
        decoded: Bytes that the rows take in memory, if they are to be written.
    """

    batch: Batch
    schema: TableSchema
    table: pa.Table | None = None
    footer: Any = None
    decoded: int = 0


def open_payload(batch: Batch, room: int = MOST_DECODED) -> Rows:
    """Read a batch's rows, or only the footer of a file.

    Args:
        batch: The batch.
        room: Bytes that its rows may take in memory now.

    Raises:
        PayloadError: They are not what the header says, or too many at any time.
        CrowdedError: They need more than that.
    """
    if (batch.rows or 0) > MOST_ROWS:
        raise PayloadError(f"a batch has at most {MOST_ROWS:,} rows, its header says {batch.rows}")
    if sha256(batch.payload).hexdigest() != batch.digest:
        raise PayloadError("the payload has another digest than its header says")
    try:
        rows = _open_parquet(batch) if batch.format == "parquet" else _open_stream(batch, room)
    except (pa.ArrowException, OSError, KeyError, struct.error) as error:
        raise PayloadError(f"the payload can't be read: {error}") from error
    return rows


def _open_stream(batch: Batch, room: int) -> Rows:
    decoded = measure_stream(batch.payload)
    if decoded > MOST_DECODED:
        raise PayloadError(f"the payload decodes to {decoded:,} bytes, {MOST_DECODED:,} may be")
    if decoded > room:
        raise CrowdedError
    options = pa.ipc.IpcReadOptions(use_threads=False)  # batches are small
    with pa.ipc.open_stream(pa.py_buffer(batch.payload), options=options) as reader:
        table = reader.read_all()
    table.validate(full=True)  # damaged streams are often read without an error
    _check_count(batch, table.num_rows)
    table = table.drop_columns([name for name in _OWN if name in table.column_names])
    return Rows(batch, _read_columns(table.schema), table, decoded=decoded)


def _read_columns(schema: pa.Schema) -> TableSchema:
    for field in schema:
        if _is_deeper(field.type, MOST_DEEP):
            raise PayloadError(f"the type of {field.name!r} is deeper than {MOST_DEEP} levels")
    try:
        found = from_arrow(schema)
    except ValueError as error:
        raise PayloadError(str(error)) from error
    return TableSchema(tuple(column for column in found if column.name not in PROVENANCE))


def _is_deeper(type_: pa.DataType, levels: int) -> bool:
    if levels < 0:
        return True
    inner = (type_.field(number).type for number in range(type_.num_fields))
    return any(_is_deeper(each, levels - 1) for each in inner)


def _check_count(batch: Batch, rows: int) -> None:
    if rows != batch.rows:
        raise PayloadError(f"the payload has {rows} rows, its header says {batch.rows}")


def _open_parquet(batch: Batch) -> Rows:
    source = pa.BufferReader(pa.py_buffer(batch.payload))
    file = pq.ParquetFile(source, read_dictionary=["_node", "_epoch"])
    footer = file.metadata
    _check_count(batch, footer.num_rows)
    _check_footer(batch, footer)
    _check_rows(batch, file)
    return Rows(batch, _read_columns(file.schema_arrow), None, footer)


def _list_bounds(batch: Batch) -> dict[str, tuple[Any, Any]]:
    """Return the least and greatest value that columns of a batch may have."""
    return {
        "_node": (batch.key.node, batch.key.node),
        "_epoch": (batch.key.epoch, batch.key.epoch),
        "_sequence": (batch.first, batch.last),
    }


def _check_footer(batch: Batch, footer: Any) -> None:
    """Hold the statistics of a file against its header: readers leave files out by them."""
    names = [footer.schema.column(place).path for place in range(footer.num_columns)]
    missing = [name for name in _OWN if not any(n.split(".")[0] == name for n in names)]
    if missing:
        raise PayloadError(f"the file lacks the column {missing[0]}")
    for group in range(footer.num_row_groups):
        for name, bounds in _list_bounds(batch).items():
            chunk = footer.row_group(group).column(names.index(name))
            told = chunk.statistics
            if chunk.num_values == 0:
                continue
            if told is None or not told.has_min_max or told.null_count:
                raise PayloadError(f"the file has no bounds for {name}, or nulls")
            _check_bounds(name, (told.min, told.max), bounds)


def _check_rows(batch: Batch, file: Any) -> None:
    """Hold the rows themselves against the header: a footer says what its writer wants."""
    for name, bounds in _list_bounds(batch).items():
        values = file.read(columns=[name], use_threads=False).column(0)
        if values.null_count:
            raise PayloadError(f"{name} is null in some rows")
        for chunk in values.chunks:
            found = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
            ends = pc.min_max(found).as_py()
            if len(found):
                _check_bounds(name, (ends["min"], ends["max"]), bounds)


def _check_bounds(name: str, found: tuple[Any, Any], bounds: tuple[Any, Any]) -> None:
    if not bounds[0] <= found[0] <= found[1] <= bounds[1]:
        raise PayloadError(
            f"{name} is {found[0]!r} to {found[1]!r}, "
            f"its header says {bounds[0]!r} to {bounds[1]!r}"
        )


def can_link(rows: Rows, table: TableSchema, names: Mapping[str, str]) -> bool:
    """Return whether a node's file can stand in a table as it is."""
    if rows.footer is None:
        return False
    arrow = rows.footer.schema.to_arrow_schema()
    stored = to_arrow(find_storages(table))
    return all(
        names.get(field.name, field.name) == field.name
        and field.name in stored.names
        and _lies_alike(field.type, stored.field(field.name).type)
        for field in arrow
    ) and all(is_stored(column.type) for column in rows.schema)


def _lies_alike(found: pa.DataType, stored: pa.DataType) -> bool:
    if pa.types.is_timestamp(found) and pa.types.is_timestamp(stored):
        return found.unit == "us" and (found.tz is None) == (stored.tz is None)
    try:
        same = from_arrow(pa.schema([("x", found)])) == from_arrow(pa.schema([("x", stored)]))
    except ValueError:
        return False
    return same


def arrange(rows: Rows, table: TableSchema, names: Mapping[str, str]) -> pa.Table:
    """Return a batch's rows in the columns of the table, as Delta Lake stores them.

    Provenance is among them only if the payload has it, as files of nodes do.

    Raises:
        PayloadError: A value can't be stored.
    """
    data = rows.table
    if data is None:
        data = pq.read_table(pa.BufferReader(pa.py_buffer(rows.batch.payload)))
    given = {names[column.name]: column.name for column in rows.schema if column.name in names}
    columns = {}
    for column in table:
        source = column.name if column.name in PROVENANCE else given.get(column.name)
        if source is not None and (rows.table is None or column.name not in PROVENANCE):
            columns[column.name] = _store(data[source], column)
    if not columns:  # Arrow counts the rows of columns only
        columns[EMPTY] = pa.nulls(data.num_rows)
    return pa.table(columns)


def _store(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    stored = to_arrow(find_storages(TableSchema((column,)))).field(0).type
    if values.type == stored:
        return values
    logical = TableSchema((column,))
    try:
        plain = conform(pa.table({column.name: values}), logical).column(0)
        return plain if plain.type == stored else plain.cast(stored)
    except (pa.ArrowException, ValueError) as error:
        raise PayloadError(str(error)) from error


def make_provenance(batches: Sequence[Batch], counts: Sequence[int]) -> dict[str, pa.Array]:
    """Return the columns of provenance for rows of batches below each other.

    Args:
        batches: The batches.
        counts: Rows of each.
    """
    own = pa.array(np.repeat(np.arange(len(batches), dtype="int32"), counts))
    told: dict[str, list[Any]] = {
        "_node": [batch.key.node for batch in batches],
        "_epoch": [batch.key.epoch for batch in batches],
        "_sequence": [batch.last for batch in batches],
        "_deployment": [batch.deployment for batch in batches],
        "_schema": [batch.schema_id for batch in batches],
        "_clock": [batch.clock for batch in batches],
        "_labels": [sorted(batch.labels.items()) for batch in batches],
    }
    columns = {}
    for column in PROVENANCE_COLUMNS:
        values = pa.array(told[column.name], to_arrow_type(column.type))
        if column.type.kind == "string":
            # texts are written once and numbered, which costs a tenth
            places = pa.array(np.repeat(values.dictionary_encode().indices.to_numpy(), counts))
            distinct = values.dictionary_encode().dictionary
            columns[column.name] = pa.DictionaryArray.from_arrays(places, distinct)
        else:
            columns[column.name] = values.take(own)
    return columns


def write_rows(path: Path, table: pa.Table) -> Any:
    """Write rows into a new file, and bring it to the disk; return its footer."""
    with path.open("xb") as sink:
        with pq.ParquetWriter(sink, table.schema, store_schema=False, **COMPRESSION) as writer:
            writer.write_table(table, row_group_size=ROW_GROUP)
        sink.flush()
        os.fsync(sink.fileno())
    return pq.read_metadata(path)


def write_payload(path: Path, payload: bytes | memoryview) -> None:
    """Write a node's file as it is, and bring it to the disk."""
    with path.open("xb") as sink:
        sink.write(payload)
        sink.flush()
        os.fsync(sink.fileno())


def describe_bounds(footer: Any, table: TableSchema) -> str:
    """Return a file's statistics as a log holds them."""
    kinds = {column.name: column.type.kind for column in table}
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for place in range(footer.num_columns):
        name = footer.schema.column(place).path
        if kinds.get(name) not in STATISTICS or "." in name:
            continue
        groups = range(footer.num_row_groups)
        told = [footer.row_group(group).column(place).statistics for group in groups]
        if not told or any(each is None or not each.has_null_count for each in told):
            continue
        nulls[name] = sum(each.null_count for each in told)
        bounds = [(each.min, each.max) for each in told if each.has_min_max]
        if len(bounds) == len(told) and all(_is_bound(part) for pair in bounds for part in pair):
            low[name] = _plain(min(pair[0] for pair in bounds))
            high[name] = _plain(max(pair[1] for pair in bounds))
    told_all = {"numRecords": footer.num_rows, "minValues": low, "maxValues": high}
    return json.dumps({**told_all, "nullCount": nulls})


def _is_bound(value: Any) -> bool:
    return not isinstance(value, str) or len(value) <= _LONGEST_BOUND


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) else value.isoformat()
