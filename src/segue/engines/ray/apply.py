"""How work on bound data becomes tasks: which rows each of them gets."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from segue.engines.ray.bench import Limits
from segue.engines.ray.flight import Launch
from segue.engines.ray.portions import FilePart, Piece, Pieces
from segue.engines.ray.sources import Blocks, Files, measure_row
from segue.engines.ray.tasks import Apply, Split
from segue.frames.split import MOST_PARTS
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from segue.engines.ray.connect import Cluster
    from segue.engines.ray.flight import Flight
    from segue.engines.ray.portions import Portion
    from segue.engines.ray.sources import Block
    from segue.spec.layout import Layout
    from segue.spec.types import TableSchema

LARGEST_HELD = 10**9
"""Bytes of rows that a task holds at once, at most; a quarter of its memory if that is less."""

LARGEST_PART = 128 * 2**20
SMALLEST_PART = 4 * 2**20
"""Sizes of the parts that go through Ray's object store."""

_READS = 4
"""How many tasks for each worker may read all files, and keep their own part of the rows."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input of work.

    Attributes:
        data: Where its rows are.
        schema: Its columns.
        rows: How many rows it has.
    """

    data: Files | Blocks
    schema: TableSchema
    rows: int

    @property
    def bytes(self) -> int:
        """Size of all rows in memory, roughly."""
        if isinstance(self.data, Blocks):
            return sum(block.bytes for block in self.data.blocks)
        return self.rows * measure_row(self.schema)

    def whole(self) -> Portion:
        """Return all rows."""
        if isinstance(self.data, Files):
            return FilePart(self.data.scan, self.schema)
        return take_blocks(self.data.blocks, self.schema)

    def between(self, start: int, stop: int) -> Portion:
        """Return the rows from one to another."""
        if isinstance(self.data, Files):
            return FilePart(self.data.scan, self.schema, start=start, rows=stop - start)
        pieces, begin = [], 0
        for block in self.data.blocks:
            first, last = max(start - begin, 0), min(stop - begin, block.rows)
            if first < last:
                pieces.append(Piece(block.ref, first, last - first))
            begin += block.rows
        return Pieces(tuple(pieces), self.schema)


