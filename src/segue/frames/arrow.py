"""Arrow's own tables and batches."""

from __future__ import annotations

import pyarrow as pa

from segue.frames.adapter import FrameAdapter


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


TABLE = FrameAdapter(pa.Table, lambda table: table, lambda table, _: table)
BATCH = FrameAdapter(pa.RecordBatch, to_batch, lambda batch, _: from_batch(batch))
