"""Polars' frames, eager and lazy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from segue.frames.adapter import FrameAdapter
from segue.frames.arrow_types import from_arrow_type, to_arrow
from segue.spec.nearest import find_storage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from segue.spec.types import DataType, TableSchema

_RESTORED = frozenset(
    ("uint8", "uint16", "uint32", "uint64", "categorical", "timestamp", "time", "duration")
)
"""Kinds that a cast takes from their nearest type."""
_FACTORS = {("time", ""): 1000, ("duration", "s"): 1000}
"""How many of the units in which Polars counts are one of those that are stored."""


def to_polars(table: pa.Table) -> pl.DataFrame:
    """Return a table as an eager frame."""
    if not table.num_columns:
        return pl.DataFrame()
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101  # a table never becomes a Series
    return frame


def from_polars(frame: pl.DataFrame) -> pa.Table:
    """Return an eager frame as a table.

    Raises:
        ValueError: A column holds Python objects or numbers wider than 64 bits.
    """
    for name, type_ in frame.schema.items():
        if (odd := _find_odd(type_)) is not None:
            raise ValueError(f"column {name!r} is of polars' type {odd}, which can't be stored")
    return frame.to_arrow()


def _find_odd(type_: Any) -> Any | None:
    """Return a type, or a part of it, that Arrow has no room for."""
    if type_ == pl.Object or str(type_) in ("Int128", "UInt128"):
        return type_
    inner = getattr(type_, "inner", None)
    parts = [inner] if inner is not None else [each.dtype for each in getattr(type_, "fields", ())]
    return next((odd for part in parts if (odd := _find_odd(part)) is not None), None)


def join_polars(frames: Sequence[pl.DataFrame]) -> pl.DataFrame | None:
    """Return frames below each other if they have the same columns and types, else None."""
    try:
        return pl.concat([frame for frame in frames if frame.width or frame.height])
    except (pl.exceptions.PolarsError, ValueError):  # they differ, or all of them are empty
        return None


def scan_parquet(paths: Sequence[str], schema: TableSchema) -> pl.LazyFrame | None:
    """Return Parquet files as a lazy frame, in the types that they stand for.

    Args:
        paths: The files, whose columns lie in their nearest types.
        schema: What they are.

    Returns:
        None if Polars can't restore a type by itself.
    """
    wanted = to_polars(to_arrow(schema).empty_table()).schema
    restored = []
    for column in schema:
        lies = pl.col(column.name)
        if column.type == find_storage(column.type):
            continue
        if column.type.kind not in _RESTORED:
            return None
        unit = str(column.type.arguments[0]) if column.type.arguments else ""
        factor = _FACTORS.get((column.type.kind, unit), 1)
        restored.append((lies * factor if factor > 1 else lies).cast(wanted[column.name]))
    return pl.scan_parquet(list(paths)).with_columns(restored)


def read_dtype(dtype: Any) -> DataType:
    """Return the column type that a dtype tells.

    Raises:
        ValueError: It tells none.
    """
    if (odd := _find_odd(dtype)) is not None:
        raise ValueError(f"polars' type {odd} can't be stored")
    return from_arrow_type(pl.Series([], dtype=dtype).to_arrow().type)


EAGER = FrameAdapter(
    pl.DataFrame,
    to_polars,
    lambda frame, _: from_polars(frame),
    lambda frame, start, stop: frame.slice(start, stop - start),
    join_polars,
)
LAZY = FrameAdapter(
    pl.LazyFrame,
    lambda table: to_polars(table).lazy(),
    lambda frame, _: from_polars(frame.collect()),
)