def limit_tasks(cluster: Cluster) -> Limits:
    """Return what a task may use that shares its machine with others."""
    held = min(cluster.memory // 4, LARGEST_HELD)
    return Limits(threads=1, memory=max(cluster.memory // 2, 400_000_000), held=held)


def limit_query(cluster: Cluster) -> Limits:
    """Return what a SELECT may use, which has half of a machine."""
    threads = max(cluster.workers // cluster.nodes, 1)
    return Limits(threads, max(cluster.memory * threads // 2, 400_000_000), LARGEST_HELD)


def _part_bytes(cluster: Cluster) -> int:
    return max(min(cluster.store // 3, LARGEST_PART), SMALLEST_PART)


@dataclass(frozen=True, slots=True)
class Applying:
    """One piece of work on all of its inputs.

    Attributes:
        flight: Has tasks done.
        cluster: Where.
        inputs: The inputs.
        work: Reference to the work, as cloudpickle wrote it.
        layout: How rows are brought together.
    """

    flight: Flight
    cluster: Cluster
    inputs: tuple[Input, ...]
    work: Any
    layout: Layout

    def run(self) -> list[Block]:
        """Have the work done and return the blocks of the result.

        Raises:
            SegueError: It failed.
        """
        groups = self.flight.run(self._launch(portions) for portions in self._cut())
        return [block for blocks in groups for block in blocks]

    def _cut(self) -> Iterator[tuple[Portion, ...]]:
        """Yield what each task gets."""
        if self.layout.by:
            yield from self._cut_by_keys()
        elif self.layout.whole or len(self.inputs) > 1:
            yield tuple(each.whole() for each in self.inputs)
        else:
            yield from self._cut_by_rows()

    def _cut_by_rows(self) -> Iterator[tuple[Portion, ...]]:
        (only,) = self.inputs
        if self.layout.loose and not only.rows:
            yield (only.whole(),)
            return
        for start, stop in cut_rows(only.rows, self.layout, self._count_parts(_part_bytes)):
            yield (only.between(start, stop),)

    def _cut_by_keys(self) -> Iterator[tuple[Portion, ...]]:
        if not any(each.rows for each in self.inputs):
            return
        parts = self.layout.parts or self._count_parts(lambda _: self._limits.held // 2)
        if parts == 1:
            yield tuple(each.whole() for each in self.inputs)
        elif parts <= self.cluster.workers * _READS and all(map(self._reads_keys, self.inputs)):
            keys = ", ".join(quote(name) for name in self.layout.keys)
            for part in range(parts):
                where = f"hash({keys}) % {parts} = {part}"
                yield tuple(
                    FilePart(each.data.scan, each.schema, where)
                    for each in self.inputs
                    if isinstance(each.data, Files)
                )
        else:
            yield from self._shuffle(self.layout.parts or self._count_parts(_part_bytes))

    def _shuffle(self, parts: int) -> Iterator[tuple[Portion, ...]]:
        """Have the rows split by their keys, and yield those that belong together."""
        splits = [self._split(each, parts) for each in self.inputs]
        for part in range(parts):
            # whoever takes them is the last who needs them, and Ray may forget them
            rows = [split.pop(part, []) for split in splits]
            if any(rows):
                yield tuple(
                    take_blocks(blocks, each.schema)
                    for blocks, each in zip(rows, self.inputs, strict=True)
                )

    def _split(self, each: Input, parts: int) -> dict[int, list[Block]]:
        """Have the rows of an input split by their keys; return the blocks of each part."""
        count = max(1, -(-each.bytes // _part_bytes(self.cluster)))
        bounds = _even_bounds(each.rows, min(count, max(each.rows, 1)))
        groups = self.flight.run(
            self._launch_split(each.between(start, stop), parts) for start, stop in bounds
        )
        found: dict[int, list[Block]] = {}
        for blocks in groups:
            for block in blocks:
                found.setdefault(block.part, []).append(block)
        return found

    def _launch_split(self, portion: Portion, parts: int) -> Launch:
        (portion,), early = self._send_early((portion,))
        return Launch(Split(portion, self.layout.by, parts, self._limits), early)

    def _launch(self, portions: tuple[Portion, ...]) -> Launch:
        portions, early = self._send_early(portions)
        return Launch(Apply(self.work, portions, self.layout, self._limits), early)

    def _send_early(
        self, portions: tuple[Portion, ...]
    ) -> tuple[tuple[Portion, ...], tuple[Any, ...]]:
        """Let Ray bring blocks to the worker before the task starts, if they are not too many."""
        pieces = [p for each in portions if isinstance(each, Pieces) for p in each.pieces]
        size = sum(
            p.rows * measure_row(e.schema)
            for e in portions
            if isinstance(e, Pieces)
            for p in e.pieces
        )
        if size > self.cluster.store:
            return portions, ()
        sent = tuple(each.sent() if isinstance(each, Pieces) else each for each in portions)
        return sent, tuple(piece.ref for piece in pieces)

    def _reads_keys(self, each: Input) -> bool:
        """Return whether files hold the keys in just the types in which they meet."""
        found = [each.schema.find(column.name) for column in self.layout.by]
        return isinstance(each.data, Files) and tuple(found) == self.layout.by

    def _count_parts(self, size: Callable[[Cluster], int]) -> int:
        """Return how many parts of a size there are: as many for each worker."""
        rows = sum(each.rows for each in self.inputs)
        needed = -(-sum(each.bytes for each in self.inputs) // size(self.cluster))
        rounds = max(1, -(-needed // self.cluster.workers))
        return max(1, min(rounds * self.cluster.workers, rows, MOST_PARTS))

    @property
    def _limits(self) -> Limits:
        return limit_tasks(self.cluster)


def cut_rows(rows: int, layout: Layout, parts: int) -> list[tuple[int, int]]:
    """Return from which row to which each part goes.

    Args:
        rows: How many rows there are.
        layout: Says how many parts, how large, and whether evenly.
        parts: How many parts, unless the layout says it.

    Example:
        >>> from segue.spec.layout import Layout
        >>> cut_rows(10, Layout(part_rows=4), 2)
        [(0, 4), (4, 8), (8, 10)]
        >>> cut_rows(10, Layout(part_rows=4, even=True), 2)
        [(0, 4), (4, 7), (7, 10)]
    """
    if layout.part_rows is not None and not layout.even:
        edges = [*range(0, rows, layout.part_rows), rows]
        return list(pairwise(edges))
    if layout.part_rows is not None:
        parts = -(-rows // layout.part_rows)
    return _even_bounds(rows, min(layout.parts or parts, max(rows, 1)) if rows else 0)


def _even_bounds(rows: int, parts: int) -> list[tuple[int, int]]:
    least, more = divmod(rows, parts) if parts else (0, 0)
    edges = [least * part + min(part, more) for part in range(parts + 1)]
    return list(pairwise(edges))


def take_blocks(blocks: Sequence[Block], schema: TableSchema) -> Pieces:
    """Return all rows of blocks."""
    return Pieces(tuple(Piece(block.ref, 0, block.rows) for block in blocks), schema)
