"""Rows in parts by their keys, the same in every process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from segue.frames.arrow_types import conform
from segue.spec.types import Column, DataType, TableSchema

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_PARTS = 65_535
"""Numbers of 16 bits sort in one pass over the rows."""


def split_rows(table: pa.Table, keys: Sequence[Column], parts: int) -> list[pa.Table]:
    """Return the rows of a table in parts, such that rows with equal keys are in the same one.

    Which one depends on the values alone, not on the table, its layout or the process: so the
    parts of several tables belong together. Null is a key like any other, NaN equals NaN and
    -0.0 equals 0.0. Rows keep their order, and no part keeps another part's memory alive.

    Args:
        table: Any table that has the key columns.
        keys: Key columns, in the types that all tables share.
        parts: How many parts, at most `MOST_PARTS`.

    Raises:
        ValueError: A key does not fit its type; the message names column and value.

    Example:
        >>> from segue.spec.types import parse_schema
        >>> keys = parse_schema("k: int64").columns
        >>> narrow = pa.table({"k": pa.array([1, 2, 3, 1, None], pa.int8())})
        >>> wide = pa.table({"k": pa.array([1, None], pa.int64())})
        >>> [
        ...     set(b["k"].to_pylist()) <= set(a["k"].to_pylist())
        ...     for a, b in zip(split_rows(narrow, keys, 3), split_rows(wide, keys, 3))
        ... ]
        [True, True, True]
    """
    if not keys or parts == 1:
        return [table, *(table.slice(0, 0) for _ in range(parts - 1))]
    from segue.frames.duckdb_ import number_parts

    numbers = number_parts(_write_plain(table, keys), parts)
    order = np.argsort(numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers, minlength=parts))
    return [table.take(pa.array(rows)) for rows in np.split(order, ends[:-1])]


def _write_plain(table: pa.Table, keys: Sequence[Column]) -> pa.Table:
    """Return the keys alone, in types of which equal values are equal for DuckDB too."""
    names = [f"k{position}" for position in range(len(keys))]
    found = pa.table([table.column(key.name) for key in keys], names)
    wanted = (Column(name, _plain(key.type)) for name, key in zip(names, keys, strict=True))
    plain = conform(found, TableSchema(tuple(wanted)))
    for position, key in enumerate(keys):
        if key.type.kind == "duration":
            numbers = plain.column(position).cast(pa.int64())
            plain = plain.set_column(position, names[position], numbers)
    return plain


def _plain(type_: DataType) -> DataType:
    if type_.kind == "categorical":
        return _plain(type_.fields[0][1])
    fields = tuple((name, _plain(part)) for name, part in type_.fields)
    return DataType(type_.kind, type_.arguments, fields)
