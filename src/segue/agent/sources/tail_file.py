"""One file that is followed: which it is, how far it was read, and reading on."""

from __future__ import annotations

import gzip
import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from segue.agent.digests import digest_sha256
from segue.agent.sources.lines import TIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD = 1024
_MARK = 512
_STEP = 2**20

Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read; it is known again by number and by what was read of it.

    Attributes:
        path: Where it was seen last.
        identity: Device and inode.
        offset: Bytes that were read, unpacked.
        print: Digest of the first bytes and of the last ones before the offset.
        state: ``skip`` inside a record that is left out, ``done`` at the end of a packed file.
    """

    path: str
    identity: Identity
    offset: int = 0
    print: str = ""
    state: str = ""

    def write(self) -> list[Any]:
        """Return it for the cursor."""
        return [self.path, *self.identity, self.offset, self.print, self.state]

    @classmethod
    def read(cls, written: Sequence[Any]) -> Place:
        """Return what `write` wrote."""
        path, device, inode, offset, print_, state = written
        return cls(path, (device, inode), offset, print_, state)


def is_packed(path: str) -> bool:
    """Return whether a file is compressed, by its name."""
    return path.endswith(".gz")


def look_at(path: str) -> tuple[Identity, int] | None:
    """Return identity and size of a regular file; None if there is none."""
    try:
        found = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return (found.st_dev, found.st_ino), found.st_size


def print_bytes(head: bytes, mark: bytes) -> str:
    """Return the digest by which a place is known again."""
    return digest_sha256(head + b"\0" + mark)[:32]


class TailFile:
    """A file that is open, or can be opened again.

    Args:
        place: Where to read on.
        size: Bytes that it has.
    """

    def __init__(self, place: Place, size: int) -> None:
        self.place = place
        self.size = size
        self.waiting = 0
        """Size at which an end without newline was met: nothing new before it grows."""
        self.touched = 0.0
        self.known = False
        """Whether it was seen to be the file that was read."""
        self.missing = False
        """Whether it has no name that was found."""
        self._head = b""
        self._mark = b""
        self._file: IO[bytes] | None = None
        self._raw: IO[bytes] | None = None
        self._ahead = b""

    @property
    def packed(self) -> bool:
        """Whether it is compressed."""
        return is_packed(self.place.path)

    @property
    def opened(self) -> bool:
        """Whether it holds a descriptor."""
        return self._file is not None

    @property
    def ready(self) -> bool:
        """Whether there may be something to read."""
        if self.packed:
            return self.place.state != "done" and self.size != self.waiting
        return self.size > max(self.place.offset, self.waiting)

    def open(self) -> bool:
        """Open it at its place; False if what was read of it is not what stands there.

        Raises:
            OSError: It can't be read.
        """
        file: IO[bytes] = open(self.place.path, "rb", buffering=0)  # noqa: SIM115, PTH123 - kept
        found = os.fstat(file.fileno())
        if (found.st_dev, found.st_ino) != self.place.identity:
            file.close()
            raise FileNotFoundError(2, "it was replaced", self.place.path)
        self._raw = file
        self._file = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if self.packed else file
        try:
            head, mark = self._print_at(self.place.offset)
        except (EOFError, gzip.BadGzipFile):  # it is still being written
            self.close()
            return False
        if self.place.offset and print_bytes(head, mark) != self.place.print:
            self.close()
            return False
        self._head, self._mark, self._ahead = head, mark, b""
        self.known = True
        return True

    def begins_like(self, other: TailFile, begin: int) -> bool:
        """Return whether all that is in this file from a byte on stands in another too."""
        with open(self.place.path, "rb") as mine, open(other.place.path, "rb") as theirs:  # noqa: PTH123
            mine.seek(begin)
            theirs.seek(begin)
            while step := mine.read(_STEP):
                if theirs.read(len(step)) != step:
                    return False
        return True

    def read(self, room: int, most: int) -> tuple[bytes, int]:
        """Return whole records from the place on, and how many were too long; moves the place.

        Args:
            room: Bytes that are left in the chunk.
            most: Bytes of a whole chunk; only where there is room for one, a record may be longer.

        Raises:
            TruncatedError: What was read of it is not there any more.
            OSError: It can't be read.
        """
        if self.packed:
            return self._read_packed(room, most)
        data = self._look(room)
        while self.place.state == "skip":
            if not data:
                return b"", 0
            self._leave(data)
            data = self._look(room)
        end = data.rfind(b"\n") + 1
        if not end and len(data) >= room:
            if room < most:
                return b"", 0
            data = self._look(TIMES * most + 1)
            end = data.find(b"\n") + 1
            if not end and len(data) > TIMES * most:
                self._move(data, "skip")
                return b"", 1
        if not end:
            self.waiting = self.place.offset + len(data)
            return b"", 0
        self._move(data[:end], "")
        return data[:end], 0

    def _leave(self, data: bytes) -> bytes:
        """Pass over the rest of a record that is left out; returns what comes behind it."""
        end = data.find(b"\n") + 1
        self._move(data[: end or len(data)], "" if end else "skip")
        return data[end:] if end else b""

    def read_last(self) -> bytes:
        """Return the end of a file that will not grow as a record, if it lacks the newline."""
        if self.packed or self._file is None or self.place.state == "skip":
            return b""
        data = self._look(_STEP)
        self._move(data, "")
        return data + b"\n" if data and not data.endswith(b"\n") else data

    def restart(self) -> None:
        """Begin again at the first byte."""
        self.close()
        self.place = replace(self.place, offset=0, print="", state="")
        self.waiting = 0

    def skip_to(self, offset: int) -> None:
        """Open it and take what stands before an offset for read.

        Raises:
            OSError: It can't be read.
        """
        self.restart()
        self.open()
        self._head, self._mark = self._print_at(offset)
        digest = print_bytes(self._head, self._mark)
        self.place = replace(self.place, offset=offset, print=digest)

    def is_intact(self) -> bool:
        """Return whether what was read of it still stands there.

        Raises:
            OSError: It can't be read.
        """
        if self._file is None or self.packed:
            return self.opened or self.open()
        try:
            self._look(0)
        except TruncatedError:
            return False
        return True

    def unlinked(self) -> bool:
        """Return whether the file has no name any more; only known of an open one."""
        return (
            self.missing and self._file is not None and os.fstat(self._file.fileno()).st_nlink == 0
        )

    def grown(self) -> int:
        """Return the bytes that an open file has now."""
        if self._file is not None and not self.packed:
            return os.fstat(self._file.fileno()).st_size
        return self.size

    def close(self) -> None:
        """Give back the descriptor."""
        for file in (self._file, self._raw):
            if file is not None:
                file.close()
        self._file = self._raw = None

    def _look(self, most: int) -> bytes:
        """Return bytes from the place on; the ones before it must be what they were."""
        if self._file is None:
            raise TruncatedError
        back = len(self._mark)
        data = os.pread(self._file.fileno(), most + back, self.place.offset - back)
        if data[:back] != self._mark:
            raise TruncatedError
        return data[back:]

    def _move(self, data: bytes, state: str) -> None:
        if len(self._head) < _HEAD:
            self._head = (self._head + data[:_HEAD])[:_HEAD]
        self._mark = (self._mark + data[-_MARK:])[-_MARK:]
        self.place = replace(
            self.place,
            offset=self.place.offset + len(data),
            print=print_bytes(self._head, self._mark),
            state=state,
        )

    def _read_packed(self, room: int, most: int) -> tuple[bytes, int]:
        lost = 0
        while len(self._ahead) < room or b"\n" not in self._ahead:
            if not (step := self._unpack()):
                return self._end_packed(), lost
            self._ahead += step
            if self.place.state == "skip":
                self._ahead = self._leave(self._ahead)
            elif len(self._ahead) > TIMES * most and b"\n" not in self._ahead:
                lost += 1
                self._move(self._ahead, "skip")
                self._ahead = b""
        end = self._ahead.rfind(b"\n", 0, room) + 1
        if not end and room < most:
            return b"", lost
        end = end or self._ahead.find(b"\n") + 1
        data, self._ahead = self._ahead[:end], self._ahead[end:]
        self._move(data, "")
        if end > TIMES * most + 1:
            return b"", lost + 1
        return data, lost

    def _unpack(self) -> bytes:
        if self._file is None:
            raise TruncatedError
        try:
            return self._file.read(_STEP)
        except (EOFError, gzip.BadGzipFile) as error:
            self.waiting = self.size
            raise OSError(5, f"damaged or still being written: {error}") from None

    def _end_packed(self) -> bytes:
        data, self._ahead = self._ahead, b""
        if self.place.state == "skip":
            data = self._leave(data)
        self._move(data, "done")
        return data + b"\n" if data and not data.endswith(b"\n") else data

    def _print_at(self, offset: int) -> tuple[bytes, bytes]:
        """Return the first bytes, and the last ones before an offset; packed files stand there."""
        if self._file is None:
            return b"", b""
        if not self.packed:
            number, back = self._file.fileno(), min(offset, _MARK)
            return os.pread(number, min(offset, _HEAD), 0), os.pread(number, back, offset - back)
        head = mark = b""
        left = offset
        while left:
            step = self._file.read(min(left, _STEP))
            if not step:
                break
            head = (head + step[:_HEAD])[:_HEAD]
            mark = (mark + step)[-_MARK:]
            left -= len(step)
        return head, mark


class TruncatedError(Exception):
    """What was read of a file is not there any more."""
