"""Wakes those who wait for something to change, from any thread."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Alarm:
    """A bell that many coroutines of one loop wait for.

    Example:
        >>> async def wait_for_it(alarm):
        ...     waiting = asyncio.ensure_future(alarm.wait(5))
        ...     await asyncio.sleep(0)
        ...     alarm.ring()
        ...     return await waiting
        >>> asyncio.run(wait_for_it(Alarm()))
        True
    """

    def __init__(self) -> None:
        """Bind to a loop at the first wait."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    async def wait(self, seconds: float) -> bool:
        """Wait for the bell; return whether it rang before the time was over."""
        self._loop = asyncio.get_running_loop()
        waiting: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(waiting)
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await waiting
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiting)
        return True

    def ring(self) -> None:
        """Wake all who wait."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                self._loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
