"""Reading SQLite's file format page by page, so that damage in one page costs no other.

Only what a spool needs: leaf pages of tables, their cells, and chains of overflow pages. The
journal's pages count up to its last commit, whether or not its running checksum holds: what
the rows say is trusted by their own checksums, never by the page they lie on.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

_FRAME = 24
_HEADER = 32
_LEAF = 0x0D
_OTHERS = (0x00, 0x02, 0x05, 0x0A)
"""First bytes of pages that are no table's leaf: overflow, free, index, interior."""
_SMALLEST, _LARGEST = 512, 65536


class Cell(NamedTuple):
    """A row of a table as it lies on its page.

    Attributes:
        row_id: Its integer key.
        local: The part of it that lies on the page.
        length: Bytes of all of it.
        overflow: First page of the rest; 0 for none.
    """

    row_id: int
    local: bytes
    length: int
    overflow: int


class Pages:
    """The pages of a file, with those of its journal over them.

    The file itself is opened when a page of it is asked for, and not before: closing it takes
    away all locks that this process has on it (that is how POSIX has it), those of SQLite too.
    Then another process that leaves takes itself for the last one, and removes the journal.
    """

    def __init__(self, path: Path, page: int) -> None:
        """Read the journal at once, before SQLite looks at it."""
        self._path, self._page = path, page
        self._opened: FileIO | None = None
        wal = path.with_name(path.name + "-wal")
        self._journal = wal.read_bytes() if wal.exists() else b""

    @cached_property
    def size(self) -> int:
        """Bytes of a page."""
        if len(self._journal) >= _HEADER:
            (size,) = struct.unpack_from(">I", self._journal, 8)
            if _is_size(size):
                return int(size)
        self._file.seek(0)
        head = self._file.read(18)
        size = struct.unpack_from(">H", head, 16)[0] if len(head) == 18 else 0  # noqa: PLR2004
        return int(size) if _is_size(size) else self._page

    @cached_property
    def _frames(self) -> dict[int, int]:
        """Where the newest form of a page begins in the journal, by its number."""
        if len(self._journal) < _HEADER:
            return {}
        most = self._stored + len(self._journal) // self.size
        frames = _committed(self._journal, self.size)
        return {number: at for number, at in frames if 0 < number <= most}

    @cached_property
    def _stored(self) -> int:
        return self._path.stat().st_size // self.size

    @cached_property
    def count(self) -> int:
        """Pages of both."""
        return max([self._stored, *self._frames])

    @property
    def _file(self) -> FileIO:
        if self._opened is None:
            self._opened = self._path.open("rb", buffering=0)
        return self._opened

    def read(self, number: int) -> bytes:
        """Return a page; empty if the disk does not give it."""
        at = self._frames.get(number)
        if at is not None:
            return self._journal[at : at + self.size]
        try:
            self._file.seek((number - 1) * self.size)
            return self._file.read(self.size)
        except OSError:
            return b""

    def cells(self) -> Iterator[Cell]:
        """Go through the rows of all tables; some may be older than others, or damaged."""
        for number in range(1, self.count + 1):
            page = self.read(number)
            if len(page) == self.size:
                yield from _cells(page, 100 if number == 1 else 0)

    def journal_cells(self) -> Iterator[Cell]:
        """Go through the rows on pages of the journal."""
        for number in self._frames:
            yield from _cells(self.read(number), 100 if number == 1 else 0)

    def content(self, cell: Cell) -> bytes:
        """Return the whole of a row; what its chain of pages does not give is missing."""
        if not cell.overflow:
            return cell.local
        parts, missing, number = [cell.local], cell.length - len(cell.local), cell.overflow
        while missing > 0 and 0 < number <= self.count:
            page = self.read(number)
            if len(page) < self.size:
                break
            parts.append(page[4 : 4 + min(missing, self.size - 4)])
            missing -= self.size - 4
            (number,) = struct.unpack_from(">I", page)
        return b"".join(parts)

    def close(self) -> None:
        """Give the file back, if it was opened."""
        if self._opened is not None:
            self._opened.close()


def _is_size(size: int) -> bool:
    return _SMALLEST <= size <= _LARGEST and size & (size - 1) == 0


def _committed(journal: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Go through the pages of a journal up to its last commit, with where they begin."""
    frames = [
        (*struct.unpack_from(">II", journal, at), journal[at + 8 : at + 16], at + _FRAME)
        for at in range(_HEADER, len(journal) - size - _FRAME + 1, size + _FRAME)
    ]
    if not frames:
        return
    # Frames of an earlier journal follow with other salts. A single odd one is a damaged one.
    salts = journal[16:24]
    if all(frame[2] != salts for frame in frames):
        salts = frames[0][2]
    ours = max(index for index, frame in enumerate(frames) if frame[2] == salts) + 1
    commits = [index for index, frame in enumerate(frames[:ours]) if frame[1]]
    for number, _, _, begin in frames[: max(commits, default=-1) + 1]:
        yield number, begin


def _cells(page: bytes, at: int) -> Iterator[Cell]:
    if page[at] != _LEAF and page[at] in _OTHERS:
        return
    (count,) = struct.unpack_from(">H", page, at + 3)
    for index in range(min(count, (len(page) - at - 8) // 2)):
        (begin,) = struct.unpack_from(">H", page, at + 8 + 2 * index)
        cell = _cell(page, begin)
        if cell is not None:
            yield cell


def _cell(page: bytes, at: int) -> Cell | None:
    usable = len(page)
    try:
        length, at = read_varint(page, at)
        row_id, at = read_varint(page, at)
    except IndexError:
        return None
    if length <= usable - 35:
        return Cell(row_id, page[at : at + length], length, 0)
    least = (usable - 12) * 32 // 255 - 23
    local = least + (length - least) % (usable - 4)
    local = local if local <= usable - 35 else least
    if at + local + 4 > usable:
        return None
    (overflow,) = struct.unpack_from(">I", page, at + local)
    return Cell(row_id, page[at : at + local], length, overflow)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of SQLite's variable length, and where the next begins.

    Example:
        >>> read_varint(bytes([0x81, 0x00]), 0)
        (128, 2)
    """
    value = 0
    for index in range(at, at + 8):
        byte = data[index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004  # the bit that says that more follows
            return value, index + 1
    return value << 8 | data[at + 8], at + 9


def read_columns(data: bytes, most: int) -> list[Any]:
    """Return the columns of a row: integers, texts, bytes, None.

    Args:
        data: The row, or its beginning.
        most: Columns that are read; a last one of bytes is cut where `data` ends.

    Raises:
        ValueError: It is no row that a spool would write.
    """
    try:
        length, at = read_varint(data, 0)
        kinds = []
        while at < length:
            kind, at = read_varint(data, at)
            kinds.append(kind)
        return list(_columns(data, at, kinds[:most]))
    except (IndexError, UnicodeDecodeError, KeyError) as error:
        raise ValueError("not a row") from error


_WIDTHS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def _columns(data: bytes, at: int, kinds: list[int]) -> Iterator[Any]:
    for kind in kinds:
        if kind in (0, 8, 9):
            yield None if kind == 0 else kind - 8
        elif kind >= 12:  # noqa: PLR2004  # texts and bytes, odd and even
            part = data[at : at + (kind - 12) // 2]
            at += (kind - 12) // 2
            yield part.decode() if kind % 2 else part
        else:
            width = _WIDTHS[kind]
            yield int.from_bytes(data[at : at + width], "big", signed=True)
            at += width
