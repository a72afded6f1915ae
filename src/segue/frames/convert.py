"""From Arrow to the frame that a function asks for, and back."""

from __future__ import annotations

from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from segue.errors import MissingExtraError
from segue.frames.arrow_types import (
    conform,
    conform_batch,
    from_arrow,
    settle_times,
    to_arrow,
)
from segue.frames.kinds import WRAPPED, find_kind, name_type
from segue.spec.step import FrameKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pyarrow as pa

    from segue.frames.adapter import FrameAdapter
    from segue.spec.step import FrameSpec
    from segue.spec.types import TableSchema

BATCH_ROWS = 100_000
"""Rows of one frame of an iterator."""

_WINDOW_ROWS = 4_096

_ADAPTERS = {
    FrameKind.PANDAS: ("pandas_", "PANDAS"),
    FrameKind.POLARS: ("polars_", "EAGER"),
    FrameKind.POLARS_LAZY: ("polars_", "LAZY"),
    FrameKind.ARROW: ("arrow", "TABLE"),
    FrameKind.ARROW_BATCH: ("arrow", "BATCH"),
    FrameKind.DUCKDB: ("duckdb_", "RELATION"),
    FrameKind.ROWS: ("rows", "ROWS"),
}


@cache
def load_adapter(kind: FrameKind, over: FrameKind | None = None) -> FrameAdapter:
    """Return the adapter of a kind of frame, and import its library.

    Args:
        kind: Any kind.
        over: Which frame is inside, for narwhals' kinds.

    Raises:
        MissingExtraError: The library is not installed; the hint is the command.
    """
    try:
        if kind in WRAPPED:
            from segue.frames.narwhals_ import wrap_adapter

            return wrap_adapter(kind, load_adapter(over or FrameKind.ARROW))
        module, name = _ADAPTERS[kind]
        adapter: FrameAdapter = getattr(import_module(f"segue.frames.{module}"), name)
    except ModuleNotFoundError as error:
        extra = kind.partition(".")[0]
        raise MissingExtraError(f"{extra} is not installed", hint=f"pip install {extra}") from error
    return adapter


def to_frame(
    data: pa.Table | Iterable[pa.RecordBatch], spec: FrameSpec, schema: TableSchema
) -> Any:
    """Return data as the frame, or the iterator of frames, that an annotation asks for.

    Args:
        data: A table, or a reader or generator of batches.
        spec: What is asked for. An iterator over batches holds one of them at a time.
        schema: Columns and types; an empty frame has them too.

    Example:
        >>> import pyarrow as pa
        >>> from segue.spec.step import FrameSpec
        >>> from segue.spec.types import parse_schema
        >>> to_frame(
        ...     pa.table({"a": [1, None]}), FrameSpec(FrameKind.ROWS), parse_schema("a: int64")
        ... )
        [{'a': 1}, {'a': None}]
    """
    import pyarrow as pa

    adapter = load_adapter(spec.kind, spec.over)
    if spec.iterator:
        batches = data.to_batches(BATCH_ROWS) if isinstance(data, pa.Table) else data
        return _iterate(batches, adapter, schema)
    table = data if isinstance(data, pa.Table) else pa.Table.from_batches(data, to_arrow(schema))
    return adapter.make(conform(table, schema))


def _iterate(
    batches: Iterable[pa.RecordBatch], adapter: FrameAdapter, schema: TableSchema
) -> Iterator[Any]:
    import pyarrow as pa

    for batch in batches:
        yield adapter.make(pa.Table.from_batches([conform_batch(batch, schema)]))


def open_slices(table: pa.Table, spec: FrameSpec) -> Callable[[int, int], Any]:
    """Return a function that gives rows of a table, from and to, as the frame asked for.

    Where the library cuts frames well, the table is converted once for all of them, so that
    thousands of small groups cost little.
    """
    adapter = load_adapter(spec.kind, spec.over)
    if adapter.cut is not None and not spec.iterator:
        return partial(adapter.cut, adapter.make(table))
    schema = from_arrow(table.schema)
    if spec.iterator:
        return lambda start, stop: to_frame(table.slice(start, stop - start), spec, schema)
    laid_out = conform(table, schema)
    if adapter.cut is None and spec.kind is FrameKind.ROWS:
        return _Window(laid_out, adapter).cut
    return lambda start, stop: adapter.make(laid_out.slice(start, stop - start))


class _Window:
    """Rows of a table as objects, some thousands at a time: all of them need much memory."""

    def __init__(self, table: pa.Table, adapter: FrameAdapter) -> None:
        self._table = table
        self._adapter = adapter
        self._rows: Any = []
        self._start = 0

    def cut(self, start: int, stop: int) -> Any:
        """Return rows, from and to; those of the last call are not held any longer."""
        if start < self._start or stop > self._start + len(self._rows):
            size = max(stop - start, _WINDOW_ROWS)
            self._rows, self._start = self._adapter.make(self._table.slice(start, size)), start
        return self._rows[start - self._start : stop - self._start]


def from_frame(result: Any, kind: FrameKind, hints: TableSchema | None = None) -> pa.Table:
    """Return a frame as a table; a lazy one is computed.

    Args:
        result: One frame.
        kind: What it was announced to be.
        hints: Columns and types that are likely, for what Python's objects alone don't tell:
            the precision of decimals, or what an empty column would hold.

    Raises:
        TypeError: It is something else; the message says what.
        ValueError: A column can't be stored; the message names it.
    """
    import pyarrow as pa

    refuse_other(result, kind)
    result, kind = unwrap_frame(result, kind)
    known = pa.schema([]) if hints is None else to_arrow(hints)
    return settle_times(load_adapter(kind).read(result, known))


def unwrap_frame(frame: Any, kind: FrameKind) -> tuple[Any, FrameKind]:
    """Return what is inside a narwhals frame, and its kind; any other frame as it is."""
    if kind not in WRAPPED:
        return frame, kind
    found = find_kind(frame)
    if found is not None and found.kind in WRAPPED:
        frame, found = frame.to_native(), find_kind(frame.to_native())
    assert found is not None  # noqa: S101  # `is_frame` saw that there is one
    return frame, found.kind


def join_frames(frames: Sequence[Any], kind: FrameKind) -> Any | None:
    """Return frames of one kind below each other, or None where they don't simply fit."""
    join = load_adapter(kind).join
    return None if join is None else join(frames)


def refuse_other(result: Any, kind: FrameKind) -> None:
    """Raise if a result is not the frame that it was announced to be.

    Raises:
        TypeError: The message says what it is instead.
    """
    if not is_frame(result, kind):
        raise TypeError(name_type(result))


def is_frame(result: Any, kind: FrameKind) -> bool:
    """Return whether a result is a frame of this kind."""
    if kind is FrameKind.NOTHING:
        return result is None
    if kind in WRAPPED:
        found = find_kind(result)  # functions for narwhals may return what was inside
        return found is not None and found.kind is not FrameKind.ROWS and not found.iterator
    return isinstance(result, load_adapter(kind).frame)
