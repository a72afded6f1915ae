"""What an agent asks of a kind of edge source, and of a destination.

Both are standard library and Arrow only where they run: a node has neither pydantic nor
SQLAlchemy to spare. Their options are checked where a project is declared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from segue.spec.edge import DestinationSpec, EdgeSource
    from segue.spec.types import TableSchema

Cursor = dict[str, Any]
"""Where reading goes on: plain JSON values, kept in the spool with the batch before it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a source read at once.

    Attributes:
        cursor: Where reading goes on after it; None for sources that can't be read again.
        data: Whole records of text, each ended by a newline, for kinds that give text.
        table: Rows, for kinds that give typed rows; one of both is None.
        lost: Records that were lost before they could be read, as ``(count, reason)``.
        receipt: What `EdgeReader.accept` is given once the chunk is in the spool.
    """

    cursor: Cursor | None
    data: bytes | None = None
    table: pa.Table | None = None
    lost: tuple[tuple[int, str], ...] = ()
    receipt: Any = field(default=None, compare=False)


class EdgeReader(Protocol):
    """A source that is open; used by one thread."""

    def read(self, most: int, wait: float) -> Chunk | None:
        """Return what is there.

        Args:
            most: Bytes that a chunk has at most; a single longer record is cut out and counted
                as lost (``"record too long"``) when it passes ten times this.
            wait: Seconds to wait for something; 0 to return at once.

        Returns:
            None if nothing came in time.

        Raises:
            SourceError: It can't be read now; the agent tries again with a growing wait.
        """
        ...

    def accept(self, receipts: Sequence[Any]) -> None:
        """Learn that chunks are in the spool: answer whoever waits for that (HTTP, MQTT)."""
        ...

    def exhausted(self) -> bool:
        """Return whether all that is there now was read: a run with ``--once`` ends then."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class EdgeSourceKind(Protocol):
    """A way to read at a node; one small file each, entry point group ``segue.edge_sources``.

    Attributes:
        replayable: Whether reading goes on exactly at a cursor, so that reading is exactly once.
        typed: Whether it gives typed rows, so that it has no format.
        required: Options that must be stated.
        optional: Options that may be stated, and their defaults.
    """

    replayable: bool
    typed: bool
    required: tuple[str, ...]
    optional: Mapping[str, Any]

    def open(self, source: EdgeSource, cursor: Cursor | None, scratch: Path) -> EdgeReader:
        """Open it where the cursor says, or at its beginning.

        Args:
            source: The source; its options have their secrets filled in.
            cursor: What the spool has kept; None at the first time.
            scratch: A folder of its own, for what it has to remember besides.

        Raises:
            SourceError: It can't be opened now; the agent tries again with a growing wait.
        """
        ...


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a format made of whole records of text.

    Attributes:
        table: Rows, with exactly the source's columns and types.
        rejects: Lines that do not fit: ``line`` (binary) and ``reason`` (string).
    """

    table: pa.Table
    rejects: pa.Table


class Format(Protocol):
    """A format that is set up for one source; used by one thread."""

    def parse(self, data: bytes) -> Parsed:
        """Make rows of records.

        Args:
            data: Whole records, each ended by a newline; where it is cut does not change a row.
        """
        ...


class FormatKind(Protocol):
    """A way in which text is written; entry point group ``segue.edge_formats``.

    Attributes:
        required: Options that must be stated.
        optional: Options that may be stated, and their defaults.
    """

    required: tuple[str, ...]
    optional: Mapping[str, Any]

    def check(self, options: Mapping[str, Any], schema: TableSchema) -> list[str]:
        """Return what is wrong with the options, for these columns; one sentence each.

        Needs Arrow for patterns only.
        """
        ...

    def open(self, source: EdgeSource) -> Format:
        """Set it up; Arrow is loaded when the first rows come.

        Raises:
            SourceError: An option can't be meant so.
        """
        ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """Batches of one stream in their order, as a destination gets them.

    Attributes:
        stream: Name of the table.
        node: Name of the node.
        epoch: Epoch of the spool.
        first: Sequence of the first batch.
        last: Sequence of the last batch.
        table: Their rows, with provenance columns.
    """

    stream: str
    node: str
    epoch: str
    first: int
    last: int
    table: pa.Table


class Destination(Protocol):
    """A place besides the lake that is open; used by one thread."""

    def deliver(self, parcel: Parcel) -> None:
        """Write a parcel, such that the same parcel written again changes nothing if it can.

        Raises:
            DestinationError: It can't be written now; it is tried again with a growing wait.
        """
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class DestinationKind(Protocol):
    """A kind of destination; one small file each, entry point group ``segue.destinations``.

    Attributes:
        required: Options that must be stated.
        optional: Options that may be stated, and their defaults.
        exact: Whether a parcel written twice stands there once.
    """

    required: tuple[str, ...]
    optional: Mapping[str, Any]
    exact: bool

    def open(self, destination: DestinationSpec) -> Destination:
        """Connect; options have their secrets filled in.

        Raises:
            DestinationError: It can't be reached now.
        """
        ...
