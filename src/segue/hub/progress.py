"""How far a rollout has come, and what is known of the nodes that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from segue.wire.messages import Message, Status

SEEN = 180.0
"""Seconds after which a node that says nothing is not waited for."""


class Stage(StrEnum):
    """How far a rollout has come."""

    CANARY = "canary"
    """Some run it; the others wait for them."""
    ROLLING = "rolling"
    """A few at a time."""
    OPEN = "open"
    """Every node that it is for may run it."""
    STOPPED = "stopped"
    """No further node gets it."""


@dataclass(frozen=True, slots=True)
class Progress(Message):
    """How far a deployment has come.

    Attributes:
        generation: Its number.
        stage: One of `Stage`.
        told: Nodes that were told to run it while not all are: canaries, or those so far.
        elapsed: Seconds for which its canaries were healthy.
        reason: Why it was stopped, or who opened it.
        left: Canaries that were away for too long: others took their places.
        missed: Seconds for which canaries have been away, by their names.
        waits: For what it waits; empty if it goes on by itself.
        by_hand: Whether somebody let all nodes have it: then nothing stops it by itself.
    """

    generation: int
    stage: str
    told: list[str] = field(default_factory=list)
    elapsed: float = 0.0
    reason: str = ""
    left: list[str] = field(default_factory=list)
    missed: dict[str, float] = field(default_factory=dict)
    waits: str = ""
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node, as a decision needs it.

    Attributes:
        name: Its name.
        project: Its project.
        labels: Its labels.
        status: What it said last; None if it has said nothing yet.
        silent: Seconds since then, by a clock that only rises.
        heard: Whether it has spoken since the hub began: one that begins gives nodes time.
    """

    name: str
    project: str
    labels: Mapping[str, str]
    status: Status | None = None
    silent: float = 0.0
    heard: bool = True

    @property
    def there(self) -> bool:
        """Whether it was seen lately."""
        return self.status is not None and self.silent <= SEEN

    @property
    def ready(self) -> bool:
        """Whether it can be asked to go first: it is there for certain."""
        return self.there and self.heard

    def runs(self, generation: int) -> bool:
        """Return whether it runs a generation."""
        return self.status is not None and self.status.applied == generation

    def reached(self, generation: int) -> bool:
        """Return whether it runs a generation, or a newer one."""
        return self.status is not None and self.status.applied >= generation

    def keeps(self, generation: int) -> bool:
        """Return whether a generation, or a newer one, has proven itself there."""
        return self.reached(generation) and self.status is not None and self.status.healthy

    def failed(self, generation: int) -> bool:
        """Return whether it has given a generation up, or refused it."""
        return self.status is not None and self.status.failed == generation
