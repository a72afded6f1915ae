"""Which kind of frame a value is, told without importing a frame library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segue.spec.step import FrameKind, FrameSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

WRAPPED = (FrameKind.NARWHALS, FrameKind.NARWHALS_LAZY, FrameKind.NATIVE)
"""Kinds that stand for another one: narwhals' frames, and what is inside them."""

_CLASSES = {
    ("pandas", "DataFrame"): FrameSpec(FrameKind.PANDAS),
    ("polars", "DataFrame"): FrameSpec(FrameKind.POLARS),
    ("polars", "LazyFrame"): FrameSpec(FrameKind.POLARS_LAZY),
    ("pyarrow", "Table"): FrameSpec(FrameKind.ARROW),
    ("pyarrow", "RecordBatch"): FrameSpec(FrameKind.ARROW_BATCH),
    ("pyarrow", "RecordBatchReader"): FrameSpec(FrameKind.ARROW_BATCH, iterator=True),
    ("duckdb", "DuckDBPyRelation"): FrameSpec(FrameKind.DUCKDB),
    ("_duckdb", "DuckDBPyRelation"): FrameSpec(FrameKind.DUCKDB),
    ("narwhals", "DataFrame"): FrameSpec(FrameKind.NARWHALS),
    ("narwhals", "LazyFrame"): FrameSpec(FrameKind.NARWHALS_LAZY),
}


def find_kind(value: Any) -> FrameSpec | None:
    """Return which kind of frame a value is, None if it is none.

    A list is one of dicts, and an iterator one of a kind that is not known yet: it is told as
    None, and `is_iterator` tells it apart.

    Example:
        >>> find_kind([{"a": 1}])
        FrameSpec(kind=<FrameKind.ROWS: 'list[dict]'>, iterator=False, over=None)
    """
    if isinstance(value, list):
        return FrameSpec(FrameKind.ROWS)
    found = find_class(type(value))
    if found is None or found.kind not in WRAPPED:
        return found
    inside = find_kind(value.to_native())
    return None if inside is None else replace(found, over=inside.kind)


def find_class(class_: type) -> FrameSpec | None:
    """Return which kind of frame the instances of a class are, None if they are none."""
    for base in class_.__mro__:
        found = _CLASSES.get((base.__module__.partition(".")[0], base.__name__))
        if found is not None:
            return found
    return None


def is_iterator(value: Any) -> bool:
    """Return whether a value is an iterator, and no frame."""
    return isinstance(value, Iterator) and find_kind(value) is None


def name_kinds(kinds: Iterable[FrameKind] = FrameKind) -> str:
    """Return kinds of frames as a sentence lists them."""
    return ", ".join(kind for kind in kinds if kind is not FrameKind.NOTHING)


def name_type(result: Any) -> str:
    """Return the type of a value as a user would write it.

    Example:
        >>> name_type(None), name_type([])
        ('None', 'list')
    """
    found = type(result)
    module = found.__module__.partition(".")[0]
    shown = found.__name__ if module == "builtins" else f"{module}.{found.__name__}"
    return "None" if result is None else shown
