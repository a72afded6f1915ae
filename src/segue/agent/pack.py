"""Many records of a stream as one Parquet payload, so that the hub need not decode rows.

Loads Arrow, so it is imported by `segue.agent.drain` only.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from segue.agent.spool.model import Record
from segue.spec.edge import NODE_COLUMN, PROVENANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DIGITS = 16
_MICROSECONDS = "us"


class RecordPacker:
    """Packs records of one node.

    Example:
        >>> from segue.wire.messages import RecordHeader
        >>> def make(sequence):
        ...     sink = pa.BufferOutputStream()
        ...     with pa.ipc.new_stream(sink, pa.schema({"a": pa.int64()})) as writer:
        ...         writer.write_table(pa.table({"a": [sequence, sequence]}))
        ...     header = RecordHeader("t", "0" * 16, sequence, sequence, rows=2, digest="ab" * 32)
        ...     return Record(header, sink.getvalue().to_pybytes())
        >>> packed = RecordPacker("till-7", {})([make(4), make(5)])
        >>> packed.header.first, packed.header.last, packed.header.rows, packed.header.format
        (4, 5, 4, 'parquet')
        >>> pq.read_table(pa.BufferReader(packed.payload))["_sequence"].to_pylist()
        [4, 4, 5, 5]
    """

    def __init__(self, node: str, labels: Mapping[str, str]) -> None:
        """Take what stands in each row.

        Args:
            node: Name of the node.
            labels: Its labels.
        """
        self._node = node
        self._labels = sorted(labels.items())

    def __call__(self, records: Sequence[Record]) -> Record:
        """Return one record with the rows of several, which have one schema and no hole."""
        tables = [_read(record) for record in records]
        counts = [table.num_rows for table in tables]
        table = pa.concat_tables(tables)
        for name, values in self._tell_provenance(records, counts).items():
            table = table.append_column(name, values)
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(
            sink, table.schema, compression="zstd", compression_level=1, store_schema=False
        ) as writer:
            writer.write_table(table, row_group_size=1 << 20)
        payload = sink.getvalue().to_pybytes()
        first, last = records[0].header, records[-1].header
        header = replace(
            last,
            first=first.first,
            rows=table.num_rows,
            digest=hashlib.sha256(payload).hexdigest(),
            format="parquet",
            digests=[record.header.digest[:_DIGITS] for record in records],
        )
        return Record(header, payload)

    def _tell_provenance(
        self, records: Sequence[Record], counts: Sequence[int]
    ) -> dict[str, pa.Array]:
        """Return where rows of records below each other come from."""
        headers = [record.header for record in records]
        labels = pa.array([self._labels], pa.map_(pa.string(), pa.string()))
        return {
            NODE_COLUMN: _repeat_texts([self._node] * len(headers), counts),
            "_epoch": _repeat_texts([header.epoch for header in headers], counts),
            "_sequence": _repeat_numbers([header.last for header in headers], counts),
            "_deployment": _repeat_numbers([header.deployment for header in headers], counts),
            "_schema": _repeat_texts([header.schema for header in headers], counts),
            "_clock": _repeat_texts([header.clock for header in headers], counts),
            "_labels": labels.take(pa.repeat(pa.scalar(0, pa.int32()), sum(counts))),
        }


def _read(record: Record) -> pa.Table:
    """Return a record's own columns as Delta Lake has them."""
    options = pa.ipc.IpcReadOptions(use_threads=False)  # others wait for the cores
    with pa.ipc.open_stream(pa.py_buffer(record.payload), options=options) as reader:
        table = reader.read_all()
    names = [name for name in table.column_names if name not in PROVENANCE]
    return _in_microseconds(table.select(names))


def _repeat_numbers(values: Sequence[int], counts: Sequence[int]) -> pa.Array:
    """Return each number as often as stated."""
    scalars = [pa.scalar(value, pa.int64()) for value in values]
    return pa.concat_arrays([pa.repeat(*each) for each in zip(scalars, counts, strict=True)])


def _repeat_texts(values: Sequence[str], counts: Sequence[int]) -> pa.Array:
    """Return each text as often as stated; numbered, as Parquet stores it, which costs a third."""
    distinct = list(dict.fromkeys(values))
    places = [pa.scalar(distinct.index(value), pa.int32()) for value in values]
    own = pa.concat_arrays([pa.repeat(*each) for each in zip(places, counts, strict=True)])
    return pa.DictionaryArray.from_arrays(own, pa.array(distinct, pa.string()))


def _in_microseconds(table: pa.Table) -> pa.Table:
    """Return times as Delta Lake stores them where that loses nothing."""
    fields = [
        field.with_type(pa.timestamp(_MICROSECONDS, field.type.tz))
        if pa.types.is_timestamp(field.type) and field.type.unit in ("s", "ms")
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))
