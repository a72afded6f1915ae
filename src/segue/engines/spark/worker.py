"""What runs on Spark's workers; nothing here needs Spark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cloudpickle
import pyarrow as pa
import pyarrow.compute

from segue.errors import StepError
from segue.frames.arrow_types import to_arrow
from segue.frames.nearest import restore_batch, store_batch
from segue.spec.failure import seal
from segue.spec.layout import INPUT, row_name
from segue.spec.types import TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from segue.protocols import Work

MARK = "segue: mark"
"""Name of the column that tells the one row that is there to have a part without rows."""


def pack_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield each batch as one row of bytes."""
    for batch in batches:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        yield pa.record_batch([pa.array([sink.getvalue().to_pybytes()], pa.binary())], ["rows"])


@dataclass(frozen=True)
class Runner:
    """Does work on the rows of one partition after the other.

    Attributes:
        work: The work, pickled: the driver's pickle knows which modules travel by value.
        arriving: What the rows are; with `marked`, without the first column.
        marked: Whether the first column tells rows that only stand for a part.
        part_rows: How many rows a part has at most.
        unsorted: Whether rows come in any order: then a part is gathered before it is worked on.
    """

    work: bytes
    arriving: TableSchema
    marked: bool = False
    part_rows: int | None = None
    unsorted: bool = False

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield what the work gives, in nearest types."""
        work = self._load()
        names = [f"c{number}" for number in range(len(work.schema))]
        for part in self._parts(self._restore(batches)):
            done = work.run_tables(self._gather(part)) if self.unsorted else work.run_stream(part)
            for batch in done:
                if names:
                    yield store_batch(batch, work.schema, names)
                else:
                    yield pa.record_batch([pa.nulls(batch.num_rows, pa.int32())], ["c0"])

    def _load(self) -> Work:
        try:
            work: Work = cloudpickle.loads(self.work)
        except ModuleNotFoundError as error:
            raise seal(
                StepError(
                    f"workers have no module called {error.name!r}",
                    hint="install it there too, or move what the function needs into its own file",
                )
            ) from None
        return work

    def _restore(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = batch
            if self.marked:
                rows = batch.filter(pa.compute.invert(batch.column(0)))
                rows = rows.select(list(range(1, batch.num_columns)))
            if not self.arriving.columns:
                rows = rows.select([])
            if rows.num_rows:
                yield restore_batch(rows, self.arriving)

    def _gather(self, rows: Iterable[pa.RecordBatch]) -> list[pa.Table]:
        """Return a part as one table for each input."""
        whole = pa.Table.from_batches(rows, to_arrow(self.arriving))
        if INPUT not in self.arriving.names:
            return [whole]
        tables = []
        for number in range(sum(name.startswith("segue: row") for name in self.arriving.names)):
            mine = whole.filter(pa.compute.equal(whole[INPUT], number))
            parts = mine[row_name(number)].combine_chunks().flatten()
            struct = mine.schema.field(row_name(number)).type
            tables.append(pa.table(parts, pa.schema(list(struct))))
        return tables

    def _parts(self, rows: Iterator[pa.RecordBatch]) -> Iterator[Iterable[pa.RecordBatch]]:
        if self.marked:
            yield rows
        elif self.part_rows is not None:
            yield from cut_parts(rows, self.part_rows)
        else:
            first = next(rows, None)
            if first is not None:
                yield _chain(first, rows)


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def cut_parts(rows: Iterator[pa.RecordBatch], most: int) -> Iterator[Iterator[pa.RecordBatch]]:
    """Yield the rows of one part after the other; each is to be read to its end.

    Args:
        rows: Batches of at least one row.
        most: How many rows a part has at most.
    """
    waiting: list[pa.RecordBatch] = []

    def read_part() -> Iterator[pa.RecordBatch]:
        room = most
        while room:
            batch = waiting.pop() if waiting else next(rows, None)
            if batch is None:
                return
            if batch.num_rows > room:
                waiting.append(batch.slice(room))
                batch = batch.slice(0, room)
            room -= batch.num_rows
            yield batch

    while True:
        part = read_part()
        first = next(part, None)
        if first is None:
            return
        yield _chain(first, part)
        # what was not read belongs to this part, not to the next
        for _ in part:
            pass
