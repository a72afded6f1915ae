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
        tables = [self._read(record) for record in records]
        table = pa.concat_tables(tables)
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

    def _read(self, record: Record) -> pa.Table:
        """Return a record's rows as Delta Lake has them, with provenance at the end."""
        with pa.ipc.open_stream(pa.py_buffer(record.payload)) as reader:
            table = reader.read_all()
        names = [name for name in table.column_names if name not in PROVENANCE]
        table = _in_microseconds(table.select(names))
        header, count = record.header, table.num_rows
        values = {
            NODE_COLUMN: (self._node, pa.string()),
            "_epoch": (header.epoch, pa.string()),
            "_sequence": (header.last, pa.int64()),
            "_deployment": (header.deployment, pa.int64()),
            "_schema": (header.schema, pa.string()),
            "_clock": (header.clock, pa.string()),
            "_labels": (self._labels, pa.map_(pa.string(), pa.string())),
        }
        for name, (value, type_) in values.items():
            table = table.append_column(name, _repeat(pa.array([value], type_), count))
        return table


def _repeat(value: pa.Array, count: int) -> pa.Array:
    """Return one value again and again; `pa.repeat` takes 30 times as long for texts."""
    return value.take(pa.repeat(pa.scalar(0, pa.int32()), count))


def _in_microseconds(table: pa.Table) -> pa.Table:
    """Return times as Delta Lake stores them where that loses nothing."""
    fields = [
        field.with_type(pa.timestamp(_MICROSECONDS, field.type.tz))
        if pa.types.is_timestamp(field.type) and field.type.unit in ("s", "ms")
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))
