"""All arriving tables of a lake: batches of many requests meet in one commit per table."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import HubBusyError, StorageError, name_disk_fault
from segue.spec.arriving import Batch, Commits, Place, Verdict
from segue.spec.edge import GAPS_SUFFIX
from segue.stores import lake_log
from segue.stores.arriving_care import Care
from segue.stores.arriving_log import load
from segue.stores.arriving_names import Names
from segue.stores.arriving_table import ArrivingTable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segue.spec.arriving import Key

_IDLE_SECONDS = 10.0
_PACKED, _ROW = 3, 64
"""Bytes that a packed byte is in memory, about, and those of a row's provenance and encoding."""
_log = logging.getLogger("segue.hub")


@dataclass(frozen=True, slots=True)
class Pace:
    """How batches are brought together.

    Attributes:
        linger: Seconds for which the first batch waits for others.
        every: Seconds between commits of one table, while few bytes wait.
        bytes: Bytes that are committed without waiting (a quarter of it), and most bytes that
            one commit takes in memory, roughly.
        in_flight: Bytes of batches that are taken at once; more are turned away.
    """

    linger: float = 0.004
    every: float = 0.1
    bytes: int = 32 * 2**20
    in_flight: int = 256 * 2**20


@dataclass(slots=True)
class _Request:
    batches: list[Batch]
    answer: Future[list[Place]] = field(default_factory=Future)

    @property
    def bytes(self) -> int:
        return sum(len(batch.payload) for batch in self.batches)

    @property
    def weight(self) -> int:
        """Bytes that a commit takes for it: files are linked as they are, rows are decoded."""
        return sum(map(_weigh, self.batches))


def _weigh(batch: Batch) -> int:
    if batch.format == "parquet":
        return len(batch.payload)
    return _PACKED * len(batch.payload) + _ROW * (batch.rows or 0)


