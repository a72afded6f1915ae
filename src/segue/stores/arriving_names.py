"""Names of the files of arriving tables: who wrote them, and for which version.

``arriving-<version>-<hub>-<n>.parquet`` and ``compacted-<from>-<to>-<hub>-<n>.parquet``.
The versions in them tell readers which files are new to them (`segue.stores.arriving_read`); the
hub tells which files nobody will commit any more: those of a hub that is gone, whose lock is free.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "_hub/running"
"""Folder of the lake with a lock for each hub that runs."""

_FORM = re.compile(
    r"(?P<kind>arriving|compacted)-(?P<low>\d+)(?:-(?P<high>\d+))?-(?P<hub>[0-9a-f]{8})-\d+\.parquet"
)
_DRAFT = re.compile(r"_commit_(?P<hub>[0-9a-f]{8})-[0-9a-f]+\.json\.tmp")


class Names:
    """Gives names to the files of one hub process, and holds its lock.

    Args:
        lake: Folder of the lake.
    """

    def __init__(self, lake: Path) -> None:
        self.hub = uuid4().hex[:8]
        self._lake = lake
        self._numbers = count(1)
        self._lock = threading.Lock()
        folder = lake / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{self.hub}.lock"
        self._descriptor = _hold(self._path)
        for path in folder.glob("*.lock"):
            if path != self._path and _is_free(path):
                path.unlink(missing_ok=True)

    def give(self, kind: str, *versions: int) -> str:
        """Return a new name."""
        with self._lock:
            number = next(self._numbers)
        return f"{kind}-{'-'.join(map(str, versions))}-{self.hub}-{number}.parquet"

    def is_abandoned(self, name: str) -> bool:
        """Return whether a file is of a hub that runs no more, so that nobody will commit it."""
        match = _FORM.fullmatch(name) or _DRAFT.fullmatch(name)
        if match is None or match["hub"] == self.hub:
            return False
        return _is_free(self._lake / FOLDER / f"{match['hub']}.lock")

    def close(self) -> None:
        """Give the lock back."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def _hold(path: Path) -> int:
    """Return the descriptor of a lock that is held."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)  # another hub took it for a dead one's before it was held


def _is_free(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def versions_of(name: str) -> tuple[int, int] | None:
    """Return the versions whose rows a file has; None if a hub did not write it.

    Example:
        >>> versions_of("compacted-3-17-0a1b2c3d-9.parquet")
        (3, 17)
        >>> versions_of("arriving-3-0a1b2c3d-9.parquet")
        (3, 3)
    """
    match = _FORM.fullmatch(name)
    if match is None:
        return None
    low = int(match["low"])
    return low, int(match["high"] or low)
