"""A SQLite ledger that may only be read: opened without its locks, and seen not to change.

SQLite reads a file with a journal only where it may make the journal's index, unless it is told
that the file can't change. Nobody can promise that, so it is looked at before and after.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import LedgerBusyError, name_disk_fault

if TYPE_CHECKING:
    from collections.abc import Iterator


def may_only_read(path: str | Path) -> bool:
    """Return whether a ledger is there, and it or its folder may not be written."""
    path = Path(path)
    return os.access(path, os.R_OK) and not (
        os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)
    )


def connect_to_read(path: str | Path, wait_seconds: float) -> sqlite3.Connection:
    """Open a ledger that may only be read.

    Args:
        path: Its file.
        wait_seconds: Longest wait for another program's lock.
    """
    path = Path(path).absolute()
    how = "mode=ro" if _journal(path).exists() else "mode=ro&immutable=1"
    return sqlite3.connect(
        f"{path.as_uri()}?{how}",
        timeout=wait_seconds,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )


@contextmanager
def seen_unchanged(path: str | Path) -> Iterator[None]:
    """Make sure that nobody writes a ledger while it is read without locks.

    Raises:
        LedgerBusyError: Somebody did: what was read, or went wrong, means nothing.
    """
    path = Path(path)
    before = _look_at(path)
    try:
        yield
    except Exception as error:
        _compare(path, before, error)
        raise
    _compare(path, before, None)


@dataclass(frozen=True, slots=True)
class _Look:
    """A ledger at one moment.

    Attributes:
        locked: Whether there is a journal: then it is read with locks.
        stamp: What differs once the file is written.
    """

    locked: bool
    stamp: tuple[int, ...]


def _look_at(path: Path) -> _Look:
    try:
        found = path.stat()
    except OSError as error:
        raise name_disk_fault(error, path) from error
    return _Look(_journal(path).exists(), (found.st_ino, found.st_size, found.st_mtime_ns))


def _compare(path: Path, before: _Look, error: Exception | None) -> None:
    now = _look_at(path)
    if now.stamp != before.stamp and not (now.locked and before.locked):
        raise LedgerBusyError(
            f"the ledger {path} was written while it was read",
            hint="try again: where you may not write in its folder, it is read without locks",
        ) from error


def _journal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
