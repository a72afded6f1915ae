"""The open file of a spool: transactions, and what is done when the file fails."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from segue.agent.spool.aside import finish
from segue.agent.spool.clock import Uptime, read_boot, read_uptime
from segue.agent.spool.damage import DamageError, is_damage, is_full
from segue.agent.spool.epochs import make_epoch
from segue.agent.spool.facts import Facts
from segue.agent.spool.home import read_home
from segue.agent.spool.locking import FileLock
from segue.agent.spool.mark import Evidence, Mark, Tail
from segue.agent.spool.model import Head
from segue.agent.spool.pages import Pages
from segue.agent.spool.room import Room
from segue.agent.spool.schema import PAGE, connect
from segue.agent.spool.transaction import Transaction
from segue.errors import SegueError, StorageError, StorageFullError, name_disk_fault

T = TypeVar("T")

READ, LAZY, DURABLE = "read", "lazy", "durable"
"""Kinds of transactions: reading; written, but on the disk with the next durable one; on the
disk when it returns."""

ATTEMPTS = 4
"""Times that a transaction is tried, each after something was done about its failure."""


class SpoolFile:
    """The file of a spool, used by any number of threads, beside other processes.

    Attributes:
        path: Where it lies.
        connection: The connection; another one after damage was set aside.
    """

    def __init__(self, path: Path, room: Room, page: int = PAGE) -> None:
        self.path = path
        self.connection: sqlite3.Connection | None = None
        self._room = room
        self._page = page
        self._threads = threading.RLock()
        try:
            self._lock = FileLock(path.with_suffix(".lock"))
            self._turn = FileLock(path.with_suffix(".turn"))
            self._mark = Mark(path.with_suffix(".mark"))
        except OSError as error:
            raise name_disk_fault(error, path) from error
        self._boot = read_boot()
        self._inode = 0
        self._kind = DURABLE
        self._closed = False
        try:
            self._open_first()
            room.headroom.take()
        except BaseException:
            self.close()
            raise

    def run(self, kind: str, work: Callable[[Transaction], T], *, drains: bool = True) -> T:
        """Do something in a transaction.

        Args:
            kind: `READ`, `LAZY` or `DURABLE`.
            work: What is done; it may be called again after damage was set aside.
            drains: Whether what is held back may be used where the disk is full.

        Raises:
            StorageFullError: The disk is full; nothing was written.
            StorageError: The disk fails, or others keep the spool locked; nothing was written.
        """
        with self._threads:
            for _ in range(ATTEMPTS):
                try:
                    # Writers queue here: SQLite's own waiting would let one of them starve.
                    turn = nullcontext() if kind is READ else self._turn.alone()
                    with turn, self._lock.shared():
                        return self._run(kind, work, self._follow())
                except (sqlite3.Error, DamageError) as error:
                    if not isinstance(error, sqlite3.Error) or is_damage(error):
                        self._recover(str(error))
                    elif not (is_full(error) and drains and self._make_way()):
                        raise name_fault(error, self.path) from error
            raise StorageError(f"{self.path} is damaged again and again: its disk fails")

    def _make_way(self) -> bool:
        """Find room on a full disk: what the journal has, then what is held back."""
        before = self._room.frames_bytes()
        if before:
            self.bring_home()
        return self._room.frames_bytes() < before or self._room.headroom.give_up()

    def bring_home(self) -> None:
        """Write all of the journal into the file, so that it can be written again."""
        with self._threads, self._lock.shared():
            self._room.bring_home(self._follow(), always=True)

    def _run(
        self, kind: str, work: Callable[[Transaction], T], connection: sqlite3.Connection
    ) -> T:
        if kind is not READ:
            self._room.bring_home(connection)
            # A journal keeps its order: whatever is durable later makes this durable before.
            if kind is not self._kind:
                level = "full" if kind is DURABLE else "normal"
                connection.execute(f"pragma synchronous = {level}")
                self._kind = kind
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
        if kind is DURABLE:
            lanes = [lane for lane in t.touched if lane.epoch == t.head.epoch]
            self._mark.write(
                t.batch, [(lane.track, Tail(lane.base + lane.last, lane.once)) for lane in lanes]
            )
        return answer

    def _open_first(self) -> None:
        with self._lock.alone():
            finish(self.path)
            pages = Pages(self.path, self._page) if self.path.exists() else None
            evidence = self._mark.read()
            try:
                connection = self._open()
                self._compare(connection, pages, evidence)
                self._settle(connection)
            except (sqlite3.Error, DamageError) as error:
                if isinstance(error, sqlite3.Error) and not is_damage(error):
                    self._open_full(error)
                    return
                self._replace(pages, evidence, str(error))
            finally:
                if pages is not None:
                    pages.close()

    def _open_full(self, error: sqlite3.Error) -> None:
        """Open the file with the room that is held back, if that is what it takes."""
        if not (is_full(error) and self._room.headroom.give_up()):
            raise name_fault(error, self.path) from error
        self._disconnect()
        self._settle(self._open())

    def _compare(
        self, connection: sqlite3.Connection, pages: Pages | None, evidence: Evidence
    ) -> None:
        """Find out whether the file has lost commits.

        Raises:
            DamageError: It has.
        """
        head = Facts(connection).head()
        known = evidence.batch
        if not known and pages is not None:
            from segue.agent.spool.scan import scan_journal

            known = scan_journal(pages)
        if head is None or head.batch < known:
            raise DamageError("its last commits are missing")

    def _open(self) -> sqlite3.Connection:
        connection = connect(self.path, self._page, self._room.journal)
        self.connection, self._kind = connection, DURABLE
        self._inode = self.path.stat().st_ino
        start_file(connection)
        return connection

    def _settle(self, connection: sqlite3.Connection) -> None:
        home = read_home(self.path)
        if Facts(connection).load("home") != home:
            self._run(DURABLE, lambda t: move_home(t, home), connection)

    def _follow(self) -> sqlite3.Connection:
        """Return the connection, anew if another process has set the file aside."""
        with suppress(FileNotFoundError):
            if self.connection is not None and self.path.stat().st_ino == self._inode:
                return self.connection
        self._disconnect()
        connection = self._open()
        self._settle(connection)
        return connection

    def _recover(self, why: str) -> None:
        """Set the damaged file aside, and go on with what of it can be read."""
        with self._lock.alone():
            if not self.path.exists() or self.path.stat().st_ino != self._inode:
                return  # another process was quicker
            pages = Pages(self.path, self._page)
            try:
                self._replace(pages, self._mark.read(), why)
            finally:
                pages.close()

    def _replace(self, pages: Pages | None, evidence: Evidence, why: str) -> None:
        self._disconnect()
        try:
            if pages is not None:
                from segue.agent.spool.salvage import salvage

                salvage(self.path, pages, evidence, why)
            self._mark.clear()
            self._settle(self._open())
            self._room.forget_damaged(self._room.cap)
        except sqlite3.Error as error:
            raise name_fault(error, self.path) from error

    def _disconnect(self) -> None:
        if self.connection is not None:
            with suppress(sqlite3.Error):
                self.connection.close()
            self.connection = None

    def close(self) -> None:
        """Give the file back; once more changes nothing."""
        with self._threads:
            if self._closed:
                return
            self._closed = True
            self._disconnect()
            self._mark.close()
            self._turn.close()
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
            _begin(connection, facts)
        connection.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("rollback")
        raise


def _begin(connection: sqlite3.Connection, facts: Facts) -> None:
    if connection.execute("select 1 from records limit 1").fetchone():
        raise DamageError("the head is gone")
    facts.save("head", asdict(Head(make_epoch())), 0)


def move_home(t: Transaction, home: list[str]) -> None:
    """Begin a new epoch in a file that was copied: the original may still be in use."""
    if t.facts.load("home") is not None:
        t.begin_epoch()
    t.facts.save("home", home, t.batch)


def name_fault(error: sqlite3.Error, path: Path) -> SegueError:
    """Return what SQLite's error means to a user."""
    if is_full(error):
        return StorageFullError(f"no room is left for {path}", hint="make room on its disk")
    return StorageError(f"{path} can't be used: {error}")
