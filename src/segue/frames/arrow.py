"""Arrow's own tables and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from segue.frames.adapter import FrameAdapter

if TYPE_CHECKING:
    from collections.abc import Sequence


def to_batch(table: pa.Table) -> pa.RecordBatch:
    """Return a table as one batch."""
    batches = table.combine_chunks().to_batches()
    if len(batches) == 1:
        return batches[0]
    if not batches:
        return pa.RecordBatch.from_pylist([], schema=table.schema)
    return pa.concat_batches(batches)


def from_batch(batch: pa.RecordBatch) -> pa.Table:
    """Return a batch as a table."""
    return pa.Table.from_batches([batch])


def join_tables(tables: Sequence[pa.Table]) -> pa.Table | None:
    """Return tables below each other if they have the same columns and types, else None."""
    first = tables[0].schema
    if any(table.schema != first for table in tables[1:]):
        return None
    return pa.concat_tables(tables)


TABLE = FrameAdapter(pa.Table, lambda table: table, lambda table, _: table, None, join_tables)
BATCH = FrameAdapter(pa.RecordBatch, to_batch, lambda batch, _: from_batch(batch))
