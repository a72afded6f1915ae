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
            end = data.find(b"\n")
            if end < 0:
                return
            data = data[end + 1 :]
            self._skipping = False
        self._held += data

    def take(self, most: int) -> bytes:
        """Return whole lines, of at most so many bytes unless one is longer; empty if none is."""
        held = self._held
        end = held.rfind(b"\n", 0, most) + 1
        while not end:
            end = held.find(b"\n", self._searched) + 1
            if not end:
                self._searched = len(held)
                if len(held) > TIMES * most:
                    self._skip(len(held), skipping=True)
                return b""
            if end > TIMES * most + 1:
                self._skip(end, skipping=False)
                end = held.rfind(b"\n", 0, most) + 1
        return self._cut(end)

    def rest(self) -> bytes:
        """Return what is left at the end of a stream as a line of its own."""
        self._skipping = False
        left = self._cut(len(self._held))
        return left + b"\n" if left and not left.endswith(b"\n") else left

    def _skip(self, end: int, *, skipping: bool) -> None:
        self._cut(end)
        self.lost += 1
        self._skipping = skipping

    def _cut(self, end: int) -> bytes:
        taken = bytes(self._held[:end])
        del self._held[:end]
        self._searched = 0
        return taken
