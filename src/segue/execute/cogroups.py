"""Groups of several tables that are in memory, brought together by their keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from segue.execute.blocks import Block, cut_codes, encode_keys, order_codes
from segue.frames.arrow_types import conform, to_arrow
from segue.frames.values import list_values
from segue.spec.layout import INPUT, key_name, row_name
from segue.spec.types import TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from segue.spec.layout import Layout


@dataclass(frozen=True, slots=True)
class Cogroups:
    """Groups that several tables have in common.

    Attributes:
        keys: Values of the key columns, group by group.
        blocks: The rows of each table, group by group.
        places: For each table and group, which group of its block it is; -1 for none.
    """

    keys: Sequence[tuple[Any, ...]]
    blocks: Sequence[Block]
    places: Sequence[Sequence[int]]

    def bounds(self, number: int) -> Iterator[tuple[int, int]]:
        """Return for each table from and to which row a group goes."""
        for block, places in zip(self.blocks, self.places, strict=True):
            place = places[number]
            yield (0, 0) if place < 0 else (block.bounds[place], block.bounds[place + 1])


def meet_tables(tables: Sequence[pa.Table], layout: Layout, how: str) -> Cogroups:
    """Return the groups of tables, each in any order, in the order of the keys, nulls last.

    Args:
        tables: They have the key columns.
        layout: Says by which columns, in which types, and how rows are sorted.
        how: Which keys have a group: those that all tables have (``inner``), the first
            (``left``), the last (``right``) or any (``full``).
    """
    import pyarrow as pa

    schema = TableSchema(layout.by)
    keys = [conform(table.select(list(layout.keys)), schema) for table in tables]
    codes = _split(encode_keys(pa.concat_tables(keys), layout.keys), keys)
    ordered = [
        order_codes(table, part, _terms(table, layout))
        for table, part in zip(tables, codes, strict=True)
    ]
    return _meet(pa.concat_tables(keys), [part for _, part in ordered], ordered, codes, how)


def _terms(table: pa.Table, layout: Layout) -> tuple[str, ...]:
    names = set(table.column_names)
    return tuple(term for term in layout.sort if term.removeprefix("-") in names)


def _split(codes: Any, tables: Sequence[pa.Table]) -> list[Any]:
    parts, start = [], 0
    for table in tables:
        parts.append(codes[start : start + table.num_rows])
        start += table.num_rows
    return parts


def _meet(
    keys: pa.Table,
    sorted_codes: Sequence[Any],
    ordered: Sequence[tuple[pa.Table, Any]],
    codes: Sequence[Any],
    how: str,
) -> Cogroups:
    import numpy as np
    import pyarrow as pa

    found = [np.unique(part) for part in sorted_codes]
    if how == "inner":
        chosen = reduce(np.intersect1d, found)
    elif how in ("left", "right"):
        chosen = found[0 if how == "left" else -1]
    else:
        chosen = reduce(np.union1d, found)
    places = []
    for part in found:
        at = np.searchsorted(part, chosen)
        there = np.isin(chosen, part)
        places.append(np.where(there, at, -1).tolist())
    # of any row that has the code
    distinct, firsts = np.unique(np.concatenate(codes), return_index=True)
    rows = firsts[np.searchsorted(distinct, chosen)]
    values = keys.take(pa.array(rows, pa.int64()))
    listed = list(zip(*map(list_values, values.columns), strict=True))
    return Cogroups(listed, [cut_codes(*each) for each in ordered], places)


def cut_tagged(block: Block, schemas: Sequence[TableSchema], layout: Layout, how: str) -> Cogroups:
    """Return the groups of a block of a tagged stream.

    Args:
        block: Rows of whole groups, in the order of keys, inputs and sort columns.
        schemas: Columns of each input.
        layout: Says by which columns.
        how: Which keys have a group; see `meet_tables`.
    """
    import numpy as np
    import pyarrow as pa

    codes = np.repeat(np.arange(len(block)), np.diff(block.bounds))
    numbers = block.table.column(INPUT).to_numpy()
    tables = split_tagged(block.table, schemas)
    ordered = [(table, codes[numbers == number]) for number, table in enumerate(tables)]
    keys = [key_name(number) for number in range(len(layout.by))]
    first_rows = block.table.select(keys).take(pa.array(block.bounds[:-1], pa.int64()))
    firsts = [np.arange(len(block))]
    return _meet(first_rows, [part for _, part in ordered], ordered, firsts, how)


def split_tagged(table: pa.Table | None, schemas: Sequence[TableSchema]) -> list[pa.Table]:
    """Return the rows of each input of a tagged stream.

    Args:
        table: Rows of the stream, None for none.
        schemas: Columns of each input.
    """
    import pyarrow.compute as pc

    if table is None:
        return [to_arrow(schema).empty_table() for schema in schemas]
    numbers = table.column(INPUT)
    parts = []
    for number, schema in enumerate(schemas):
        rows = table.column(row_name(number)).filter(pc.equal(numbers, number))
        parts.append(conform(_unpack(rows), schema))
    return parts


def _unpack(column: pa.ChunkedArray) -> pa.Table:
    import pyarrow as pa

    names = [column.type.field(position).name for position in range(column.type.num_fields)]
    return pa.Table.from_arrays(column.flatten(), names=names)
