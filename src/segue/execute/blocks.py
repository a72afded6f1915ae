"""A table's rows group by group: all at once where they fit, else as a sorted stream.

A block is a table of whole groups, one after the other, and where each begins. A
table that fits in memory is one block, sorted by the codes of its keys; a larger one
comes from the engine in the order of its keys and is cut where a key changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from segue.protocols import Session

BLOCK_BYTES = 64 * 2**20
"""Size of the blocks of a stream, unless one group is larger."""

_SIXTEEN = 16


@dataclass(frozen=True, slots=True)
class Block:
    """Whole groups of a table.

    Attributes:
        table: Rows, those of a group together.
        bounds: Row at which each group begins, and the number of rows at the end.
    """

    table: pa.Table
    bounds: Sequence[int]

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.bounds) - 1

    def keys(self, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return the values of key columns, group by group."""
        import pyarrow as pa

        firsts = self.table.select(list(columns)).take(pa.array(self.bounds[:-1], pa.int64()))
        return list(zip(*(column.to_pylist() for column in firsts.columns), strict=True))


def order_clause(by: Sequence[str], sort: Sequence[str]) -> str:
    """Return the ORDER BY of groups and of the rows inside them; empty without either.

    Example:
        >>> order_clause(["store"], ["-day"])
        ' order by "store" asc nulls last, "day" desc nulls last'
    """
    terms = [f"{quote(name)} asc nulls last" for name in by]
    for name in sort:
        way = "desc" if name.startswith("-") else "asc"
        terms.append(f"{quote(name.removeprefix('-'))} {way} nulls last")
    return f" order by {', '.join(terms)}" if terms else ""


def read_blocks(
    session: Session, query: str, by: Sequence[str], sort: Sequence[str], budget: int
) -> Iterator[Block]:
    """Yield the groups of a SELECT in the order of their keys, nulls last.

    Args:
        session: Runs the SELECT.
        query: A SELECT.
        by: Key columns; nulls are keys like any other.
        sort: Columns that order the rows of a group; without them rows stay as they come.
        budget: Most bytes to hold at once; groups that need more are held one at a time.
    """
    held = _read_within(session, f"select * from ({query}){order_clause((), sort)}", budget)
    if held is not None:
        if held.num_rows:
            yield _sort_block(held, by)
        return
    ordered = f"select * from ({query}){order_clause(by, sort)}"
    yield from cut_stream(session.stream(ordered), by)


def _read_within(session: Session, query: str, budget: int) -> pa.Table | None:
    """Return all rows, or None as soon as they turn out to need more than `budget` bytes."""
    import pyarrow as pa

    reader = session.stream(query)
    batches, size = [], 0
    for batch in reader:
        size += batch.nbytes
        if size > budget:
            reader.close()
            return None
        batches.append(batch)
    return pa.Table.from_batches(batches, reader.schema)


def _sort_block(table: pa.Table, by: Sequence[str]) -> Block:
    import numpy as np
    import pyarrow as pa

    codes = _encode_keys(table, by)
    if (codes[1:] < codes[:-1]).any():
        order = _stable_order(codes)
        table, codes = table.combine_chunks().take(pa.array(order)), codes[order]
    changes = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    return Block(table, [0, *changes.tolist(), len(codes)])


def _encode_keys(table: pa.Table, by: Sequence[str]) -> Any:
    """Return one number per row: equal for equal keys, and in the keys' order."""
    import numpy as np

    codes, count = np.zeros(table.num_rows, np.int64), 1
    for name in by:
        ranks, distinct = _rank_values(table.column(name))
        codes, count = codes * distinct + ranks, count * distinct
        if count > 2**31:
            seen, codes = np.unique(codes, return_inverse=True)
            count = len(seen)
    return codes


def _rank_values(column: pa.ChunkedArray) -> tuple[Any, int]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type):
        seen: dict[str, int] = {}
        codes = [seen.setdefault(repr(value), len(seen)) for value in column.to_pylist()]
        return np.array(codes, np.int64), max(len(seen), 1)
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    if isinstance(encoded, pa.ChunkedArray):  # an empty one stays chunked
        return np.zeros(len(column), np.int64), 1
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks[encoded.indices.to_numpy()], max(len(order), 1)


def _stable_order(codes: Any) -> Any:
    """Return the stable order of codes, 16 bits at a time: those are sorted by counting."""
    import numpy as np

    order = np.argsort((codes & 0xFFFF).astype(np.uint16), kind="stable")
    shift, highest = _SIXTEEN, int(codes.max())
    while highest >> shift:
        part = ((codes >> shift) & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(part[order], kind="stable")]
        shift += _SIXTEEN
    return order


def cut_stream(batches: Iterator[pa.RecordBatch], by: Sequence[str]) -> Iterator[Block]:
    """Cut rows that come in the order of their keys into blocks of whole groups."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        held.append(batch)
        size += batch.nbytes
        if size < BLOCK_BYTES:
            continue
        table = pa.Table.from_batches(held)
        bounds = _find_bounds(table, by)
        if len(bounds) > 2:  # noqa: PLR2004  # the last group may go on in the next batch
            yield Block(table.slice(0, bounds[-2]), bounds[:-1])
            table = table.slice(bounds[-2])
        held = table.to_batches()
        size = sum(batch.nbytes for batch in held)
    if held:
        table = pa.Table.from_batches(held)
        yield Block(table, _find_bounds(table, by))


def _find_bounds(table: pa.Table, by: Sequence[str]) -> list[int]:
    import numpy as np

    codes = _encode_keys(table, by)
    return [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist(), table.num_rows]
