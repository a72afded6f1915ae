"""Messages of syslog in a stream of bytes: counted by octets, or ended by newlines (RFC 6587)."""

from __future__ import annotations

from segue.agent.sources.lines import TIMES

_DIGITS = 8
"""Digits that a count has at most."""
_ALL = 2**30
_BETWEEN = b"\r\n\0"
"""What may stand between messages that are not counted."""


class SyslogFrames:
    r"""Bytes of a connection, given back as messages.

    Example:
        >>> frames = SyslogFrames()
        >>> frames.feed(b"7 <13>one<13>two\n5 th")
        >>> frames.take_messages(100), len(frames)
        ([b'<13>one', b'<13>two'], 4)
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._ready: list[bytes] = []
        self._searched = 0
        self._skip = 0
        self._skipping = False
        self.lost = 0
        """Messages that were too long; whoever tells them sets it back."""

    def __len__(self) -> int:
        """Return the bytes that are held."""
        return len(self._held) + sum(map(len, self._ready))

    def feed(self, data: bytes) -> None:
        """Add what has come."""
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        if self._skipping:
            _, newline, data = data.partition(b"\n")
            self._skipping = not newline
        self._held += data

    def take_messages(self, most: int) -> list[bytes]:
        """Return whole messages, of about so many bytes in all."""
        taken, self._ready = self._ready, []
        begin = got = 0
        while got < most:
            while begin < len(self._held) and self._held[begin] in _BETWEEN:
                begin += 1
            found = self._find(begin, most)
            if found is None:
                break
            first, last, begin = found
            message = bytes(self._held[first:last]).rstrip(b"\r\n\0")
            if len(message) > TIMES * most:
                self.lost += 1
            elif message:
                taken.append(message)
                got += len(message)
        del self._held[:begin]
        self._searched = max(0, self._searched - begin)
        return taken

    def end(self, *, whole: bool) -> int:
        """Take what is left at the end of a connection for a message, unless it was counted."""
        self._skipping, self._skip = False, 0
        self._ready = self.take_messages(_ALL)
        left = bytes(self._held).strip(b"\r\n\0")
        self._held.clear()
        if left and whole and not left[:1].isdigit():
            self._ready.append(left)
            return 0
        return int(bool(left))

    def _find(self, begin: int, most: int) -> tuple[int, int, int] | None:
        """Return where the next message begins and ends, and where the one after it begins."""
        held = self._held
        if held[begin : begin + 1].isdigit():
            space = held.find(b" ", begin, begin + _DIGITS + 1)
            digits = bytes(held[begin:space]) if space > 0 else b""
            if digits.isdigit():
                first, count = space + 1, int(digits)
                if count > TIMES * most:
                    self._leave(begin, first, count)
                    return None
                return (first, first + count, first + count) if len(held) >= first + count else None
            if space < 0 and len(held) - begin <= _DIGITS:
                return None
        end = held.find(b"\n", max(begin, self._searched))
        if end >= 0:
            return begin, end, end + 1
        self._searched = len(held)
        if len(held) - begin > TIMES * most:
            self.lost += 1
            self._skipping = True
            held.clear()
        return None

    def _leave(self, begin: int, first: int, count: int) -> None:
        """Pass over a message that is too long."""
        self.lost += 1
        there = min(count, len(self._held) - first)
        del self._held[begin : first + there]
        self._skip = count - there
