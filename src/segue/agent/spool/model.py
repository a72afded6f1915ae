"""What goes into a spool, what comes out of it, and what it keeps of streams and readers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from segue.wire.messages import RecordHeader

LAKE = "lake"
"""The reader that stands for the hub; every other reader is a destination's name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is appended to a stream: it gets the stream's next sequence.

    Attributes:
        stream: Name of the table.
        rows: Rows in the payload, or rows lost; None for a loss that can't be counted.
        payload: An Arrow stream; anything with the buffer protocol. Empty for a gap.
        schema: Schema id of the rows.
        deployment: Generation of the deployment that made them.
        clock: Quality of the node's clock: ``ok``, ``unsure``, ``stepped``.
        kind: ``rows``, or ``gap`` for rows that were lost before they came here.
        reason: Why they were lost.
    """

    stream: str
    rows: int | None
    payload: bytes | memoryview = b""
    schema: str = ""
    deployment: int = 0
    clock: str = "ok"
    kind: str = "rows"
    reason: str = ""


class Record(NamedTuple):
    """What a reader gets.

    Attributes:
        header: What stands before the rows.
        payload: The rows as they were appended; empty for a gap.
    """

    header: RecordHeader
    payload: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a reader stands in the stream of an epoch.

    Attributes:
        stream: Name of the table.
        epoch: Epoch of the spool.
        acknowledged: Last sequence that the reader has acknowledged.
        last: Last sequence that there is.
        rows: Rows that the reader has still to get.
        bytes: Bytes of their payloads.
        age: Seconds for which the oldest unsent record has waited; 0 if there is none.
        at_least: Whether `age` is a lower bound, because the machine was off in between.
        incarnation: Incarnation of the table that acknowledged last.
        current: Whether entries are still appended to this epoch.
    """

    stream: str
    epoch: str
    acknowledged: int
    last: int
    rows: int
    bytes: int
    age: float = 0.0
    at_least: bool = False
    incarnation: str = ""
    current: bool = True

    @property
    def waits(self) -> bool:
        """Whether the reader has still to get something."""
        return self.acknowledged < self.last


@dataclass(frozen=True, slots=True)
class Usage:
    """What a spool takes.

    Attributes:
        bytes: Bytes on disk, everything that belongs to it.
        cap: Bytes that it may take.
        free: Bytes within `bytes` that can be written again.
        unsent_rows: Rows that the lake has still to get.
        unsent_bytes: Bytes of their payloads.
        kept_bytes: Bytes that every reader has acknowledged, kept to refill a hub.
        lost_rows: Rows declared lost since the spool was made.
        full: Whether the last commit found too little room, so that it has to be drained.
        damaged: Names of damaged files that are set aside.
        alerts: Things that somebody should know.
    """

    bytes: int
    cap: int
    free: int
    unsent_rows: int
    unsent_bytes: int
    kept_bytes: int
    lost_rows: int
    full: bool
    damaged: tuple[str, ...]
    alerts: tuple[str, ...]


@dataclass(slots=True)
class Lane:
    """A stream in one epoch, as it is kept.

    Records lie in a *track* under rising numbers; a lane is a part of a track. So records can
    move to another epoch without being written again: they are numbered from another base.

    Attributes:
        stream: Name of the table.
        epoch: Epoch of the spool.
        track: Track in which its records lie.
        base: What is added to a sequence to get the number in the track.
        first: Sequence of the first record that is still there; ``last + 1`` if none is.
        last: Last sequence.
        rows: Rows that were ever appended.
        bytes: Bytes of payload that were ever appended.
        gone: Of these, bytes that are not there any more.
        total: `rows`, and rows of gaps that were appended.
        once: Of `total`, rows from sources that can't be read again.
    """

    stream: str
    epoch: str
    track: int
    base: int = 0
    first: int = 1
    last: int = 0
    rows: int = 0
    bytes: int = 0
    gone: int = 0
    total: int = 0
    once: int = 0

    def locate(self, sequence: int) -> int:
        """Return the key of a record."""
        return (self.track << 40) + self.base + sequence

    def number(self, key: int) -> int:
        """Return the sequence of a key."""
        return (key & ((1 << 40) - 1)) - self.base


@dataclass(slots=True)
class Skip:
    """A loss of one reader only, that begins where the reader stands.

    Attributes:
        last: Last sequence that it covers.
        rows: Rows lost; None if they can't be counted.
        reason: Why.
    """

    last: int
    rows: int | None
    reason: str


@dataclass(slots=True)
class Bookmark:
    """Where a reader stands in a lane, as it is kept.

    Attributes:
        reader: Its name.
        acknowledged: Last sequence that it has acknowledged.
        sent: Last sequence that it was ever given: what is behind it may be under way.
        rows: Rows up to there that it need not get any more.
        bytes: Bytes of them.
        incarnation: Incarnation of the table that acknowledged last.
        skip: What it has lost.
    """

    reader: str
    acknowledged: int = 0
    sent: int = 0
    rows: int = 0
    bytes: int = 0
    incarnation: str = ""
    skip: Skip | None = None


@dataclass(slots=True)
class Head:
    """What a spool keeps of itself.

    Attributes:
        epoch: Current epoch.
        batch: Number of the last commit; it orders records of all streams.
        track: Number that the next track gets.
        boot: Number of the machine's start at the last commit.
        lost: Rows declared lost so far.
    """

    epoch: str
    batch: int = 0
    track: int = 1
    boot: int = 0
    lost: int = 0


@dataclass(slots=True)
class Boots:
    """Starts of the machine: the id of each, and how long it is known to have been up.

    Attributes:
        ids: Ids by number.
        seen: Nanoseconds since the start at the last commit, by number.
    """

    ids: list[str] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
