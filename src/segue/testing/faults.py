"""Faults of disks, files and clocks; those of processes are in `segue.testing.processes`.

Each is real: a mounted disk that is full, a lock that another connection holds, bytes that
were changed in a file. `docs/explain/faults.md` says what was tried with them.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from segue.testing.processes import (
    Ended,
    Victim,
    run_segue,
    running,
    start_call,
    start_command,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Ended",
    "ShiftedClock",
    "Victim",
    "can_mount",
    "corrupt_page",
    "fill_disk",
    "hold_ledger",
    "limit_files",
    "mount_disk",
    "run_segue",
    "running",
    "start_call",
    "start_command",
    "truncate_file",
    "wait_until",
]


@contextmanager
def hold_ledger(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold a write transaction on a SQLite ledger from another connection."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("begin immediate")
        yield connection
    finally:
        with suppress(sqlite3.OperationalError):
            connection.execute("rollback")
        connection.close()


def truncate_file(path: Path, share: float) -> None:
    """Cut a file off, as a broken disk or copy does.

    Args:
        path: The file; what SQLite keeps beside it goes as well.
        share: How much of it stays, from 0 to 1.
    """
    _drop_journal(path)
    os.truncate(path, int(path.stat().st_size * share))


def corrupt_page(path: Path, page: int, *, size: int = 4096) -> None:
    """Turn every bit of one page of a file around.

    Args:
        path: The file; what SQLite keeps beside it goes as well.
        page: Number of the page, from 0.
        size: Bytes of a page.
    """
    _drop_journal(path)
    with path.open("r+b") as file:
        file.seek(page * size)
        content = file.read(size)
        file.seek(page * size)
        file.write(bytes(byte ^ 0xFF for byte in content))


def _drop_journal(path: Path) -> None:
    # What is in the journal would heal the file: bring it home first.
    with suppress(sqlite3.DatabaseError):
        connection = sqlite3.connect(path)
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@cache
def can_mount() -> bool:
    """Return whether this process may mount a disk; root can, outside of most containers."""
    if os.geteuid() or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            _mount(Path(folder), 4096)
        except subprocess.CalledProcessError:
            return False
        _unmount(Path(folder))
    return True


def _mount(folder: Path, size: int) -> None:
    options = f"size={size},mode=0777"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607  # wherever it lies


@contextmanager
def mount_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a disk in memory that holds `size` bytes, for a ``with`` block.

    Args:
        folder: Where; made if need be. What is in it is moved onto the disk, and back.
        size: Bytes that it holds.

    Raises:
        subprocess.CalledProcessError: It may not be mounted; see `can_mount`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f"{folder.name}.aside")
    shutil.copytree(folder, aside)
    _mount(folder, size)
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield folder
        shutil.rmtree(aside)
        shutil.copytree(folder, aside)
    finally:
        _unmount(folder)
    shutil.rmtree(folder)
    aside.rename(folder)


@contextmanager
def fill_disk(folder: Path, leave: int = 0) -> Iterator[None]:
    """Take the room of a disk, for a ``with`` block.

    Args:
        folder: A folder on the disk.
        leave: Bytes that stay free.
    """
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    os.truncate(ballast, max(0, ballast.stat().st_size - leave))
    try:
        yield
    finally:
        ballast.unlink()


def limit_files(size: int) -> None:
    """Let no file of this process grow beyond `size` bytes: the writer gets an error.

    It works where a disk can't be mounted, and differs from a full one in the error's number.
    """
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@dataclass(slots=True)
class ShiftedClock:
    """A clock whose time for people is wrong; the monotonic one is the machine's.

    Attributes:
        shift: By how much it is wrong now.
    """

    shift: timedelta = timedelta()

    def now(self) -> str:
        """Return a wrong UTC time as ISO text."""
        return (datetime.now(UTC) + self.shift).isoformat(timespec="microseconds")

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()
