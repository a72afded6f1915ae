"""What tasks read of an input, and how they read it on a worker."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from segue.frames.arrow_types import conform, to_arrow
from segue.frames.ordered import Feed, feed_staged, stage_tables
from segue.frames.split import split_rows
from segue.registry import load_local_engine
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier as quote
from segue.spec.step import PlaceSpec
from segue.spec.types import Column, TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.protocols import LocalSession


@dataclass(frozen=True, slots=True)
class Budget:
    """What a task may use of its worker.

    Attributes:
        memory: Bytes for DuckDB.
        threads: Threads for DuckDB.
        part: Bytes of rows that may be in memory at a time.
    """

    memory: int
    threads: int
    part: int


@dataclass(frozen=True, slots=True)
class Share:
    """Which rows of an input: those whose keys fall to a part.

    Attributes:
        keys: The key columns, in the types that all inputs share.
        part: Number of the part.
        parts: How many parts there are.
        sql: Whether SQL decides: then it must do so for all inputs.
    """

    keys: tuple[Column, ...]
    part: int
    parts: int
    sql: bool = False

    def take(self, table: pa.Table) -> pa.Table:
        """Return the part's rows of a table."""
        return split_rows(table, self.keys, self.parts)[self.part]


@dataclass(frozen=True, slots=True)
class Span:
    """Which rows of an input: some in a row.

    Attributes:
        start: Number of the first row.
        rows: How many.
    """

    start: int
    rows: int

    def take(self, table: pa.Table) -> pa.Table:
        """Return the span's rows of a table."""
        return table.slice(self.start, self.rows)


@dataclass(frozen=True, slots=True)
class Away:
    """Tables in the memory of workers, too large to be all on one: fetched one by one.

    Attributes:
        keys: Names of their futures, which must live as long as the task.
    """

    keys: tuple[str, ...]


Source: TypeAlias = Sequence[pa.Table] | Scan | Away
"""Where rows are."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of an input for one task.

    Attributes:
        schema: Columns and types.
        rows: Which rows; None for all.
    """

    schema: TableSchema
    rows: Share | Span | None = None


@contextmanager
def open_session(budget: Budget) -> Iterator[LocalSession]:
    """Yield a session without names; this worker's tasks share one database."""
    with _open_database(budget.memory, budget.threads).fork() as session:
        yield session


@cache
def _open_database(memory: int, threads: int) -> LocalSession:
    place = PlaceSpec("worker", threads=threads, memory=memory)
    session = load_local_engine().open(place, _find_folder())
    atexit.register(_close_database, session)
    return session


def _close_database(session: LocalSession) -> None:
    # what is still open when a worker ends makes DuckDB complain
    _open_database.cache_clear()
    session.close()


@cache
def _find_folder() -> Path:
    """Return a folder that goes when the worker goes."""
    from distributed import get_worker

    return Path(tempfile.mkdtemp(prefix="segue-", dir=get_worker().local_directory))


def make_file() -> Path:
    """Return the path of a new file, which goes when the worker goes."""
    return Path(tempfile.mkdtemp(dir=_find_folder())) / "rows"


def read_tables(session: LocalSession, piece: Piece, source: Source) -> Iterator[pa.Table]:
    """Yield the rows of a piece, some at a time."""
    if isinstance(source, Scan):
        yield from _read_scan(session, piece, source)
        return
    tables = _fetch_tables(source) if isinstance(source, Away) else iter(source)
    if isinstance(piece.rows, Span):
        # spans are of tables that are at hand
        tables = iter([piece.rows.take(join_tables(list(tables), piece.schema))])
    for table in tables:
        yield piece.rows.take(table) if isinstance(piece.rows, Share) else table


def _read_scan(session: LocalSession, piece: Piece, scan: Scan) -> Iterator[pa.Table]:
    session.bind("segue: files", scan)
    for batch in session.stream(select_piece("segue: files", piece)):
        table = conform(pa.Table.from_batches([batch]), piece.schema)
        yield table if _is_chosen_by_sql(piece) else piece.rows.take(table)  # type: ignore[union-attr]  # then there is a choice


def _is_chosen_by_sql(piece: Piece) -> bool:
    return not isinstance(piece.rows, Share) or piece.rows.sql


def select_piece(name: str, piece: Piece) -> str:
    """Return the SELECT of a piece's rows, as far as SQL can choose them."""
    query = f"select * from {quote(name)}"
    if isinstance(piece.rows, Span):
        return f"{query} limit {piece.rows.rows} offset {piece.rows.start}"
    if isinstance(piece.rows, Share) and piece.rows.sql:
        keys = ", ".join(quote(key.name) for key in piece.rows.keys)
        return f"{query} where hash({keys}) % {piece.rows.parts} = {piece.rows.part}"
    return query


def _fetch_tables(away: Away) -> Iterator[pa.Table]:
    import distributed

    client: Any = distributed.get_client()
    future: Any = distributed.Future
    for key in away.keys:
        # they are there: unless it is told so, this client waits for ever to hear of it
        yield client.gather(future(key, client, state="memory"), direct=True)


def join_tables(tables: Sequence[pa.Table], schema: TableSchema) -> pa.Table:
    """Return tables of a schema below each other; none gives an empty one."""
    if not tables:
        return conform(to_arrow(schema).empty_table(), schema)
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables)


def feed_piece(session: LocalSession, name: str, piece: Piece, source: Source) -> Feed:
    """Bind a piece that is too large to be in memory, and return it as an input to be ordered."""
    if isinstance(source, Scan) and _is_chosen_by_sql(piece):
        session.bind(f"{name}: files", source)
        session.bind(name, select_piece(f"{name}: files", piece))
        return Feed(name, piece.schema, piece.schema.names)
    with session.fork() as reader:
        scan = stage_tables(read_tables(reader, piece, source), piece.schema, make_file())
    return feed_staged(session, name, scan, piece.schema)
