"""Data computed once, and kept where it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from segue.anywhere.compute import give_table
from segue.anywhere.data import Data, read_data
from segue.anywhere.inputs import open_data
from segue.anywhere.sessions import Opened, open_session
from segue.frames.kinds import find_kind
from segue.spec.sql import quote_identifier as quote
from segue.spec.step import FrameKind

DATA = "data"
"""How errors name what is given."""

EAGER = (
    FrameKind.PANDAS,
    FrameKind.POLARS,
    FrameKind.ARROW,
    FrameKind.ARROW_BATCH,
    FrameKind.ROWS,
    FrameKind.NARWHALS,
)
"""Kinds of frames whose rows are in memory already, whatever is done with them."""


def persist(data: Any, *, on: Any = None) -> Any:
    """Compute data once and keep it, so that what uses it does not compute it again.

    Args:
        data: A lazy frame, an iterator of frames, an engine's own frame, the path of files, or
            a frame of any other kind.
        on: Where to keep it: None for where the data is, the name of an engine, an address, or
            a live session of an engine.

    Returns:
        A frame of the same kind. An engine's own frame stays on the engine's workers; so does
        whatever is kept ``on`` an engine, which returns it as its own. An iterator's frames
        are put together as one of their kind, for an iterator can be read only once. A path
        gives Arrow.

    Raises:
        UsageError: There is no such engine, or the data can't be read.
        SegueError: It can't be computed.

    Example:
        >>> import pyarrow as pa
        >>> parts = (pa.table({"n": [number]}) for number in (1, 2))
        >>> persist(parts)["n"].to_pylist()
        [1, 2]
    """
    if on is None and is_eager(data):
        return data
    with open_session(on, [data]) as opened:
        given = read_data(data, DATA, live=opened.is_live(data)).hold()
        table = given.table
        if table is None or is_spread(opened):
            opened.session.bind(DATA, open_data(given))
            query = f"select * from {quote(DATA)}"
            if is_spread(opened):
                frame = opened.session.persist(query)
                opened.keep()
                return frame
            table = opened.session.fetch(query)
    return give_table(table, _once(given), None)


def is_eager(data: Any) -> bool:
    """Return whether all rows of a frame are in memory."""
    kind = find_kind(data)
    return kind is not None and not kind.iterator and kind.kind in EAGER


def is_spread(opened: Opened) -> bool:
    """Return whether a session's data are on workers, elsewhere than in this process."""
    return opened.site is not None and opened.site.capabilities.distributed


def _once(given: Data) -> Data:
    """Return data as one frame instead of an iterator of them."""
    if given.frame is None or not given.frame.iterator:
        return given
    kind = given.frame.kind
    if kind is FrameKind.ARROW_BATCH:
        kind = FrameKind.ARROW  # whose rows come in several batches
    return replace(given, frame=replace(given.frame, kind=kind, iterator=False))
