"""Asks the hub what the node should be, and tells it what the node is; each in a thread."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segue.agent.backoff import Backoff
from segue.errors import HubError, SegueError
from segue.wire.client import read_message
from segue.wire.messages import DesiredState, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from segue.wire.client import HubClient

POLL = 30.0
"""Seconds for which the hub may keep a question about the desired state."""
TELL = 60.0
"""Seconds after which the status is told again, though nothing has changed."""
SOONEST = 1.0
"""Seconds between two statuses."""
_CHANGES = ("desired", "applied", "failed", "error", "healthy", "restarts", "alerts")
"""What of a status is told at once when it changes; the rest can wait."""


@dataclass(slots=True)
class Poller:
    """Asks what the node should be.

    Attributes:
        client: The hub.
        apply: Is given the newest state after each question: it may want to try again.
        backoff: Waits after failures.
        poll: Seconds for which the hub may keep a question.
        desired: The newest state; None before the first.
        error: Why the last question had no answer, or the last state could not be applied.
        hint: What can be done about it.
        linked: Whether the hub answered last time.
    """

    client: HubClient
    apply: Callable[[DesiredState], object]
    backoff: Backoff = field(default_factory=Backoff)
    poll: float = POLL
    desired: DesiredState | None = None
    error: str = ""
    hint: str = ""
    linked: bool = False
    _done: str = ""

    def round(self) -> float:
        """Ask once, and apply what is new; return the seconds to wait before the next round."""
        began = time.monotonic()
        try:
            asked = {"revision": self._done, "wait": f"{self.poll:g}"}
            answer = self.client.get("/v1/desired", asked, wait=self.poll)
            self.linked = True
            if answer.body:
                self.desired = read_message(answer, DesiredState)
            if self.desired is not None:
                # The next question is answered at once as long as this one did not come through.
                self.apply(self.desired)
                self._done = self.desired.revision
        except SegueError as error:
            self.error, self.hint = error.message, error.hint
            self.linked = not isinstance(error, HubError) or bool(error.status)
            return self.backoff.next(error.wait if isinstance(error, HubError) else 0.0)
        self.error = self.hint = ""
        self.backoff.succeed()
        # A hub that does not keep questions is not asked without a pause.
        return max(0.0, self.backoff.draw.uniform(0.5, 1.0) * SOONEST - (time.monotonic() - began))


@dataclass(slots=True)
class Teller:
    """Tells what the node is: at once when something matters, else at an interval.

    Attributes:
        client: The hub.
        compose: Returns the status of now.
        backoff: Waits after failures.
        interval: Seconds after which it is told again.
    """

    client: HubClient
    compose: Callable[[], Status]
    backoff: Backoff = field(default_factory=Backoff)
    interval: float = TELL
    steady: Callable[[], float] = time.monotonic
    _told: Status | None = None
    _at: float = 0.0

    def round(self) -> float:
        """Tell the status if it is time; return the seconds until the next look."""
        status = self.compose()
        now = self.steady()
        if self._told is not None and now < self._at and not _differ(status, self._told):
            return SOONEST
        try:
            self.client.post("/v1/status", status.dump())
        except SegueError as error:
            return self.backoff.next(error.wait if isinstance(error, HubError) else 0.0)
        self.backoff.succeed()
        self._told = status
        # Spread, so that nodes that began together do not stay together.
        self._at = now + self.interval * self.backoff.draw.uniform(0.75, 1.25)
        return SOONEST


def _differ(new: Status, old: Status) -> bool:
    return any(getattr(new, name) != getattr(old, name) for name in _CHANGES)


def read_generation(slot: Path) -> int:
    """Return the generation whose bundle lies in a slot; 0 for one that has no number.

    Example:
        >>> from pathlib import Path
        >>> read_generation(Path("slots/12")), read_generation(Path("by-hand"))
        (12, 0)
    """
    return int(slot.name) if slot.name.isdecimal() else 0


def repeat(work: Callable[[], float], stop: threading.Event) -> None:
    """Do work again and again until told to stop, waiting for as long as it says.

    Args:
        work: Returns the seconds to wait.
        stop: Ends it.
    """
    while not stop.wait(work()):
        pass