class ArrivingLake:
    """The arriving tables of a lake, and the threads that commit to them.

    Args:
        path: Folder of the lake.
        pace: How batches are brought together.
        told: Is told of each commit.
    """

    def __init__(
        self,
        path: str,
        pace: Pace | None = None,
        told: Callable[[Commits], None] | None = None,
    ) -> None:
        self._root = Path(path).absolute()
        self._root.mkdir(parents=True, exist_ok=True)
        self._pace = pace or Pace()
        self._told = told
        self._names = Names(self._root)
        self._care = Care(self._names)
        self._tables: dict[str, _Committer] = {}
        self._lock = threading.Lock()
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Bytes of batches that wait for their commit."""
        return self._in_flight

    def exists(self, table: str) -> bool:
        """Return whether there is a table of this name that nodes have sent rows of."""
        if table in self._tables:
            return True
        if table.endswith(GAPS_SUFFIX) or not (self._root / table / lake_log.LOG).is_dir():
            return False
        try:
            return load(self._root / table).version >= 0
        except (StorageError, OSError):
            return False

    def find_place(self, table: str, key: Key) -> Place:
        """Return where a node's sequences stand in a table.

        Raises:
            StorageError: The table can't be used.
        """
        try:
            return self._committer(table).table.find_place(key)
        except OSError as error:
            raise name_disk_fault(error, self._root / table) from error

    def submit(self, batches: Sequence[Batch]) -> list[Future[list[Place]]]:
        """Give batches to be committed, those of one table in one answer.

        Args:
            batches: Batches of any tables.

        Returns:
            An answer for each table, in the order in which tables first come.

        Raises:
            HubBusyError: Too many bytes wait already.
        """
        size = sum(len(batch.payload) for batch in batches)
        grouped: dict[str, list[Batch]] = {}
        for batch in batches:
            grouped.setdefault(batch.table, []).append(batch)
        committers = [self._committer(table) for table in grouped]
        with self._lock:
            if self._in_flight and self._in_flight + size > self._pace.in_flight:
                raise HubBusyError("the hub has all the batches that it can hold")
            self._in_flight += size
        answers = []
        for committer, mine in zip(committers, grouped.values(), strict=True):
            request = _Request(mine)
            # from here on it is committed, also if nobody waits for the answer any more
            request.answer.set_running_or_notify_cancel()
            request.answer.add_done_callback(partial(self._release, request.bytes))
            committer.give(request)
            answers.append(request.answer)
        return answers

    def _release(self, size: int, _: object) -> None:
        with self._lock:
            self._in_flight -= size

    def _committer(self, table: str) -> _Committer:
        with self._lock:
            found = self._tables.get(table)
            if found is None:
                made = ArrivingTable(self._root, table, self._names)
                found = _Committer(made, self._pace, self._care, self._told)
                self._tables[table] = found
                self._care.begin(made)
            return found

    def close(self) -> None:
        """Commit what waits, and end."""
        for committer in list(self._tables.values()):
            committer.close()
        self._care.close()
        self._names.close()


class _Committer:
    """The queue of one table, and the thread that commits it; the thread ends when idle."""

    def __init__(
        self,
        table: ArrivingTable,
        pace: Pace,
        care: Care,
        told: Callable[[Commits], None] | None,
    ) -> None:
        self.table = table
        self._pace = pace
        self._care = care
        self._told = told
        self._waiting: deque[_Request] = deque()
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._began = 0.0

    def give(self, request: _Request) -> None:
        with self._change:
            if self._closing:
                request.answer.set_exception(HubBusyError("the hub is being stopped"))
                return
            self._waiting.append(request)
            if self._thread is None:
                name = f"segue-{self.table.name}"
                self._thread = threading.Thread(target=self._run, name=name)
                self._thread.start()
            self._change.notify()

    def close(self) -> None:
        with self._change:
            self._closing = True
            thread = self._thread
            self._change.notify()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while group := self._take():
            self._began = time.monotonic()
            self._commit(group)
            self._care.look_after(self.table)

    def _take(self) -> list[_Request]:
        """Wait for requests, and return as many as fit into one commit."""
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._closing, _IDLE_SECONDS)
            if not self._waiting:
                self._thread = None
                return []
            now = time.monotonic()
            until = max(now + self._pace.linger, self._began + self._pace.every)
            self._change.wait_for(self._is_full, until - now)
            group, size = [self._waiting.popleft()], 0
            while self._waiting:
                size += group[-1].weight
                if size + self._waiting[0].weight > self._pace.bytes:
                    break
                group.append(self._waiting.popleft())
            return group

    def _is_full(self) -> bool:
        enough = self._pace.bytes // 4
        return self._closing or sum(each.bytes for each in self._waiting) >= enough

    def _commit(self, group: list[_Request]) -> None:
        batches = [batch for request in group for batch in request.batches]
        try:
            places = self.table.commit(batches)
        except OSError as error:
            _fail(group, name_disk_fault(error, self.table.folder))
            return
        except StorageError as error:
            _fail(group, error)
            return
        except Exception as error:  # noqa: BLE001  # whatever Arrow makes of a node's bytes
            self._part(group, error)
            return
        self._tell(batches, places)
        for request in group:
            request.answer.set_result(places[: len(request.batches)])
            places = places[len(request.batches) :]

    def _tell(self, batches: list[Batch], places: list[Place]) -> None:
        if self._told is None:
            return
        seconds = time.monotonic() - self._began
        try:
            self._told(Commits(self.table.name, batches, places, seconds, self.table.odd_columns))
        except Exception:  # noqa: BLE001  # the rows are committed, whatever who is told makes of it
            _log.exception("a commit could not be told")

    def _part(self, group: list[_Request], error: Exception) -> None:
        """Find the batches that can't be committed, so that they don't hold up others."""
        if len(group) > 1:
            middle = len(group) // 2
            self._commit(group[:middle])
            self._commit(group[middle:])
            return
        told = Place(0, "", Verdict.REFUSED, f"the rows can't be stored: {error}")
        places = [told] * len(group[0].batches)
        group[0].answer.set_result(places)


def _fail(group: list[_Request], error: StorageError) -> None:
    for request in group:
        request.answer.set_exception(error)
