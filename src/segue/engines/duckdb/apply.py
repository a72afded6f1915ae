"""Work of users' functions on data that is bound in DuckDB."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.engines.duckdb.pool import POOL, count_cores
from segue.engines.duckdb.portion import (
    Part,
    PartInput,
    do_part,
    map_file,
    part_condition,
    save_table,
    work_in_order,
)
from segue.errors import SegueError
from segue.frames.chunks import cut_rows, part_size
from segue.frames.packing import pack_work
from segue.spec.failure import WorkerFailure, unseal
from segue.spec.layout import order_terms
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from segue.engines.duckdb.session import DuckDBSession
    from segue.protocols import Work
    from segue.spec.layout import Layout

LEAST_COLD = 64 * 2**20
LEAST_WARM = 8 * 2**20
"""Bytes of grouped rows for which it pays to have several processes work on them.

To start workers takes one to two seconds, in which pandas groups some 64 MB of rows by itself;
once they are there, handing them their rows costs about a tenth of a second.
"""

LARGEST_HELD = 10**9
"""Bytes of rows that a process holds at once, at most; a quarter of its memory if that is less."""


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of an input: those of a SELECT, or a table.

    Attributes:
        query: The SELECT, empty for a table.
        bytes: Size in memory, roughly.
        table: The table.
    """

    query: str
    bytes: int
    table: pa.Table | None = None

    def hold(self, session: DuckDBSession) -> pa.Table:
        """Return all rows."""
        return session.fetch(self.query) if self.table is None else self.table


def work_on_bound(
    session: DuckDBSession, inputs: Sequence[str | pa.Table], work: Work, layout: Layout
) -> Iterator[pa.RecordBatch]:
    """Do work on data; yield what comes of it.

    Args:
        session: Where data is bound.
        inputs: Names of bound data, or tables.
        work: What to do.
        layout: How rows are brought together.

    Raises:
        SegueError: What the work raised.
    """
    sources = [_open_source(session, each) for each in inputs]
    with _unsealed():
        if layout.by:
            yield from _work_on_groups(session, sources, work, layout)
        elif layout.whole and (len(sources) > 1 or sources[0].table is not None):
            yield from work.run_tables([each.hold(session) for each in sources])
        else:
            yield from _work_on_rows(session, sources[0], work, layout)


def _open_source(session: DuckDBSession, given: str | pa.Table) -> Source:
    if not isinstance(given, str):
        return Source("", given.nbytes, given)
    query = f"select * from {quote(given)}"
    size = session.measure(given)
    if size is None:  # made of tables of this process, which others can't see
        table = session.fetch(query)
        return Source("", table.nbytes, table)
    return Source(query, size)


def _work_on_rows(
    session: DuckDBSession, source: Source, work: Work, layout: Layout
) -> Iterator[pa.RecordBatch]:
    """Work on rows as they come: all of them in one call, or so many in each."""
    if layout.whole:
        ordered = order_terms(layout.order_of(session.describe(source.query)))
        order = f" order by {', '.join(ordered)}" if ordered else ""
        yield from work.run_stream(session.stream(f"select * from ({source.query}){order}"))
        return
    if source.table is not None:
        rows, batches = source.table.num_rows, iter(source.table.to_batches())
    else:
        rows, batches = 0, session.stream(source.query)
        if layout.part_rows is None:
            count = session.fetch(f"select count(*) as n from ({source.query})")
            rows = count["n"][0].as_py()
    for part in cut_rows(batches, part_size(layout, rows)):
        yield from work.run_tables([part])


def _work_on_groups(
    session: DuckDBSession, sources: Sequence[Source], work: Work, layout: Layout
) -> Iterator[pa.RecordBatch]:
    """Work on groups, in this process or in several."""
    cores = count_cores()
    share = _Share(cores, sum(each.bytes for each in sources), session.memory() // (cores + 1))
    pays = share.bytes >= (LEAST_WARM if POOL.warm else LEAST_COLD)
    if cores > 1 and pays and layout.parts != 1:
        yield from _share(session, sources, work, layout, share)
    elif share.bytes <= LARGEST_HELD or any(each.table is not None for each in sources):
        yield from work.run_tables([each.hold(session) for each in sources])
    else:
        yield from work_in_order(session, [each.query for each in sources], work, layout)


@dataclass(frozen=True, slots=True)
class _Share:
    """How work is shared.

    Attributes:
        workers: How many processes share it.
        bytes: Size of all rows, roughly.
        memory: Most bytes that each of them may use.
    """

    workers: int
    bytes: int
    memory: int

    @property
    def held(self) -> int:
        """Most bytes of rows that each of them holds: a function needs a multiple of it."""
        return max(min(LARGEST_HELD, self.memory // 4), 1)


def _share(
    session: DuckDBSession, sources: Sequence[Source], work: Work, layout: Layout, share: _Share
) -> Iterator[pa.RecordBatch]:
    """Let processes beside this one do the work, each on the rows of its keys."""
    with tempfile.TemporaryDirectory(prefix="segue-", dir=session.scratch()) as folder:
        tasks = _cut(session, sources, work, layout, share, folder)
        for paths in POOL.run(do_part, tasks, share.workers):
            for path in paths:
                table = map_file(path)
                Path(path).unlink()  # its pages stay for as long as somebody looks at them
                yield from table.to_batches()


def _cut(
    session: DuckDBSession,
    sources: Sequence[Source],
    work: Work,
    layout: Layout,
    share: _Share,
    folder: str,
) -> list[Part]:
    """Return what each process is to do."""
    tables = [number for number, each in enumerate(sources) if each.table is not None]
    # what DuckDB can't sort aside is cut finer instead
    parts = max(share.workers, -(-share.bytes // share.held) if tables else 1)
    ordered = not tables and share.bytes > share.held * share.workers
    packed, bound = pack_work(work, "duckdb"), session.bound_queries()
    split = {number: _split(sources[number].table, layout, parts, folder) for number in tables}
    scratch, tasks = str(session.scratch()), []
    for part in range(parts):
        where = part_condition(layout, part, parts)
        given = tuple(
            PartInput(path=split[number][part])
            if number in split
            else PartInput(query=f"{each.query} where {where}")
            for number, each in enumerate(sources)
        )
        tasks.append(Part(bound, given, packed, layout, ordered, folder, scratch, share.memory))
    return tasks


def _split(table: Any, layout: Layout, parts: int, folder: str) -> list[str]:
    """Write the rows of a table into a file for each part."""
    from segue.frames.split import split_rows

    paths = []
    stem = tempfile.mkdtemp(dir=folder)
    for number, rows in enumerate(split_rows(table, layout.by, parts)):
        path = Path(stem, f"{number}.arrow")
        save_table(rows, path)
        paths.append(str(path))
    return paths


@contextmanager
def _unsealed() -> Iterator[None]:
    """Raise what the work raised, as it was there."""
    try:
        yield
    except WorkerFailure as failure:
        # in this process the error itself is at hand, with its own cause
        error: Any = failure.__context__
        if not isinstance(error, SegueError):
            error = unseal(failure.text)
        if error is None:
            raise
        raise error from error.__cause__
