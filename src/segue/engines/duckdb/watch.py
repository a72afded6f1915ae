"""How far long statements have come, asked of DuckDB by one thread for all connections."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TICK = 0.2
"""Seconds between two looks."""
PATIENCE = 0.3
"""Seconds that a statement runs before it is asked after."""


class Watch:
    """Tells what share of each watched statement is done; its thread starts with the first."""

    def __init__(self, tick: float = TICK, patience: float = PATIENCE) -> None:
        self._tick = tick
        self._patience = patience
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._watched: dict[int, _Statement] = {}

    @contextmanager
    def follow(
        self, connection: duckdb.DuckDBPyConnection, tell: Callable[[float], None] | None
    ) -> Iterator[None]:
        """Watch the statement that a connection runs inside of the block.

        Args:
            connection: The connection.
            tell: Called now and then, from another thread, with a share that only grows; never
                after the block.
        """
        if tell is None:
            yield
            return
        connection.execute("set enable_progress_bar = true; set enable_progress_bar_print = false")
        statement = _Statement(connection, tell, time.monotonic() + self._patience)
        with self._lock:
            self._watched[id(statement)] = statement
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="segue-watch", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._watched[id(statement)]

    def end(self) -> None:
        """End the thread."""
        self._ended.set()

    def _look(self) -> None:
        while not self._ended.wait(self._tick):
            with self._lock:
                for statement in self._watched.values():
                    statement.ask(time.monotonic())


class _Statement:
    """A statement under way."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, tell: Callable[[float], None], due: float
    ) -> None:
        self.connection = connection
        self.tell = tell
        self.due = due
        self.share = 0.0

    def ask(self, now: float) -> None:
        """Tell the share that is done, if it is time to and more is done than before."""
        if now < self.due:
            return
        try:
            share = min(self.connection.query_progress() / 100, 1.0)
        except duckdb.Error:  # it was closed in the meantime
            return
        # a negative number says that nothing is known yet
        if share > self.share:
            self.share = share
            self.tell(share)
