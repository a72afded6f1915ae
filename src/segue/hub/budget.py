"""Bytes that requests may hold at once: who comes when there is no room waits, then is sent off.

How many bodies of a node may be on their way, and for how long, is bounded too: one that drips in
without an end would hold its room for good.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from segue.errors import HubBusyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SECONDS = 10.0
"""Longest wait for room; an agent hears nothing meanwhile, and reads nothing yet."""
MOST_WAITING = 256
BODY_SECONDS = 600.0
"""Longest time that a body may take: an agent sends less at once where its link is slow."""
MOST_OF_NODE = 2
"""Bodies of one node that are on their way at once."""


class Budget:
    """Room for so many bytes; used by one loop.

    Args:
        bytes_: The bytes.
        seconds: Longest wait.
    """

    def __init__(self, bytes_: int, seconds: float = SECONDS) -> None:
        self._free = self._all = bytes_
        self._seconds = seconds
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def used(self) -> int:
        """Bytes that requests hold."""
        return self._all - self._free

    @property
    def waiting(self) -> int:
        """Requests that wait for room."""
        return len(self._queue)

    @asynccontextmanager
    async def take(self, size: int) -> AsyncIterator[None]:
        """Hold bytes while a request is worked on.

        Raises:
            HubBusyError: No room came free in time.
        """
        size = min(size, self._all)
        await self._wait(size)
        try:
            yield
        finally:
            self._free += size
            self._admit()

    async def _wait(self, size: int) -> None:
        if not self._queue and size <= self._free:
            self._free -= size
            return
        if len(self._queue) >= MOST_WAITING:
            raise _refuse()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((size, turn))
        try:
            async with asyncio.timeout(self._seconds):
                await turn
        except BaseException as error:
            self._leave(size, turn)
            if isinstance(error, TimeoutError):
                raise _refuse() from None
            raise

    def _leave(self, size: int, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self._free += size  # its turn came in the same moment
        elif (size, turn) in self._queue:  # else it was passed over in the same moment
            self._queue.remove((size, turn))
        self._admit()

    def _admit(self) -> None:
        while self._queue and self._queue[0][0] <= self._free:
            size, turn = self._queue.popleft()
            if not turn.done():
                self._free -= size
                turn.set_result(None)


class Bodies:
    """Bodies that are on their way; used by one loop.

    A node whose connection was cut in the middle comes again, so the newest counts.
    """

    def __init__(self, most: int = MOST_OF_NODE, seconds: float = BODY_SECONDS) -> None:
        self._most, self._seconds = most, seconds
        self._of: dict[str, list[asyncio.Timeout]] = {}

    @asynccontextmanager
    async def read(self, node: str) -> AsyncIterator[None]:
        """Read a body of a node.

        Raises:
            HubBusyError: It took too long, or the node has begun others since.
        """
        mine = self._of.setdefault(node, [])
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                mine.append(limit)
                if len(mine) > self._most:
                    mine.pop(0).reschedule(0.0)
                yield
        except TimeoutError:
            raise HubBusyError(
                "the request took too long to come", hint="send less at once"
            ) from None
        finally:
            if limit in mine:
                mine.remove(limit)
            if not mine and self._of.get(node) is mine:
                del self._of[node]


def _refuse() -> HubBusyError:
    return HubBusyError("the hub has all that it can hold", hint="send again after a while")
