"""A transaction over a spool: lanes and bookmarks are read once and written at its end."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

from segue.agent.spool.clock import Uptime
from segue.agent.spool.damage import DamageError
from segue.agent.spool.epochs import make_epoch
from segue.agent.spool.facts import Facts, plain
from segue.agent.spool.model import LAKE, Bookmark, Lane


class Transaction:
    """What happens at once.

    Attributes:
        connection: The open file, within a transaction.
        facts: Its facts.
        head: What the spool keeps of itself; its batch is this transaction's.
        uptime: The machine's time now.
    """

    def __init__(self, connection: sqlite3.Connection, uptime: Uptime) -> None:
        """Begin, with the number that follows the last.

        Raises:
            DamageError: The spool does not know itself any more.
        """
        self.connection = connection
        self.facts = Facts(connection)
        self.uptime = uptime
        head = self.facts.head()
        if head is None:
            raise DamageError("the head is gone")
        self.head = replace(head, batch=head.batch + 1, boot=uptime.boot)
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._bookmarks: dict[tuple[str, str], dict[str, Bookmark]] = {}
        self._touched: dict[tuple[str, str], Lane] = {}
        self._whole = False

    @property
    def batch(self) -> int:
        """Number of this transaction."""
        return self.head.batch

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        """Run a statement."""
        return self.connection.execute(sql, values)

    def find_lane(self, stream: str, epoch: str) -> Lane | None:
        """Return the lane of a stream in an epoch."""
        lane = self._lanes.get((stream, epoch)) or self.facts.lane(stream, epoch)
        if lane is not None:
            self._lanes[stream, epoch] = lane
        return lane

    def lanes(self) -> list[Lane]:
        """Return all lanes, those of older tracks first."""
        if not self._whole:
            for lane in self.facts.lanes():
                self._lanes.setdefault((lane.stream, lane.epoch), lane)
            self._whole = True
        return sorted(self._lanes.values(), key=lambda lane: (lane.track, lane.base))

    def open_lane(self, stream: str) -> Lane:
        """Return the lane to which a stream's entries are appended now, begun if need be."""
        lane = self.find_lane(stream, self.head.epoch)
        if lane is None:
            lane = Lane(stream, self.head.epoch, self.head.track)
            self.head.track += 1
            self.add_lane(lane, [Bookmark(reader) for reader in self.readers(stream)])
        return lane

    def add_lane(self, lane: Lane, bookmarks: list[Bookmark]) -> None:
        """Begin a lane with what reads it."""
        self._lanes[lane.stream, lane.epoch] = lane
        self._bookmarks[lane.stream, lane.epoch] = {mark.reader: mark for mark in bookmarks}
        self.touch(lane)

    def readers(self, stream: str) -> list[str]:
        """Return who reads a stream."""
        readers = self.facts.readers(stream)
        return [LAKE] if readers is None else readers

    def bookmarks(self, lane: Lane) -> dict[str, Bookmark]:
        """Return where each of its readers stands."""
        key = lane.stream, lane.epoch
        marks = self._bookmarks.get(key)
        if marks is None:
            marks = {}
            for reader in self.readers(lane.stream):
                marks[reader] = self.facts.bookmark(lane, reader) or Bookmark(reader)
            self._bookmarks[key] = marks
        return marks

    def touch(self, lane: Lane) -> None:
        """Have a lane and its bookmarks written at the end."""
        self._touched[lane.stream, lane.epoch] = lane

    @property
    def touched(self) -> list[Lane]:
        """Lanes that change."""
        return list(self._touched.values())

    def begin_epoch(self) -> str:
        """Let all that is appended from now on stand in a new epoch."""
        self.head.epoch = make_epoch()
        return self.head.epoch

    def finish(self) -> None:
        """Write what changed."""
        for key, lane in self._touched.items():
            self.facts.save_lane(lane, self.batch)
            for bookmark in self._bookmarks.get(key, {}).values():
                self.facts.save_bookmark(lane, bookmark, self.batch)
        self.uptime.save(self.facts, self.batch)
        self.facts.save("head", plain(self.head), self.batch)
