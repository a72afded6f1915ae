"""What tasks do on workers. Distributed sends them by name: segue is installed there."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.dask.pieces import (
    Away,
    Budget,
    Piece,
    Source,
    feed_piece,
    join_tables,
    make_file,
    open_session,
    read_tables,
)
from segue.errors import SegueError
from segue.frames.arrow_types import conform, to_arrow
from segue.frames.ordered import stage_for_sql, stream_ordered
from segue.frames.split import split_rows
from segue.spec.failure import WorkerFailure, seal
from segue.spec.layout import Layout
from segue.spec.scan import Scan
from segue.spec.types import Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from segue.protocols import LocalSession, Work


class CarriedFailure(WorkerFailure):
    """A failure that keeps its text: distributed cuts off what an error shows of itself."""

    def __str__(self) -> str:
        return self.text.partition("\n")[0][:200]


def run_task(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call one of this module's functions, and tell what goes wrong in a way that arrives."""
    try:
        return function(*arguments)
    except SegueError as error:
        raise CarriedFailure(seal(error).text) from None
    except WorkerFailure as failure:
        raise CarriedFailure(failure.text) from None


def run_part(
    payload: bytes,
    layout: Layout,
    pieces: Sequence[Piece],
    sources: Sequence[Source],
    budget: Budget,
) -> pa.Table:
    """Let work be done on a part, in memory if it fits in there, else on a sorted stream.

    Args:
        payload: The work, pickled.
        layout: Keys and order.
        pieces: The part of each input.
        sources: Where the inputs are.
        budget: What the task may use.
    """
    work = load_work(payload)
    with open_session(budget) as session:
        tables = _read_part(session, pieces, sources, budget.part)
        if tables is not None:
            return _collect(work, work.run_tables(tables))
        feeds = [
            feed_piece(session, f"segue: part {number}", piece, source)
            for number, (piece, source) in enumerate(zip(pieces, sources, strict=True))
        ]
        return _collect(work, work.run_stream(stream_ordered(session, feeds, layout)))


def _read_part(
    session: LocalSession, pieces: Sequence[Piece], sources: Sequence[Source], most: int
) -> list[pa.Table] | None:
    """Return the rows of each input, None if they are more than may be in memory."""
    tables = []
    for piece, source in zip(pieces, sources, strict=True):
        read = []
        for table in read_tables(session, piece, source):
            most -= table.nbytes
            if most < 0:
                return None
            read.append(table)
        tables.append(join_tables(read, piece.schema))
    return tables


def _collect(work: Work, batches: Iterator[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches, to_arrow(work.schema))


@lru_cache(maxsize=4)
def load_work(payload: bytes) -> Work:
    """Return work that was pickled; several tasks of a worker share it."""
    work: Work = pickle.loads(payload)  # noqa: S301  # it comes from the driver
    return work


def split_piece(
    piece: Piece, source: Source, keys: tuple[Column, ...], parts: int, budget: Budget
) -> list[pa.Table]:
    """Return the rows of a piece by the part that their keys fall to."""
    with open_session(budget) as session:
        table = join_tables(list(read_tables(session, piece, source)), piece.schema)
    return split_rows(table, keys, parts)


def measure_parts(tables: Sequence[pa.Table]) -> list[tuple[int, int]]:
    """Return rows and bytes of each table."""
    return [measure_table(table) for table in tables]


def measure_table(table: pa.Table) -> tuple[int, int]:
    """Return rows and bytes of a table."""
    return table.num_rows, table.nbytes


def pick_part(tables: Sequence[pa.Table], number: int) -> pa.Table:
    """Return one of several tables."""
    return tables[number]


def slice_table(table: pa.Table, start: int, rows: int) -> pa.Table:
    """Return some rows of a table."""
    return table.slice(start, rows)


def read_piece(piece: Piece, source: Source, budget: Budget) -> pa.Table:
    """Return the rows of a piece."""
    with open_session(budget) as session:
        return join_tables(list(read_tables(session, piece, source)), piece.schema)


def run_select(
    query: str,
    schema: TableSchema,
    names: Sequence[tuple[str, TableSchema | str]],
    sources: Sequence[Source | None],
    budget: Budget,
) -> pa.Table:
    """Return the rows of a SELECT.

    Args:
        query: The SELECT.
        schema: Its columns and types.
        names: Names that it reads, each after those that it needs itself: the schema of a source,
            or another SELECT.
        sources: Where the sources' rows are, None for a SELECT.
        budget: What the task may use.
    """
    with open_session(budget) as session:
        for (name, thing), source in zip(names, sources, strict=True):
            if isinstance(thing, str):
                session.bind(name, thing)
            elif source is not None:
                session.bind(name, _prepare_source(session, thing, source))
        return conform(session.fetch(query), schema)


def _prepare_source(session: LocalSession, schema: TableSchema, source: Source) -> Any:
    """Return what a session can bind; tables that are too large for memory are in a file then."""
    if isinstance(source, Scan):
        return source
    tables = read_tables(session, Piece(schema), source)
    if isinstance(source, Away):
        return stage_for_sql(tables, schema, make_file())
    return join_tables(list(tables), schema)
