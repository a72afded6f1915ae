"""Whole records cut out of bytes that come as they come."""

from __future__ import annotations

TOO_LONG = "record too long"
"""The reason for which a record is left out that is ten times as long as a chunk."""

TIMES = 10
"""How many times as long as a chunk a record may be."""


class LineBuffer:
    r"""Bytes of a stream that have come, given back as whole lines.

    Example:
        >>> buffer = LineBuffer()
        >>> buffer.feed(b"one\ntw")
        >>> buffer.take(100), buffer.feed(b"o\n"), buffer.take(100)
        (b'one\n', None, b'two\n')
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        self._skipping = False
        self.lost = 0
        """Records that were too long; whoever tells them sets it back."""

    def __len__(self) -> int:
        """Return the bytes that are held."""
        return len(self._held)

    def feed(self, data: bytes) -> None:
        """Add what has come."""
        if self._skipping:
            _, newline, data = data.partition(b"\n")
            self._skipping = not newline
        self._held += data

    def take(self, most: int, room: int | None = None) -> bytes:
        """Return whole lines; empty if there is none.

        Args:
            most: Bytes of a chunk; a line that is longer comes by itself.
            room: Bytes that are left in the chunk, if others are in it already.
        """
        held = self._held
        room = most if room is None else room
        while not (end := held.rfind(b"\n", 0, room) + 1):
            if room < most:
                return b""
            end = held.find(b"\n", self._searched) + 1
            if not end:
                self._searched = len(held)
                if len(held) > TIMES * most:
                    self._skip(len(held), skipping=True)
                return b""
            if end <= TIMES * most + 1:
                break
            self._skip(end, skipping=False)
        return self._cut(end)

    def end(self, *, whole: bool) -> int:
        """Take what is left at the end of a stream for a line.

        Args:
            whole: Whether the stream was ended on purpose; else the line is left out.

        Returns:
            How many lines were left out.
        """
        self._skipping = False
        begin = self._held.rfind(b"\n") + 1
        if begin == len(self._held):
            return 0
        if whole:
            self._held += b"\n"
            return 0
        del self._held[begin:]
        return 1

    def _skip(self, end: int, *, skipping: bool) -> None:
        self._cut(end)
        self.lost += 1
        self._skipping = skipping

    def _cut(self, end: int) -> bytes:
        taken = bytes(self._held[:end])
        del self._held[:end]
        self._searched = 0
        return taken
