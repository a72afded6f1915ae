"""Polars' frames, eager and lazy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from segue.frames.adapter import FrameAdapter

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa


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
        if type_ == pl.Object or str(type_) in ("Int128", "UInt128"):
            raise ValueError(f"column {name!r} is of polars' type {type_}, which can't be stored")
    return frame.to_arrow()


def join_polars(frames: Sequence[pl.DataFrame]) -> pl.DataFrame | None:
    """Return frames below each other if they have the same columns and types, else None."""
    first = frames[0].schema
    if any(frame.schema != first for frame in frames[1:]):
        return None
    return pl.concat(frames, how="vertical")


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
