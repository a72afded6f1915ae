"""How far a node's wall clock can be trusted: told with every row, and deciding nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

OK = "ok"
UNSURE = "unsure"
STEPPED = "stepped"

RELEASED = 1_793_491_200.0
"""Seconds since 1970 at 2026-11-01: no node runs this release before it."""
LIFETIME = 5 * 365 * 86400.0
"""Seconds after it for which a clock is believed: later, it is likelier wrong than so late."""
STEP = 2.0
"""Seconds by which wall and steady clock may drift apart between two looks."""
SETTLE = 3600.0
"""Seconds for which a clock that was stepped counts as stepped."""


def read_steady() -> float:
    """Return seconds that never go back, and that go on while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class ClockWatch:
    """Compares the wall clock with one that nobody can set.

    ``unsure``: it is before this release was made, so it was never set, or years after it.
    ``stepped``: it jumped within the last hour, so times before and after can't be compared.
    Otherwise ``ok``.

    Example:
        >>> wall, steady = [RELEASED + 100.0], [0.0]
        >>> watch = ClockWatch(wall=lambda: wall[0], steady=lambda: steady[0])
        >>> watch.quality()
        'ok'
        >>> wall[0] -= 7200
        >>> watch.quality()
        'unsure'
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = read_steady,
        *,
        released: float = RELEASED,
    ) -> None:
        """Take both clocks as they are."""
        self._wall, self._steady, self._released = wall, steady, released
        self._offset = wall() - steady()
        self._stepped_at: float | None = None

    def quality(self) -> str:
        """Return ``ok``, ``unsure`` or ``stepped``; ask at least once a minute."""
        wall, steady = self._wall(), self._steady()
        offset = wall - steady
        if abs(offset - self._offset) > STEP:
            self._stepped_at = steady
        # Small differences are a clock that is being brought in line, and are followed.
        self._offset = offset
        if not self._released <= wall < self._released + LIFETIME:
            return UNSURE
        if self._stepped_at is not None and steady - self._stepped_at < SETTLE:
            return STEPPED
        return OK
