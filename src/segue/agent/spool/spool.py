"""A node's spool: what was made and is not yet everywhere it belongs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from segue.agent.spool.alerts import list_alerts
from segue.agent.spool.drop import kept_bytes
from segue.agent.spool.file import DURABLE, LAZY, READ, SpoolFile
from segue.agent.spool.model import LAKE, Bookmark, Entry, Lane, Record, Standing, Usage
from segue.agent.spool.move import acknowledge, delete_some, move_records, rewind
from segue.agent.spool.read import describe, read_records, window_end
from segue.agent.spool.room import Room
from segue.agent.spool.schema import PAGE
from segue.agent.spool.settings import same_settings, save_settings
from segue.agent.spool.skip import skip_records
from segue.agent.spool.transaction import Transaction
from segue.agent.spool.write import as_gaps, write_batch
from segue.errors import SpoolFullError, StorageFullError
from segue.failpoints import pass_point
from segue.protocols.edge import Cursor
from segue.spec.edge import SpoolSettings, WhenFull

DELETED_AT_ONCE = 64
"""Records that one transaction deletes at most, so that a writer does not wait for long."""


class Spool:
    """A spool that is open; any number of threads and processes may use one file.

    Example:
        >>> import tempfile
        >>> from segue.spec.edge import WhenFull
        >>> folder = tempfile.TemporaryDirectory()
        >>> settings = SpoolSettings(cap=10_000_000, when_full=WhenFull.BLOCK)
        >>> spool = Spool(Path(folder.name) / "spool.db", settings)
        >>> spool.commit([Entry("readings", 2, b"rows")], {"sensors": {"offset": 10}}, {})
        >>> [
        ...     (record.header.first, record.payload)
        ...     for record in spool.read("lake", "readings", spool.epoch, after=0, most_bytes=10**6)
        ... ]
        [(1, b'rows')]
        >>> spool.acknowledge("lake", "readings", spool.epoch, last=1)
        >>> [(each.acknowledged, each.rows) for each in spool.streams("lake")]
        [(1, 0)]
        >>> spool.cursor("sensors")
        {'offset': 10}
        >>> spool.close()
        >>> folder.cleanup()
    """

    def __init__(self, path: Path, settings: SpoolSettings, page: int = PAGE) -> None:
        """Open it, made if need be; what is damaged is set aside.

        Args:
            path: Its file.
            settings: Its limits.
            page: Bytes of a page, where it is made.

        Raises:
            StorageError: It can't be opened.
        """
        self.path = path
        self.settings = settings
        self._room = Room(path, settings)
        self._full = False
        self._file = SpoolFile(path, self._room, page)
        if not self._file.run(READ, lambda t: same_settings(t, settings)):
            with suppress(StorageFullError):
                self._file.run(DURABLE, lambda t: save_settings(t, settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def epoch(self) -> str:
        """The current epoch: 16 hex digits; another one after damage, fencing, enrolment."""
        return self._file.run(READ, lambda t: t.head.epoch)

    def assign(self, readers: Mapping[str, Sequence[str]]) -> None:
        """Say who reads each stream; a record goes once all of them have it.

        Streams that were never named are read by the lake alone. A reader that is new to a
        stream begins with what is appended next.

        Args:
            readers: Names of readers by stream: ``lake``, and names of destinations.
        """

        def work(t: Transaction) -> None:
            for stream, names in readers.items():
                if t.facts.readers(stream) != sorted(set(names)):
                    _assign(t, stream, sorted(set(names)))

        self._file.run(DURABLE, work)

    def commit(
        self,
        entries: Sequence[Entry],
        cursors: Mapping[str, Cursor],
        states: Mapping[str, bytes | None],
    ) -> None:
        """Append a micro-batch, and move cursors and states with it: all of it, or nothing.

        Args:
            entries: What is appended, in its order, each to its stream.
            cursors: Where sources go on after it.
            states: What steps remember after it; None for what they forget.

        Raises:
            SpoolFullError: It is full, and nothing may be dropped; nothing was written.
            StorageError: The disk fails; nothing was written that counts.
        """
        pass_point("agent.commit.before")
        self._full = True
        try:
            self._full = not self._write(entries, cursors, states)
        except StorageFullError as error:
            raise SpoolFullError(str(error), hint=error.hint) from error
        pass_point("agent.commit.after")

    def _write(
        self,
        entries: Sequence[Entry],
        cursors: Mapping[str, Cursor],
        states: Mapping[str, bytes | None],
    ) -> bool:
        """Write a micro-batch; where the disk is full, with the pages that the file has.

        Returns:
            Whether all of it found room.
        """
        when_full = self.settings.when_full

        def write(t: Transaction) -> bool:
            return write_batch(t, self._room, when_full, entries, cursors, states)

        def squeeze(t: Transaction) -> bool:
            return write_batch(t, self._room, when_full, entries, cursors, states, tight=True)

        def declare(t: Transaction) -> bool:
            write_batch(t, self._room, when_full, as_gaps(entries, t), cursors, states, tight=True)
            return False

        if self._room.headroom.take():  # rows never take what is held back for draining
            with suppress(StorageFullError):
                return self._file.run(DURABLE, write, drains=False)
        self._file.bring_home()
        if when_full is WhenFull.BLOCK:
            return self._file.run(DURABLE, squeeze, drains=False)
        with suppress(StorageFullError):
            return self._file.run(DURABLE, squeeze, drains=False)
        self._file.bring_home()
        return self._file.run(DURABLE, declare)

    def cursor(self, source: str) -> Cursor | None:
        """Return where a source goes on; None if nothing of it was ever committed."""
        found = self._file.run(READ, lambda t: t.facts.get(f"cursor/{source}"))
        cursor: Cursor | None = None if found is None else json.loads(found)
        return cursor

    def state(self, name: str) -> bytes | None:
        """Return what a step remembers; None for nothing."""
        return self._file.run(READ, lambda t: t.facts.get(f"state/{name}"))

    def streams(self, reader: str = LAKE) -> list[Standing]:
        """Return where a reader stands in each stream and epoch, the older epochs first."""

        def work(t: Transaction) -> list[Standing]:
            return [
                describe(t, lane, t.bookmarks(lane)[reader])
                for lane in t.lanes()
                if reader in t.bookmarks(lane)
            ]

        return self._file.run(READ, work)

    def read(
        self, reader: str, stream: str, epoch: str, after: int, most_bytes: int
    ) -> list[Record]:
        """Return the records that follow a sequence, in their order and without a hole.

        Args:
            reader: Who reads.
            stream: Name of the table.
            epoch: Epoch of the records.
            after: The sequence; usually what the reader has acknowledged or was given last.
            most_bytes: Bytes of payload at most; a single longer record is given alone.
        """

        def find(t: Transaction) -> tuple[int, int]:
            lane, mark = _find(t, stream, epoch, reader)
            return window_end(t, lane, after, most_bytes), mark.sent

        def tell(t: Transaction) -> None:
            lane, mark = _find(t, stream, epoch, reader)
            mark.sent = max(mark.sent, min(end, lane.last))
            t.touch(lane)

        end, sent = self._file.run(READ, find)
        if end > sent:
            with suppress(StorageFullError):
                self._file.run(LAZY, tell)
        return self.peek(reader, stream, epoch, after, most_bytes)

    def peek(
        self, reader: str, stream: str, epoch: str, after: int, most_bytes: int
    ) -> list[Record]:
        """Return what `read` would, to be looked at and not sent."""

        def work(t: Transaction) -> list[Record]:
            lane, mark = _find(t, stream, epoch, reader)
            return read_records(t, lane, mark, after, most_bytes)

        return self._file.run(READ, work)

    def acknowledge(
        self, reader: str, stream: str, epoch: str, last: int, incarnation: str = ""
    ) -> None:
        """Learn that a reader has all up to a sequence, for good.

        Args:
            reader: Who has it.
            stream: Name of the table.
            epoch: Epoch of the records.
            last: The sequence; one before what was acknowledged already changes nothing.
            incarnation: Which table has it.

        Raises:
            StorageError: The disk fails; the records will be read again.
        """

        def work(t: Transaction) -> None:
            lane, mark = _find(t, stream, epoch, reader)
            acknowledge(t, lane, mark, min(last, lane.last), incarnation)
            if last > lane.last and epoch == t.head.epoch:
                t.begin_epoch()

        def delete(t: Transaction) -> bool:
            pass_point("agent.delete")
            return delete_some(t, self.settings.keep, DELETED_AT_ONCE)

        self._file.run(DURABLE, work)
        with suppress(StorageFullError):  # what is not deleted now is deleted next time
            while self._file.run(LAZY, delete):
                pass
            if self._file.run(LAZY, lambda t: self._room.give_back(t.connection)):
                self._file.bring_home()

    def rewind(self, reader: str, stream: str, epoch: str, committed: int) -> None:
        """Move a reader back to what its table has, after that was restored or made anew.

        What is not kept any more is read as a gap (``beyond retention``).

        Args:
            reader: Who has it.
            stream: Name of the table.
            epoch: Epoch of the records.
            committed: Last sequence that the table has.
        """

        def work(t: Transaction) -> None:
            lane, mark = _find(t, stream, epoch, reader)
            if committed > mark.acknowledged:
                acknowledge(t, lane, mark, min(committed, lane.last), "")
            else:
                rewind(t, lane, mark, committed)
            if committed > lane.last and epoch == t.head.epoch:
                t.begin_epoch()

        self._file.run(DURABLE, work)

    def refence(self, stream: str, epoch: str, committed: int) -> str:
        """Move unsent records to a new epoch, numbered from 1, because another agent uses theirs.

        Args:
            stream: Name of the table.
            epoch: The epoch that another agent uses.
            committed: Last sequence of it that the table has.

        Returns:
            The epoch in which they stand now; the current one if there are none.
        """

        def work(t: Transaction) -> str:
            lane, _ = _find(t, stream, epoch, LAKE)
            moved = move_records(t, lane, committed)
            return t.head.epoch if moved is lane else moved.epoch

        return self._file.run(DURABLE, work)

    def skip(self, stream: str, epoch: str, last: int, reason: str) -> tuple[int, int]:
        """Declare records lost that were not sent, because an operator gives them up.

        Args:
            stream: Name of the table.
            epoch: Epoch of the records.
            last: Last sequence of them.
            reason: What the gap says.

        Returns:
            How many records and rows that were.
        """

        def work(t: Transaction) -> tuple[int, int]:
            lane = t.find_lane(stream, epoch)
            return (0, 0) if lane is None else skip_records(t, lane, last, reason)

        return self._file.run(DURABLE, work)

    def readers(self) -> list[str]:
        """Return the names of all readers, the lake first."""

        def work(t: Transaction) -> list[str]:
            names = {reader for lane in t.lanes() for reader in t.bookmarks(lane)}
            return sorted(names, key=lambda name: (name != LAKE, name))

        return self._file.run(READ, work)

    def begin_epoch(self) -> str:
        """Begin a new epoch for all that is appended from now on, as enrolment does."""
        return self._file.run(DURABLE, lambda t: t.begin_epoch())

    def usage(self) -> Usage:
        """Return what the spool takes, and what is to be known of it."""

        def work(t: Transaction) -> Usage:
            lanes = t.lanes()
            lake = [(lane, t.bookmarks(lane)[LAKE]) for lane in lanes if LAKE in t.bookmarks(lane)]
            page, free = (
                int(t.execute(f"pragma {name}").fetchone()[0])
                for name in ("page_size", "freelist_count")
            )
            return Usage(
                self._room.used(),
                self.settings.cap,
                page * free,
                sum(max(0, lane.rows - mark.rows) for lane, mark in lake),
                sum(max(0, lane.bytes - mark.bytes) for lane, mark in lake),
                sum(kept_bytes(t, lane) for lane in lanes),
                t.head.lost,
                self._full,
                tuple(each.name for each in self._room.damaged()),
                list_alerts(t),
            )

        return self._file.run(READ, work)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _find(t: Transaction, stream: str, epoch: str, reader: str) -> tuple[Lane, Bookmark]:
    lane = t.find_lane(stream, epoch)
    if lane is None:
        lane = Lane(stream, epoch, 0)
        return lane, Bookmark(reader)
    mark = t.bookmarks(lane).get(reader)
    if mark is None:
        mark = t.bookmarks(lane)[reader] = Bookmark(reader)
    return lane, mark


def _assign(t: Transaction, stream: str, names: list[str]) -> None:
    lanes = [lane for lane in t.lanes() if lane.stream == stream]
    before = {lane.epoch: dict(t.bookmarks(lane)) for lane in lanes}
    t.facts.save(f"readers/{stream}", names, t.batch)
    for lane in lanes:
        marks = t.bookmarks(lane)
        known = before[lane.epoch]
        marks.clear()
        for name in names:
            end = Bookmark(name, lane.last, lane.last, lane.rows, lane.bytes)
            marks[name] = known.get(name, end)
        t.touch(lane)
