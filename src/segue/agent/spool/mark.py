"""How far a spool has come, beside its file: evidence that commits are missing from it.

A file whose end was torn off by a disk that lied about a flush looks like one that never had
that end. The mark is written after each commit, without a flush: it is never ahead of the file
unless the file has lost something, and then it says what.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from segue.agent.spool.damage import checksum

_SLOT = struct.Struct("<QQQI")
_SIZE = 32
_SLOTS = 1024


@dataclass(frozen=True, slots=True)
class Tail:
    """How far a track has come.

    Attributes:
        number: Number of its last record.
        once: Rows from sources that can't be read again, since the track began.
    """

    number: int
    once: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a mark says.

    Attributes:
        batch: Number of the last commit; 0 if the mark says nothing.
        tails: How far each track has come.
    """

    batch: int = 0
    tails: dict[int, Tail] = field(default_factory=dict)


class Mark:
    """The file of a mark."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(OSError):
            os.posix_fallocate(self._descriptor, 0, _SIZE * (_SLOTS + 1))

    def write(self, batch: int, tails: Iterable[tuple[int, Tail]]) -> None:
        """Say that a commit is done; a mark that can't be written says nothing."""
        with suppress(OSError):
            for track, tail in tails:
                values = track, tail.number, tail.once
                slot = _SLOT.pack(*values, checksum(*values))
                os.pwrite(self._descriptor, slot, _SIZE * (1 + track % _SLOTS))
            values = batch, 0, 0
            os.pwrite(self._descriptor, _SLOT.pack(*values, checksum(*values)), 0)

    def read(self) -> Evidence:
        """Return what it says; nothing of it counts that is damaged."""
        content = os.pread(self._descriptor, _SIZE * (_SLOTS + 1), 0)
        found = [_read(content, at) for at in range(0, len(content) - _SLOT.size + 1, _SIZE)]
        if not found or found[0] is None:
            return Evidence()
        tails = {each[0]: Tail(each[1], each[2]) for each in found[1:] if each and each[0]}
        return Evidence(found[0][0], tails)

    def clear(self) -> None:
        """Say nothing any more."""
        with suppress(OSError):
            os.pwrite(self._descriptor, b"\0" * _SIZE * (_SLOTS + 1), 0)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)


def _read(content: bytes, at: int) -> tuple[int, int, int] | None:
    first, second, third, crc = _SLOT.unpack_from(content, at)
    return (first, second, third) if checksum(first, second, third) == crc else None
