"""Results as the frames that users ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.errors import UsageError
from segue.frames.arrow_types import from_arrow
from segue.frames.convert import to_frame
from segue.frames.kinds import find_class, name_kinds, name_type
from segue.registry import nearest
from segue.spec.step import FrameKind, FrameSpec

if TYPE_CHECKING:
    import pyarrow as pa

NATIVE = "native"
"""Asks for the engine's own frame."""

_WORDS = {
    "pandas": FrameKind.PANDAS,
    "polars": FrameKind.POLARS,
    "arrow": FrameKind.ARROW,
    "rows": FrameKind.ROWS,
    "duckdb": FrameKind.DUCKDB,
}


def read_returns(returns: Any) -> FrameSpec | str | None:
    """Return which frame is asked for: its kind, `NATIVE`, or None if the user left it open.

    Raises:
        UsageError: There is no such frame.
    """
    if returns is None or returns == NATIVE:
        return None if returns is None else NATIVE
    if isinstance(returns, str):
        kind = _WORDS.get(returns) or next((k for k in FrameKind if k.value == returns), None)
        if kind is not None and kind is not FrameKind.NOTHING:
            return FrameSpec(kind)
        hint = nearest(returns, [*_WORDS, NATIVE])
        raise UsageError(f"a result can't be returned as {returns!r}", hint=hint)
    if returns is list:
        return FrameSpec(FrameKind.ROWS)
    found = find_class(returns) if isinstance(returns, type) else None
    if found is None:
        shown = getattr(returns, "__name__", None) or name_type(returns)
        hint = f"there are: {', '.join([*_WORDS, NATIVE])}, or a class: {name_kinds()}"
        raise UsageError(f"a result can't be returned as {shown}", hint=hint)
    return found


def give_frame(table: pa.Table, frame: FrameSpec | None) -> Any:
    """Return a table as the frame that is asked for; Arrow's own if none is."""
    if frame is None or (frame.kind is FrameKind.ARROW and not frame.iterator):
        return table
    if frame.kind is FrameKind.ARROW_BATCH and frame.iterator:
        return table.to_reader()
    if frame.kind is FrameKind.DUCKDB and not table.num_columns:
        return table  # a relation has columns
    try:
        return to_frame(table, frame, from_arrow(table.schema))
    except ValueError as error:
        raise UsageError(f"the result can't be {frame}: {error}") from None
