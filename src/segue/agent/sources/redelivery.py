"""Which messages of a broker are in our hands or in the spool: what comes again is known."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENTRY = struct.Struct(">H8s")


def digest_message(topic: str, payload: bytes) -> bytes:
    """Return eight bytes that tell messages apart."""
    content = topic.encode() + b"\0" + payload
    return hashlib.blake2b(content, digest_size=8).digest()


@dataclass(slots=True)
class Held:
    """A message that we have and that is not in the spool yet.

    Attributes:
        number: Its packet id.
        digest: Of its content.
        connection: The connection on which it came, or came again.
    """

    number: int
    digest: bytes
    connection: int


@dataclass(slots=True)
class Redeliveries:
    """What a session has brought, by packet id.

    A broker sends again what it has no acknowledgement for, with the same packet id, the same
    content and the mark "again". That tells it from a new message, also after this process or
    the broker was killed; only a session that the broker has forgotten starts from nothing.

    Attributes:
        most: How many messages are remembered.
        connection: Number of the connection; what came on an earlier one is acknowledged when
            it comes again.
    """

    most: int
    connection: int = 0
    _held: dict[int, Held] = field(default_factory=dict)
    _serials: dict[int, int] = field(default_factory=dict)
    _done: OrderedDict[int, bytes] = field(default_factory=OrderedDict)
    _next: int = 0

    def begin(self, *, same_session: bool) -> None:
        """Learn that a connection stands."""
        self.connection += 1
        if not same_session:
            self._serials.clear()
            self._done.clear()

    def hold(self, number: int, digest: bytes, *, again: bool) -> int | None:
        """Take a message that came.

        Args:
            number: Its packet id.
            digest: Of its content.
            again: Whether the broker says that it has sent it before.

        Returns:
            Its serial; 0 if it is in the spool, so that it is to be acknowledged at once; None
            if it is in our hands already.
        """
        if again:
            held = self._held.get(self._serials.get(number, -1))
            if held is not None and held.digest == digest:
                held.connection = self.connection
                return None
            if self._done.get(number) == digest:
                return 0
        self._done.pop(number, None)  # the broker uses the number for another message
        self._next += 1
        self._held[self._next] = Held(number, digest, self.connection)
        self._serials[number] = self._next
        return self._next

    def settle(self, serial: int) -> int | None:
        """Learn that a message is in the spool.

        Returns:
            Its packet id if it is to be acknowledged on this connection; None if the broker
            will send it again first.
        """
        held = self._held.pop(serial, None)
        if held is None:
            return None
        if self._serials.get(held.number) == serial:
            del self._serials[held.number]
            self._remember(held)
        return held.number if held.connection == self.connection else None

    def _remember(self, held: Held) -> None:
        self._done[held.number] = held.digest
        self._done.move_to_end(held.number)
        while len(self._done) > self.most:
            self._done.popitem(last=False)

    def write(self, serials: Iterable[int]) -> str:
        """Return what must be remembered once messages are in the spool, as text.

        Args:
            serials: All that were given to the worker, whether they are in the spool by now.
        """
        entries = dict(self._done)
        for serial in serials:
            held = self._held.get(serial)
            if held is not None and self._serials.get(held.number) == serial:
                entries.pop(held.number, None)
                entries[held.number] = held.digest
        packed = b"".join(_ENTRY.pack(*each) for each in [*entries.items()][-self.most :])
        return base64.b64encode(packed).decode()

    def read(self, text: str) -> None:
        """Take back what `write` gave."""
        for number, digest in _ENTRY.iter_unpack(base64.b64decode(text)):
            self._done[number] = digest
