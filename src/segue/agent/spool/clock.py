"""Time that only goes forward: since the machine's start, and over its starts.

The wall clock decides nothing in a spool. An age over a restart of the machine is a lower
bound: what the machine was off for, nobody knows.
"""

from __future__ import annotations

import time
from pathlib import Path

from segue.agent.spool.facts import Facts
from segue.agent.spool.model import Boots

KEPT = 16
"""Starts of the machine whose length is remembered."""

PRECISION = 1_000_000_000
"""Nanoseconds up to which it is not written again how long the machine was up."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def read_boot() -> str:
    """Return the id of the machine's start; empty where there is none."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def read_uptime() -> int:
    """Return nanoseconds since the machine's start, sleep included where that is counted."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Uptime:
    """The machine's time now, beside what is known of its earlier starts.

    Attributes:
        boot: Number of this start.
        now: Nanoseconds since it.
    """

    def __init__(self, facts: Facts, boot_id: str, now: int) -> None:
        """Find this start among those known, or add it."""
        self._boots = facts.boots()
        self.now = now
        ids = self._boots.ids
        self._known = bool(ids) and ids[-1] == boot_id and self._boots.seen[-1] <= now
        if not self._known:
            ids.append(boot_id)
            self._boots.seen.append(now)
        self.boot = len(ids)

    def age(self, boot: int, made: int) -> tuple[float, bool]:
        """Return seconds since something was made, and whether that is a lower bound.

        Args:
            boot: Number of the start in which it was made.
            made: Nanoseconds since that start.
        """
        if boot == self.boot:
            return max(0, self.now - made) / 1e9, False
        seen = self._boots.seen
        if not 0 < boot < self.boot:
            return self.now / 1e9, True
        between = sum(seen[boot : self.boot - 1])
        return (max(0, seen[boot - 1] - made) + between + self.now) / 1e9, True

    def save(self, facts: Facts, batch: int) -> None:
        """Keep how long the machine is known to be up, to the second."""
        boots = self._boots
        if self._known and self.now - boots.seen[-1] < PRECISION:
            return
        boots.seen[-1] = self.now
        for old in range(len(boots.ids) - KEPT):
            boots.ids[old] = ""
        facts.save("boots", {"ids": boots.ids, "seen": boots.seen}, batch)


__all__ = ["Boots", "Uptime", "read_boot", "read_uptime"]
