"""The open file of a spool: transactions, and what is done when the file fails."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from segue.agent.spool import salvage
from segue.agent.spool.clock import Uptime, read_boot, read_uptime
from segue.agent.spool.damage import DamageError, is_damage, is_full
from segue.agent.spool.facts import Facts
from segue.agent.spool.locking import FileLock
from segue.agent.spool.model import Head
from segue.agent.spool.room import Room
from segue.agent.spool.schema import PAGE, connect
from segue.agent.spool.transaction import Transaction
from segue.errors import SegueError, StorageError, StorageFullError

T = TypeVar("T")

READ, LAZY, DURABLE = "deferred", "lazy", "durable"
"""Kinds of transactions: reading; written, but on the disk with the next durable one; on the
disk when it returns."""


class SpoolFile:
    """The file of a spool, used by any number of threads, beside other processes.

    Attributes:
        path: Where it lies.
        connection: The connection; another one after damage was set aside.
    """

    def __init__(self, path: Path, room: Room, page: int = PAGE) -> None:
        self.path = path
        self._room = room
        self._page = page
        self._threads = threading.RLock()
        self._lock = FileLock(path.with_suffix(".lock"))
        self._boot = read_boot()
        self._inode = 0
        self.connection: sqlite3.Connection
        try:
            with self._lock.alone():
                self._open()
        except (sqlite3.Error, DamageError) as error:
            self._recover(error)

    def run(self, kind: str, work: Callable[[Transaction], T]) -> T:
        """Do something in a transaction.

        Args:
            kind: `READ`, `LAZY` or `DURABLE`.
            work: What is done; it may be called again after damage was set aside.

        Raises:
            StorageFullError: The disk is full; nothing was written.
            StorageError: The disk fails, or others keep the spool locked; nothing was written.
        """
        with self._threads:
            for attempt in range(3):
                try:
                    with self._lock.shared():
                        self._follow()
                        return self._run(kind, work)
                except (sqlite3.Error, DamageError) as error:
                    if isinstance(error, sqlite3.Error) and not is_damage(error):
                        raise name_fault(error, self.path) from error
                    if attempt == 2:  # noqa: PLR2004  # a fault of the disk, not of the file
                        raise StorageError(f"{self.path} is damaged again and again") from error
                    self._recover(error)
            raise AssertionError("unreachable")

    def _run(self, kind: str, work: Callable[[Transaction], T]) -> T:
        connection = self.connection
        if kind is not READ:
            self._room.bring_home(connection)
            # A journal keeps its order: whatever is durable later makes this durable before.
            connection.execute(f"pragma synchronous = {'full' if kind is DURABLE else 'normal'}")
        connection.execute("begin" if kind is READ else "begin immediate")
        try:
            t = Transaction(connection, Uptime(Facts(connection), self._boot, read_uptime()))
            answer = work(t)
            if kind is not READ:
                t.finish()
            connection.execute("commit")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("rollback")
            raise
        return answer

    def _open(self) -> None:
        self.connection = connect(self.path, self._page, self._room.journal)
        self._inode = self.path.stat().st_ino
        start_file(self.connection)

    def _follow(self) -> None:
        """Open the file anew if another process has set it aside."""
        try:
            same = self.path.stat().st_ino == self._inode
        except FileNotFoundError:
            same = False
        if not same:
            self.connection.close()
            self._open()

    def _recover(self, error: Exception) -> None:
        """Set the damaged file aside, and go on with what of it can be read."""
        with self._lock.alone():
            with suppress(AttributeError, FileNotFoundError):
                if self.path.stat().st_ino != self._inode:
                    return
            with suppress(AttributeError):
                self.connection.close()
            salvage.set_aside(self.path, str(error), self._page)
            self._open()

    def close(self) -> None:
        """Give the file back."""
        with self._threads:
            self.connection.close()
            self._lock.close()


def start_file(connection: sqlite3.Connection) -> None:
    """Begin the first epoch of a file that is new.

    Raises:
        DamageError: It is not new, and does not know itself.
    """
    facts = Facts(connection)
    if facts.head() is not None:
        return
    connection.execute("begin immediate")
    try:
        if facts.head() is None:
            if connection.execute("select 1 from records limit 1").fetchone():
                raise DamageError("the head is gone")
            facts.save("head", asdict(Head(salvage.make_epoch())), 0)
        connection.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("rollback")
        raise


def name_fault(error: sqlite3.Error, path: Path) -> SegueError:
    """Return what SQLite's error means to a user."""
    if is_full(error):
        return StorageFullError(f"no room is left for {path}", hint="make room on its disk")
    return StorageError(f"{path} can't be used: {error}")
