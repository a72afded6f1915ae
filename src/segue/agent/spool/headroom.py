"""Room on the disk that is held back, so that a full disk can still be drained."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class Headroom:
    """A file without content that is given up when nothing else is left.

    Attributes:
        size: Its bytes.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self.size = size

    def take(self) -> bool:
        """Hold the room if the disk has it; return whether it is held."""
        with suppress(FileNotFoundError):
            if self._path.stat().st_size == self.size:
                return True
            self._path.unlink()
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            os.posix_fallocate(descriptor, 0, self.size)
        except OSError:
            self._path.unlink()
            return False
        finally:
            os.close(descriptor)
        return True

    def give_up(self) -> bool:
        """Give the room back to the disk; return whether it was held."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True
