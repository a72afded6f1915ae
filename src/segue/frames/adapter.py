"""What each file of this folder says about its kind of frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from segue.spec.types import TableSchema


@dataclass(frozen=True, slots=True)
class PlainFrames:
    """How a library works on frames that Arrow would give back just as they are.

    Attributes:
        describe: Returns the columns of such a frame, None for any other.
        read: Returns some of its columns as a table.
        own: Returns its rows as a frame that shares nothing with it, in the order of the
            positions that are given, if any are.
        weigh: Returns about how many bytes it has.
    """

    describe: Callable[[Any], TableSchema | None]
    read: Callable[[Any, Sequence[str]], pa.Table]
    own: Callable[[Any, Any], Any]
    weigh: Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class FrameAdapter:
    """How one kind of frame is made from Arrow and read back.

    Attributes:
        frame: Its class.
        make: Makes one from a table; changing it leaves the table as it was.
        read: Returns one as a table. The schema tells the likely types of columns, for what
            Python objects alone don't tell. Raises ValueError for what can't be stored.
        cut: Returns rows of one, from and to, as another; None if Arrow does that better.
        join: Puts several below each other, None where they don't simply fit.
        plain: What it is for frames that need no way through Arrow; None if there is none.
    """

    frame: type
    make: Callable[[pa.Table], Any]
    read: Callable[[Any, pa.Schema], pa.Table]
    cut: Callable[[Any, int, int], Any] | None = None
    join: Callable[[Sequence[Any]], Any | None] | None = None
    plain: PlainFrames | None = None
