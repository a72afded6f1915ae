"""Keys of requests that were taken: who sends one again is answered, and not counted again."""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEY, _BODY = 8, 4


@dataclass(slots=True, eq=False)
class Posted:
    """Records of one request.

    Attributes:
        data: The records, each ended by a newline.
        key: Digest of the key that the client has given it; empty for none.
        digest: Of the body, to tell another one with the same key.
        taken: Whether they are in the spool.
    """

    data: bytes
    key: bytes
    digest: bytes
    taken: bool = False


def make_posted(data: bytes, key: str, body: bytes) -> Posted:
    """Return a request that came."""
    name = hashlib.blake2b(key.encode(), digest_size=_KEY).digest() if key else b""
    return Posted(data, name, hashlib.blake2b(body, digest_size=_BODY).digest())


@dataclass(slots=True)
class Repeats:
    r"""The newest keys.

    Attributes:
        most: How many keys are remembered once their records are in the spool.

    Example:
        >>> repeats = Repeats(100)
        >>> first = make_posted(b"a\n", "k1", b"a")
        >>> repeats.hold(first)
        >>> repeats.give([first])
        >>> later = Repeats(100)
        >>> later.read(repeats.write())
        >>> later.find(make_posted(b"a\n", "k1", b"a")).taken
        True
    """

    most: int
    _waiting: dict[bytes, Posted] = field(default_factory=dict)
    _known: OrderedDict[bytes, bytes] = field(default_factory=OrderedDict)

    def __bool__(self) -> bool:
        """Return whether there is anything to remember."""
        return bool(self._known)

    def find(self, posted: Posted) -> Posted | None:
        """Return the request that had the same key, None if there was none."""
        if not posted.key:
            return None
        known = self._known.get(posted.key)
        waiting = self._waiting.get(posted.key)
        if waiting is not None or known is None:
            return waiting
        return Posted(b"", posted.key, known, taken=True)

    def hold(self, posted: Posted) -> None:
        """Learn of a request that waits."""
        if posted.key:
            self._waiting[posted.key] = posted

    def forget(self, posted: Posted) -> None:
        """Learn that a request was sent away."""
        self._waiting.pop(posted.key, None)

    def give(self, posted: Iterable[Posted]) -> None:
        """Learn that requests go to the spool, together with what `write` returns then."""
        for each in posted:
            if each.key:
                self._known[each.key] = each.digest
        while len(self._known) > self.most:
            self._known.popitem(last=False)

    def settle(self, posted: Posted) -> None:
        """Learn that a request is in the spool."""
        self._waiting.pop(posted.key, None)

    def write(self) -> str:
        """Return the keys as text, for the cursor."""
        packed = b"".join(key + digest for key, digest in self._known.items())
        return base64.b64encode(packed).decode()

    def read(self, text: str) -> None:
        """Take back what `write` gave."""
        packed = base64.b64decode(text)
        for at in range(0, len(packed), _KEY + _BODY):
            self._known[packed[at : at + _KEY]] = packed[at + _KEY : at + _KEY + _BODY]
