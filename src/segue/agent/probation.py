"""Whether a new deployment has proven itself: decided at the node, with or without a network."""

from __future__ import annotations

from dataclasses import dataclass, replace

from segue.wire.deployment import Rollout
from segue.wire.health import LEAST_BATCHES, LEAST_ROWS, measure_health
from segue.wire.messages import Status

LONGEST_STEP = 10.0
"""Seconds that count at most between two looks: a machine that slept has proven nothing."""

EARLIEST = 10.0
"""Seconds after which shares are looked at, or a tenth of the probation if that is less."""

WINDOWS = 6
"""Parts of a probation that are also judged each by itself, so that what breaks late counts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a candidate.

    Attributes:
        proven: Seconds in a row for which it was healthy.
        done: Whether that is enough.
        error: Why it is given up; empty if it is not.
    """

    proven: float
    done: bool = False
    error: str = ""


class Probation:
    """The probation of one candidate, from one start of the agent on.

    Attributes:
        proven: Seconds in a row for which it was healthy, those of earlier starts with them.
    """

    def __init__(self, rollout: Rollout, proven: float = 0.0) -> None:
        """Begin, or go on where an agent that has ended was."""
        self.rollout = rollout
        self.proven = proven
        self._health = rollout.read_health()
        self._restarts = 0
        self._before = Status()
        self._before_at = proven

    def judge(self, status: Status, error: str, elapsed: float, *, up: bool) -> Verdict:
        """Return what a status tells of the candidate.

        Args:
            status: Status of the node while the candidate runs.
            error: The worker's last error, for people.
            elapsed: Seconds since the look before, by a clock that only rises.
            up: Whether the worker does its work now.
        """
        seconds = self.rollout.probation
        if status.restarts > self._restarts:
            # What dies every two minutes never has a probation's time in a row.
            self._restarts, self.proven, self._before_at = status.restarts, 0.0, 0.0
        elif up:
            self.proven += min(elapsed, LONGEST_STEP)
        done = up and self.proven >= seconds
        broken = self._find_broken(status, all_shares=done)
        if broken:
            told = f"{broken}; {error}" if error else broken
            return Verdict(self.proven, error=told)
        return Verdict(self.proven, done=done)

    def _find_broken(self, status: Status, *, all_shares: bool) -> str:
        # What there is counts at the end, however little: a step that fails must not be kept.
        measured = measure_health([status], few=all_shares)
        if not all_shares and self.proven < min(EARLIEST, self.rollout.probation / 10):
            # One batch of one is no share yet.
            measured |= {"errors": 0.0, "rejects": 0.0}
            return self._health.find_broken(measured)
        window = self.rollout.probation / WINDOWS
        if self.proven - self._before_at < max(window, EARLIEST) and not all_shares:
            return self._health.find_broken(measured)
        if status.batches < self._before.batches:
            self._before = Status()  # a worker that began anew counts anew
        part = _subtract(status, self._before)
        late = measure_health([part])
        if _is_enough(part):
            self._before, self._before_at = status, self.proven
        return self._health.find_broken(measured) or self._health.find_broken(late)


def _is_enough(part: Status) -> bool:
    """Return whether shares of a part of the probation say something; else it grows."""
    seen = [*part.rows.values(), *part.rejects.values()]
    return part.batches >= LEAST_BATCHES or any(number >= LEAST_ROWS for number in seen)


def _subtract(status: Status, before: Status) -> Status:
    """Return a status with what has happened since another one."""

    def less(now: dict[str, int], then: dict[str, int]) -> dict[str, int]:
        return {name: max(0, number - then.get(name, 0)) for name, number in now.items()}

    return replace(
        status,
        rows=less(status.rows, before.rows),
        rejects=less(status.rejects, before.rejects),
        errors=max(0, status.errors - before.errors),
        batches=max(0, status.batches - before.batches),
    )
