"""How long to wait before the next try: full jitter, so that many nodes never come at once."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

FIRST = 0.5
LONGEST = 60.0


@dataclass(slots=True)
class Backoff:
    """Waits that double from try to try; each is drawn evenly from zero to its bound.

    Attributes:
        first: Bound of the first wait, in seconds.
        longest: Largest bound.
        draw: Random numbers.

    Example:
        >>> backoff = Backoff(draw=random.Random(1))
        >>> [0 <= backoff.next() <= bound for bound in (0.5, 1.0, 2.0)]
        [True, True, True]
    """

    first: float = FIRST
    longest: float = LONGEST
    draw: random.Random = field(default_factory=random.SystemRandom)
    _tries: int = 0

    @property
    def bound(self) -> float:
        """The longest that the next wait can be."""
        return min(self.longest, self.first * float(2 ** min(self._tries, 30)))

    def next(self, asked: float = 0.0) -> float:
        """Return the seconds to wait, for one more try that failed.

        Args:
            asked: Seconds for which the hub asked to be left alone: the wait is at least that,
                and the jitter comes on top, since all nodes were told the same.
        """
        bound = max(self.bound, asked)
        self._tries += 1
        return asked + self.draw.uniform(0, bound)

    def succeed(self) -> None:
        """Begin anew after a try that went well."""
        self._tries = 0
