"""Rows of Spark's frames as Arrow, whole or as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.spark.failures import translated
from segue.engines.spark.worker import pack_batches
from segue.errors import SqlError
from segue.frames.arrow_types import to_arrow
from segue.frames.nearest import restore_batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.engines.spark.bound import Bound
    from segue.spec.types import TableSchema


def collect_rows(bound: Bound) -> pa.Table:
    """Return all rows of what is bound."""
    with translated("the query"):
        table = bound.frame.toArrow()
    batches = [_restore(batch, bound.schema) for batch in table.to_batches()]
    return pa.Table.from_batches(batches, to_arrow(bound.schema))


def stream_rows(bound: Bound, batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of what is bound, a partition at a time.

    Workers pack them, because Spark gives rows one by one where it does not give all of them.
    """
    with translated("the query"):
        packed = bound.frame.mapInArrow(pack_batches, "rows binary").toLocalIterator()
    while True:
        with translated("the query"):
            row = next(packed, None)
        if row is None:
            return
        with pa.ipc.open_stream(bytes(row[0])) as reader:
            for batch in reader:
                whole = _restore(batch, bound.schema)
                for start in range(0, whole.num_rows, batch_rows):
                    yield whole.slice(start, batch_rows)


def _restore(batch: pa.RecordBatch, schema: TableSchema) -> pa.RecordBatch:
    carried = batch if schema.columns else batch.select([])
    try:
        return restore_batch(carried, schema)
    except (ValueError, pa.ArrowException) as error:
        raise SqlError(f"a value of the result does not fit: {error}", engine="spark") from None


def count_rows(frame: Any) -> int:
    """Return the number of a frame's rows."""
    with translated("counting rows"):
        return int(frame.count())
