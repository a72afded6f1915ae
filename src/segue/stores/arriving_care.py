"""Housekeeping of arriving tables, in one thread beside the commits."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from segue.errors import SegueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.stores.arriving_names import Names
    from segue.stores.arriving_table import ArrivingTable

CHECKPOINT_EVERY = 100
"""Versions between checkpoints."""

_log = logging.getLogger("segue.hub")


class Care:
    """Compacts tables, writes their checkpoints and removes what is left over.

    Args:
        names: Gives names to files.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._todo: deque[Callable[[], object]] = deque()
        self._busy: set[str] = set()
        self._checkpoints: dict[str, int] = {}
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def begin(self, table: ArrivingTable) -> None:
        """Look after a table for the first time."""
        self._give(table.remove_abandoned)

    def look_after(self, table: ArrivingTable) -> None:
        """See whether a table that has a new commit needs something."""
        version = table.version
        if table.name not in self._busy and table.needs_compaction():
            self._busy.add(table.name)
            self._give(lambda: self._compact(table))
        done = self._checkpoints.setdefault(table.name, version - version % CHECKPOINT_EVERY)
        if version >= done + CHECKPOINT_EVERY:
            self._checkpoints[table.name] = version
            self._give(table.write_checkpoints)

    def _compact(self, table: ArrivingTable) -> None:
        try:
            table.compact()
        finally:
            self._busy.discard(table.name)

    def _give(self, work: Callable[[], object]) -> None:
        with self._change:
            if self._closing:
                return
            self._todo.append(work)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="segue-care")
                self._thread.start()
            self._change.notify()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._todo or self._closing, 10.0)
                if not self._todo or self._closing:
                    self._thread = None
                    return
                work = self._todo.popleft()
            try:
                work()
            except (SegueError, OSError) as error:
                # it is tried again after a later commit; no rows depend on it
                _log.warning("housekeeping of arriving tables failed: %s", error)
            except Exception:  # noqa: BLE001  # deltalake's errors share no root
                _log.exception("housekeeping of arriving tables failed")

    def close(self) -> None:
        """End after what is under way."""
        with self._change:
            self._closing = True
            thread = self._thread
            self._change.notify()
        if thread is not None:
            thread.join()
