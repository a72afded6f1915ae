"""The rows that one task works on, as its worker gets at them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.errors import SourceError
from segue.frames.arrow_types import conform, to_arrow
from segue.frames.ordered import Feed, feed_staged, stage_tables
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from segue.engines.ray.bench import Bench
    from segue.spec.scan import Scan
    from segue.spec.types import TableSchema

SLAB_BYTES = 32 * 2**20
"""Size of the tables in which rows come and go."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """Rows of files.

    Attributes:
        scan: The files.
        schema: Their columns.
        where: SQL of a condition that the rows meet; empty for all.
        start: Number of the first row.
        rows: How many rows, None for all that follow.
    """

    scan: Scan
    schema: TableSchema
    where: str = ""
    start: int = 0
    rows: int | None = None

    def read(self, bench: Bench, name: str, early: Iterator[pa.Table]) -> Iterator[pa.Table]:  # noqa: ARG002  # files are not sent
        """Yield the rows in tables of `SLAB_BYTES` or so."""
        bench.session.bind(name, self.scan)
        query = f"select * from {quote(name)}"
        if self.where:
            query += f" where {self.where}"
        if self.rows is not None:
            query += f" limit {self.rows} offset {self.start}"
        yield from gather_slabs(bench.session.stream(query), self.schema)

    def feed(self, bench: Bench, name: str, early: Iterator[pa.Table]) -> Feed:
        """Give the rows to a session that sorts them."""
        if self.rows is not None:
            rows = self.read(bench, f"{name} in files", early)
            return _stage(bench, name, rows, self.schema)
        bench.session.bind(name, self.scan)
        return Feed(name, self.schema, self.schema.names, self.where)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a block that Ray holds.

    Attributes:
        ref: Reference to the block; None if the task is sent the block itself.
        start: Number of the first row.
        rows: How many.
    """

    ref: Any
    start: int
    rows: int


@dataclass(frozen=True, slots=True)
class Pieces:
    """Rows that Ray holds.

    Attributes:
        pieces: In the order of the rows.
        schema: Columns, to which blocks of users' own data are brought.
    """

    pieces: tuple[Piece, ...]
    schema: TableSchema

    def sent(self) -> Pieces:
        """Return the same for a task that is sent the blocks themselves."""
        return replace(self, pieces=tuple(replace(each, ref=None) for each in self.pieces))

    def read(self, bench: Bench, name: str, early: Iterator[pa.Table]) -> Iterator[pa.Table]:  # noqa: ARG002  # as files are read
        """Yield the rows block by block."""
        import ray

        for piece in self.pieces:
            block = next(early) if piece.ref is None else ray.get(piece.ref)
            rows = block.slice(piece.start, piece.rows)
            yield fit_block(rows, self.schema)

    def feed(self, bench: Bench, name: str, early: Iterator[pa.Table]) -> Feed:
        """Give the rows to a session that sorts them, out of the way of other tasks' blocks."""
        return _stage(bench, name, self.read(bench, name, early), self.schema)


Portion = FilePart | Pieces


def _stage(bench: Bench, name: str, rows: Iterable[pa.Table], schema: TableSchema) -> Feed:
    return feed_staged(bench.session, name, stage_tables(rows, schema, bench.folder / name), schema)


def fit_block(block: pa.Table, schema: TableSchema) -> pa.Table:
    """Return a block with exactly the columns of a schema; those that it lacks are null.

    Raises:
        SourceError: A value does not fit its column's type.
    """
    target = to_arrow(schema)
    if block.schema.equals(target):
        return block
    for name in schema.names:
        if name not in block.column_names:
            block = block.append_column(name, pa.nulls(block.num_rows))
    try:
        return conform(block, schema)
    except ValueError as error:
        raise SourceError(f"blocks of Ray's differ: {error}") from None


def gather_slabs(batches: Iterable[pa.RecordBatch], schema: TableSchema) -> Iterator[pa.Table]:
    """Yield batches as tables of `SLAB_BYTES` or so, without empty ones."""
    target = to_arrow(schema)
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if batch.num_rows:
            held.append(batch)
            size += batch.nbytes
        if size >= SLAB_BYTES:
            yield pa.Table.from_batches(held, target)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held, target)
