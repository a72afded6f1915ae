"""How much a spool takes on disk, and what still goes in."""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock

from segue.agent.spool.headroom import Headroom
from segue.spec.edge import SpoolSettings

MOST_JOURNAL = 4 * 2**20
"""Bytes of the journal (WAL) above which it is brought home into the file."""
MOST_FREE = 32 * 2**20
"""Bytes of free pages that stay in the file in any case."""
GIVEN_BACK = 256
"""Pages that are given back at once: another one may have to move for each."""
LEAST_JOURNAL = 64 * 2**10
SPARE_PAGES = 12
"""Pages that a commit changes beside those of its payloads."""
ROW_BYTES = 640
"""Bytes of a record beside its payload, at most."""


class Room:
    """The room of a spool on disk.

    Attributes:
        path: The spool's file.
        cap: Bytes that all its files may take together.
        journal: Bytes above which the journal is brought home.
        headroom: What is held back for a disk that is full.
    """

    def __init__(self, path: Path, settings: SpoolSettings) -> None:
        self.path = path
        self.cap = settings.cap
        disk = os.statvfs(path.parent)
        whole = min(settings.cap // 8, disk.f_blocks * disk.f_frsize // 16)
        self.journal = max(LEAST_JOURNAL, min(MOST_JOURNAL, whole))
        self.headroom = Headroom(path.with_suffix(".headroom"), self.journal + 2**16)
        self._wal = path.with_name(path.name + "-wal")
        self._index = path.with_name(path.name + "-shm")

    def used(self) -> int:
        """Return the bytes that all files of the spool take on disk."""
        stem, used = self.path.stem, 0
        with os.scandir(self.path.parent) as found:
            for each in found:
                if each.name.startswith(stem):
                    with suppress(FileNotFoundError):
                        used += each.stat().st_size
        return used

    def damaged(self) -> list[Path]:
        """Return the files that are set aside, the oldest first."""
        return list_damaged(self.path)

    def forget_damaged(self, most: int) -> bool:
        """Remove files that are set aside, the oldest first, while the spool takes more.

        Returns:
            Whether there was one to remove.
        """
        removed = False
        for path in self.damaged():
            if self.used() <= most:
                break
            for suffix in ("", "-wal"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            removed = True
        return removed

    def short(self, connection: sqlite3.Connection, payloads: Iterable[int], *, tight: bool) -> int:
        """Return how many bytes are short for a commit of some payloads; 0 or less if none is.

        Args:
            connection: The open file, within a transaction.
            payloads: Bytes of each payload.
            tight: Whether the disk is full, so that no file may grow.
        """
        page, count, free = (
            connection.execute(f"pragma {name}").fetchone()[0]
            for name in ("page_size", "page_count", "freelist_count")
        )
        needed = count_pages(payloads, page)
        growth = int(max(0, needed + SPARE_PAGES - free) * page)
        file, journal = file_size(self.path), file_size(self._wal)
        frames = self.frames_bytes() + (needed + SPARE_PAGES) * (page + 24)
        reserve = self.journal + SPARE_PAGES * (page + 24)
        if tight:
            return growth
        others = self.used() - file - journal
        whole = max(file, count * page + growth) + max(journal, frames, reserve) + others
        return int(whole) - self.cap

    def give_back(self, connection: sqlite3.Connection) -> bool:
        """Give pages that are free back to the disk, some at a time; within a transaction.

        Pages are kept for what comes next, unless most of the file is free after an outage, or
        the cap was lowered.

        Returns:
            Whether any were given back: the file shrinks once the journal is brought home.
        """
        page, count, free = (
            connection.execute(f"pragma {name}").fetchone()[0]
            for name in ("page_size", "page_count", "freelist_count")
        )
        most = self.cap - 2 * self.journal - self.headroom.size
        over = count * page - most
        if not (free * page > MOST_FREE and free > count // 2) and over <= 0:
            return False
        for _ in range(min(free, GIVEN_BACK)):
            # Python's sqlite3 goes one step, and a step is a page, whatever number is asked for.
            connection.execute("pragma incremental_vacuum(1)")
        return bool(free)

    def is_hopeless(
        self, connection: sqlite3.Connection, payloads: Iterable[int], *, tight: bool
    ) -> bool:
        """Return whether payloads would not find room even if everything else was dropped.

        Args:
            connection: The open file.
            payloads: Bytes of each payload.
            tight: Whether the disk is full, so that no file may grow.
        """
        page = connection.execute("pragma page_size").fetchone()[0]
        needed = (count_pages(payloads, page) + SPARE_PAGES) * (page + 24)
        if tight:
            return bool(self.frames_bytes() + needed > file_size(self._wal))
        return bool(needed + max(needed, self.journal) > self.cap * 3 // 4)

    def frames_bytes(self) -> int:
        """Return the bytes of the journal that can't be written again yet, as its index tells."""
        with suppress(OSError):
            index = _read_held(self._index, 100)
            if len(index) == 100:  # noqa: PLR2004  # the part of the index that is read
                page, frames, home = (
                    struct.unpack_from(form, index, at)[0]
                    for form, at in (("=H", 14), ("=I", 16), ("=I", 96))
                )
                return 0 if home >= frames else int(frames * ((page or 65536) + 24))
        return 0

    def bring_home(self, connection: sqlite3.Connection, *, always: bool = False) -> None:
        """Write the journal into the file if it is long, so that it is used again from its start.

        Where another process reads, or no room is left, it stays for the next time.
        """
        if self.frames_bytes() > (0 if always else self.journal):
            with suppress(sqlite3.OperationalError):
                connection.execute("pragma wal_checkpoint(passive)")
            self.headroom.take()


_held: dict[tuple[int, int], int] = {}
_holding = Lock()


def _read_held(path: Path, size: int) -> bytes:
    """Return the first bytes of a file that SQLite has open too, whose descriptor stays open.

    Closing any descriptor of a file gives up all locks that this process has on it: SQLite's
    lock on the journal with them, so that two would write at once. Those of files that were
    removed are closed: SQLite removes an index once nobody has it open.
    """
    with _holding:
        found = os.stat(path)  # noqa: PTH116  # asked at each commit
        key = found.st_dev, found.st_ino
        if key not in _held or not os.fstat(_held[key]).st_nlink:
            for each, descriptor in [*_held.items()]:
                if not os.fstat(descriptor).st_nlink:
                    os.close(_held.pop(each))
            _held[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(_held[key], size, 0)


def count_pages(payloads: Iterable[int], page: int) -> int:
    """Return the pages that payloads need, each with its record."""
    return sum(-(-(size + ROW_BYTES) // (page - 4)) + 1 for size in payloads)


def list_damaged(path: Path) -> list[Path]:
    """Return the damaged files of a spool, the oldest first."""
    return sorted(path.parent.glob(f"{path.stem}-damaged-*.db"), key=damaged_number)


def damaged_number(path: Path) -> int:
    """Return the number of a file that is set aside."""
    return int(path.stem.rpartition("-")[2])


def file_size(path: Path) -> int:
    """Return the bytes of a file; 0 if there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116  # asked at each commit
    except FileNotFoundError:
        return 0
