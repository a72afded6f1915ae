"""Narwhals' frames, eager and lazy, over the frame that is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals as nw

from segue.spec.step import FrameKind

if TYPE_CHECKING:
    import pyarrow as pa

    from segue.frames.adapter import FrameAdapter


def wrap_lazy(native: Any) -> nw.LazyFrame[Any]:
    """Return a lazy frame of narwhals over a native one."""
    lazy: nw.LazyFrame[Any] = nw.from_native(native).lazy()
    return lazy


def wrap_adapter(kind: FrameKind, inner: FrameAdapter) -> FrameAdapter:
    """Return how frames are made for functions that use narwhals.

    Args:
        kind: One of narwhals' kinds.
        inner: Makes the frame inside.
    """
    if kind is FrameKind.NATIVE:
        return inner
    frame = nw.LazyFrame if kind is FrameKind.NARWHALS_LAZY else nw.DataFrame

    def wrap(native: Any) -> Any:
        wrapped: Any = nw.from_native(native)
        return wrapped.lazy() if kind is FrameKind.NARWHALS_LAZY else wrapped

    def make(table: pa.Table) -> Any:
        return wrap(inner.make(table))

    def cut(wrapped: Any, start: int, stop: int) -> Any:
        assert inner.cut is not None  # noqa: S101  # it is left out otherwise
        return wrap(inner.cut(wrapped.to_native(), start, stop))

    return replace(inner, frame=frame, make=make, cut=cut if inner.cut else None, join=None)
