"""Which parcel was about to be written when the process died: it is sent again as it was."""

from __future__ import annotations

import json
import os
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SLOT = 16 * 1024
"""Bytes of one copy; a hundred streams fit."""

Key = tuple[str, str]
"""Stream and epoch."""


class Intents:
    """First and last sequence of the parcels under way, in a file of fixed size.

    Two copies are written in turn and in place: a torn one is passed over, and a disk without
    room can still write them.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     intents = Intents(Path(folder, "archive.intents"))
        ...     intents.write(("readings", "0" * 16), 3, 8)
        ...     intents.close()
        ...     Intents(Path(folder, "archive.intents")).find(("readings", "0" * 16))
        (3, 8)
    """

    def __init__(self, path: Path) -> None:
        """Open the file.

        Args:
            path: The file; made if it is not there.

        Raises:
            OSError: It can't be made.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(self._file).st_size < 2 * _SLOT:
            os.pwrite(self._file, bytes(2 * _SLOT), 0)
        found = [_read(os.pread(self._file, _SLOT, place * _SLOT)) for place in (0, 1)]
        self._number, self._ranges = max(found, key=lambda each: each[0])

    def find(self, key: Key) -> tuple[int, int] | None:
        """Return the parcel of a stream that was under way."""
        return self._ranges.get(key)

    def write(self, key: Key, first: int, last: int) -> None:
        """Remember what is about to be written.

        Raises:
            OSError: The disk fails.
        """
        self._ranges.pop(key, None)
        self._ranges[key] = (first, last)
        content = self._dump()
        while len(content) > _SLOT:
            self._ranges.pop(next(iter(self._ranges)))
            content = self._dump()
        self._number += 1
        os.pwrite(self._file, content.ljust(_SLOT, b"\0"), self._number % 2 * _SLOT)
        os.fdatasync(self._file)

    def forget(self, key: Key) -> None:
        """Leave a stream out of what is written next."""
        self._ranges.pop(key, None)

    def _dump(self) -> bytes:
        rows = [[*key, *range_] for key, range_ in self._ranges.items()]
        body = json.dumps([self._number + 1, rows]).encode()
        return b"%08x" % zlib.crc32(body) + body

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _read(slot: bytes) -> tuple[int, dict[Key, tuple[int, int]]]:
    """Return the number of a copy and what it says; -1 for one that is torn or empty."""
    body = slot[8:].rstrip(b"\0")
    if slot[:8] != b"%08x" % zlib.crc32(body) or not body:
        return -1, {}
    number, rows = json.loads(body)
    return number, {(stream, epoch): (first, last) for stream, epoch, first, last in rows}
