"""What segue asks of a clock."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time, injected so that tests can say what it is."""

    def now(self) -> str:
        """Return UTC time as ISO text with microseconds; for people, never for decisions."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, comparable within one start of the machine."""
        ...
