"""A DuckDB database in this process, and the connections to it."""

from __future__ import annotations

import threading
import time

import duckdb

from segue.engines.duckdb.digest import prove_hash
from segue.engines.duckdb.seen import Seen
from segue.engines.duckdb.watch import Watch
from segue.errors import StepError

_PATIENCE = 10.0
"""Seconds to wait for a query that was interrupted."""


class Database:
    """What a session and its forks share."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._connections: set[duckdb.DuckDBPyConnection] = set()
        self._proven = False
        self.watch = Watch()
        self.seen = Seen()
        self.closed = False

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a connection, which is ended with the database at the latest."""
        with self._lock:
            self.refuse_if_closed()
            connection = self._connection.cursor()
            self._connections.add(connection)
            return connection

    def disconnect(self, connection: duckdb.DuckDBPyConnection) -> None:
        """End a connection, and the query that it may be running in another thread."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                connection.close()
            except duckdb.ResourceInUseException:
                connection.interrupt()
                time.sleep(0.001)
            else:
                break
        with self._lock:
            self._connections.discard(connection)

    def refuse_if_closed(self) -> None:
        """Raise a `StepError` if the database was closed."""
        if self.closed:
            raise StepError("the engine was closed")

    def prove_hash(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make sure, once, that rows are hashed as they were."""
        if not self._proven:
            prove_hash(connection)
            self._proven = True

    def close(self) -> None:
        """End all connections, then the database."""
        with self._lock:
            self.closed = True
            self.watch.end()
            connections = list(self._connections)
        for connection in connections:
            self.disconnect(connection)
        self._connection.close()
