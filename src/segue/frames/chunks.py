"""Rows as they come, in chunks of so many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from segue.spec.layout import Layout


def cut_rows(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.Table]:
    """Yield tables of exactly so many rows; the last may have fewer.

    Example:
        >>> import pyarrow as pa
        >>> parts = cut_rows(pa.table({"a": range(5)}).to_batches(2), 2)
        >>> [part["a"].to_pylist() for part in parts]
        [[0, 1], [2, 3], [4]]
    """
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        start = 0
        while batch.num_rows - start >= rows - count:
            held.append(batch.slice(start, rows - count))
            start += rows - count
            yield pa.Table.from_batches(held)
            held, count = [], 0
        if start < batch.num_rows:
            held.append(batch.slice(start))
            count += batch.num_rows - start
    if held:
        yield pa.Table.from_batches(held)


def part_size(layout: Layout, rows: int) -> int:
    """Return how many rows a part has, at most, if so many are to be split evenly."""
    if layout.part_rows is not None:
        return layout.part_rows
    return max(-(-rows // (layout.parts or 1)), 1)
