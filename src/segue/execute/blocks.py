"""A table's rows group by group: all at once where they fit, else as a sorted stream.

A block is a table of whole groups, one after the other, and where each begins. A
table that fits in memory is one block, sorted by the codes of its keys; a larger one
comes from the engine in the order of its keys and is cut where a key changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.frames.values import list_values
from segue.spec.sql import quote_identifier as quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
        return list_keys(self.table, columns, self.bounds[:-1])


def list_keys(table: pa.Table, columns: Sequence[str], rows: Any) -> list[tuple[Any, ...]]:
    """Return the values of key columns in some rows."""
    import pyarrow as pa

    firsts = table.select(list(columns)).take(pa.array(rows, pa.int64()))
    return list(zip(*map(list_values, firsts.columns), strict=True))


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
            yield sort_block(held, by)
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


def sort_block(table: pa.Table, by: Sequence[str], sort: Sequence[str] = ()) -> Block:
    """Return a table's groups in the order of their keys, nulls last.

    Args:
        table: Rows in any order.
        by: Key columns.
        sort: Columns that order the rows of a group; without them rows stay as they come.
    """
    codes = encode_keys(table, by)
    return cut_codes(*order_codes(table, codes, sort))


def order_codes(table: pa.Table, codes: Any, sort: Sequence[str] = ()) -> tuple[pa.Table, Any]:
    """Return rows in the order of numbers, one for each row, then of sort terms."""
    import pyarrow as pa

    inner = sort_indices(table, sort) if sort and len(codes) else None
    order, codes = order_rows(codes, inner)
    if order is not None:
        table = table.combine_chunks().take(pa.array(order))
    return table, codes


def order_rows(codes: Any, inner: Any = None) -> tuple[Any, Any]:
    """Return the positions of rows in the order of numbers, and the numbers in that order.

    Args:
        codes: One number for each row.
        inner: Positions of rows in the order that those of one number keep; None if they are
            in it. If nothing is to be moved, the same is returned.
    """
    if inner is not None:
        codes = codes[inner]
    if not (codes[1:] < codes[:-1]).any():
        return inner, codes
    outer = _stable_order(codes)
    return outer if inner is None else inner[outer], codes[outer]


def cut_codes(table: pa.Table, codes: Any) -> Block:
    """Return the groups of rows that come in the order of numbers, one for each row."""
    return Block(table, find_bounds(codes))


def find_bounds(codes: Any) -> list[int]:
    """Return where numbers change, with both ends."""
    import numpy as np

    if not len(codes):
        return [0]
    changes = np.flatnonzero(codes[1:] != codes[:-1]) + 1
    return [0, *changes.tolist(), len(codes)]


def sort_indices(table: pa.Table, sort: Sequence[str]) -> Any:
    """Return the stable order of rows by sort terms: nulls last, NaN above all numbers.

    Raises:
        ValueError: A column can't be ordered.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: dict[str, Any] = {}
    keys: list[tuple[str, str]] = []
    for number, term in enumerate(sort):
        way = "descending" if term.startswith("-") else "ascending"
        column = table.column(term.removeprefix("-"))
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_nested(column.type):
            raise ValueError(f"rows can't be sorted by {term!r}: it holds {column.type}")
        if pa.types.is_null(column.type):
            continue
        if way == "descending" and pa.types.is_floating(column.type):
            columns[f"{number} nan"] = pc.is_nan(column)
            keys.append((f"{number} nan", way))
        columns[f"{number}"] = column
        keys.append((f"{number}", way))
    if not keys:
        return pa.array(range(table.num_rows)).to_numpy()
    order = pc.sort_indices(pa.table(columns), sort_keys=keys)  # nulls at the end
    return order.to_numpy()


def encode_keys(table: pa.Table, by: Sequence[str]) -> Any:
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
    if pa.types.is_floating(column.type):
        column = pc.add(column, pa.scalar(0, column.type))  # -0.0 equals 0.0
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


def cut_stream(batches: Iterable[pa.RecordBatch], by: Sequence[str]) -> Iterator[Block]:
    """Cut rows that come in the order of their keys into blocks of whole groups."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    size, enough = 0, BLOCK_BYTES
    for batch in batches:
        if not batch.num_rows:
            continue
        held.append(batch)
        size += batch.nbytes
        if size < enough:
            continue
        block = _find_block(pa.Table.from_batches(held), by)
        rest = block.table
        if len(block) > 1:  # the last group may go on in the next batch
            yield Block(block.table.slice(0, block.bounds[-2]), block.bounds[:-1])
            rest = block.table.slice(block.bounds[-2])
        held = rest.to_batches()
        size = sum(batch.nbytes for batch in held)
        # a group that is larger than a block is not looked at again for each batch of it
        enough = max(BLOCK_BYTES, 2 * size)
    if held:
        yield _find_block(pa.Table.from_batches(held), by)


def _find_block(table: pa.Table, by: Sequence[str]) -> Block:
    return cut_codes(table, encode_keys(table, by))
