"""What workers do: each task yields tables, and the part that the rows of each belong to."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from segue.engines.ray.bench import Bench
from segue.engines.ray.portions import gather_slabs
from segue.errors import SegueError
from segue.frames.arrow_types import to_arrow
from segue.frames.ordered import stream_ordered
from segue.frames.split import split_rows
from segue.spec.failure import seal
from segue.spec.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from segue.engines.ray.bench import Limits
    from segue.engines.ray.portions import Pieces, Portion
    from segue.protocols import Work
    from segue.spec.layout import Layout
    from segue.spec.types import Column, TableSchema

    Rows = Iterator[tuple[pa.Table, int]]
    Early = Sequence[pa.Table]


class Task(Protocol):
    """Something for one worker to do."""

    def run(self, early: Early) -> Rows:
        """Do it.

        Args:
            early: Blocks that were sent with it, in the order of its portions.
        """
        ...


def run_task(task: Task, *early: pa.Table) -> Iterator[Any]:
    """Do a task: yield a table, then part, rows and bytes of it, and so on.

    Raises:
        WorkerFailure: It failed.
    """
    try:
        for table, part in task.run(early):
            yield table
            yield part, table.num_rows, table.nbytes
    except SegueError as error:
        raise seal(error) from None


class Keeper:
    """An actor that owns what tasks keep, so that it is there when their worker is not."""

    def keep(self, table: pa.Table) -> list[Any]:
        """Return a reference to the table, in a list for Ray not to follow it."""
        import ray

        return [ray.put(table)]


def keep_task(keeper: Any, task: Task, *early: pa.Table) -> list[tuple[Any, tuple[int, int, int]]]:
    """Do a task and keep the tables: for Ray's client, which can't follow a generator.

    Args:
        keeper: The actor that is to own them. A worker that did so would take them along when
            it ends: when it has been idle, or when another task makes it crash.
        task: What to do.
        early: Blocks that were sent with it.
    """
    import ray

    results = run_task(task, *early)
    return [(*ray.get(keeper.keep.remote(table)), next(results)) for table in results]


@dataclass(frozen=True, slots=True)
class Select:
    """Run a SELECT.

    Attributes:
        query: The SELECT.
        schema: Its columns.
        names: What it reads: files, SELECTs, and rows that Ray holds; what others read is first.
        limits: What it may use.
    """

    query: str
    schema: TableSchema
    names: Mapping[str, Scan | str | Pieces]
    limits: Limits

    def run(self, early: Early) -> Rows:
        """Yield the rows in the order of the query."""
        blocks = iter(early)
        with Bench(self.limits) as bench:
            for name, data in self.names.items():
                if not isinstance(data, Scan | str):
                    tables = [_empty(data.schema), *data.read(bench, name, blocks)]
                    bench.session.bind(name, pa.concat_tables(tables))
                else:
                    bench.session.bind(name, data)
            for table in gather_slabs(bench.session.stream(self.query), self.schema):
                yield table, 0


@dataclass(frozen=True, slots=True)
class Split:
    """Split rows by their keys.

    Attributes:
        portion: The rows.
        keys: Key columns, in the types that all inputs share.
        parts: How many parts.
        limits: What it may use.
    """

    portion: Portion
    keys: tuple[Column, ...]
    parts: int
    limits: Limits

    def run(self, early: Early) -> Rows:
        """Yield the rows of each part that has some."""
        with Bench(self.limits) as bench:
            for table in self.portion.read(bench, "rows", iter(early)):
                for part, rows in enumerate(split_rows(table, self.keys, self.parts)):
                    if rows.num_rows:
                        yield rows, part


@dataclass(frozen=True, slots=True)
class Apply:
    """Do a user's work on a part.

    Attributes:
        work: The work, as cloudpickle wrote it, or a reference to that.
        portions: The rows of each input.
        layout: How they are to be brought together.
        limits: What it may use.
    """

    work: Any
    portions: tuple[Portion, ...]
    layout: Layout
    limits: Limits

    def run(self, early: Early) -> Rows:
        """Yield what the work yields."""
        import ray

        work: Work = pickle.loads(ray.get(self.work))  # noqa: S301  # our own
        for table in gather_slabs(self._work(work, early), work.schema):
            yield table, 0

    def _work(self, work: Work, early: Early) -> Iterator[pa.RecordBatch]:
        with Bench(self.limits) as bench:
            if self.layout.loose:
                yield from self._work_loosely(work, bench, early)
                return
            tables = self._hold(bench, early)
            if tables is None:
                yield from self._work_in_order(work, bench, early)
            elif not self.layout.by or any(table.num_rows for table in tables):
                yield from work.run_tables(tables)

    def _work_loosely(self, work: Work, bench: Bench, early: Early) -> Iterator[pa.RecordBatch]:
        (portion,) = self.portions
        called = False
        for table in portion.read(bench, "rows 0", iter(early)):
            called = True
            yield from work.run_tables([table])
        if not called:
            yield from work.run_tables([_empty(portion.schema)])

    def _hold(self, bench: Bench, early: Early) -> list[pa.Table] | None:
        """Return all rows of each input, None if they are too many."""
        blocks, size, held = iter(early), 0, []
        for number, portion in enumerate(self.portions):
            tables = [_empty(portion.schema)]
            for table in portion.read(bench, f"rows {number}", blocks):
                size += table.nbytes
                if size > self.limits.held and portion.schema.columns:
                    return None
                tables.append(table)
            held.append(pa.concat_tables(tables) if len(tables) > 1 else tables[0])
        return held

    def _work_in_order(self, work: Work, bench: Bench, early: Early) -> Iterator[pa.RecordBatch]:
        blocks = iter(early)
        feeds = [
            portion.feed(bench, f"feed {number}", blocks)
            for number, portion in enumerate(self.portions)
        ]
        yield from work.run_stream(stream_ordered(bench.session, feeds, self.layout))


def _empty(schema: TableSchema) -> pa.Table:
    return to_arrow(schema).empty_table()
