"""A glance at a ledger in SQLite: reads without SQLAlchemy, as long as nothing is odd.

Whatever is odd - no file yet, another version, damage, a lock, no right to write - is left to
`segue.stores.ledger_connect`, which waits, migrates, and names faults.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from segue.stores.ledger_readonly import may_only_read
from segue.stores.ledger_state import SCHEMA_VERSION, find_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from segue.stores.ledger_state import Ask

Found = TypeVar("Found")

QUICK_CHECK_BYTES = 8_000_000
"""Ledgers up to this size are looked over when they are opened, which takes 1 ms per MB."""

_PREFIX = "sqlite:///"


class Glance:
    """An open SQLite ledger of this version that can be read.

    Args:
        connection: Without transactions of the driver's own; used by one thread at a time.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = Lock()

    def see(self, look: Callable[[Ask], Found]) -> Found:
        """Return what is found in one state of the ledger.

        Raises:
            sqlite3.Error: It can't be read.
            ValueError: It is damaged.
        """
        with self._lock:
            self._connection.execute("begin")
            try:
                return look(self._ask)
            finally:
                self._connection.rollback()

    def _ask(self, query: str, values: Mapping[str, Any]) -> list[Any]:
        return self._connection.execute(query, dict(values)).fetchall()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


def open_glance(url: str) -> Glance | None:
    """Open a ledger for reading, if it is a whole SQLite ledger of this version.

    Args:
        url: As SQLAlchemy writes it.
    """
    path = url.removeprefix(_PREFIX)
    if path == url or not path or any(sign in path for sign in "?$%:") or may_only_read(path):
        return None
    try:
        size = Path(path).stat().st_size
        # a file that is gone by now must not be made anew
        name = f"{Path(path).absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(
            name, timeout=0, isolation_level=None, check_same_thread=False, uri=True
        )
    except (OSError, ValueError, sqlite3.Error):
        return None
    try:
        whole = size >= QUICK_CHECK_BYTES or _is_whole(connection)
        glance = Glance(connection)
        if whole and glance.see(find_version) == SCHEMA_VERSION:
            return glance
    except (sqlite3.Error, ValueError, IndexError, TypeError):
        pass  # whoever opens it next tells what is wrong
    connection.close()
    return None


def _is_whole(connection: sqlite3.Connection) -> bool:
    return connection.execute("pragma quick_check(1)").fetchall() == [("ok",)]
