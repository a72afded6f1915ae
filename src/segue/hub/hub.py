"""A hub: what its routes share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from segue.hub.alarm import Alarm
from segue.hub.budget import Bodies, Budget
from segue.hub.metrics import Metrics
from segue.hub.roster import Roster
from segue.wire.messages import DesiredState
from segue.wire.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastapi import APIRouter

    from segue.protocols.hub import Arriving, HubStore
    from segue.spec.hub import Node
    from segue.wire.messages import Status

LARGEST_BODY = 128 * 2**20
"""Bytes of a request; an agent that is told 413 sends less at once."""
IN_FLIGHT = 384 * 2**20
"""Bytes of requests that a hub holds at once."""


class Rollouts(Protocol):
    """What deployments add to a hub (`segue.hub.rollout`)."""

    def desired(self, node: Node) -> DesiredState:
        """Return what a node should be; asked often, so it looks into memory only."""
        ...

    def sends(self, table: str) -> bool:
        """Return whether what is deployed makes a table at nodes."""
        ...

    def note_status(self, node: Node, status: Status) -> None:
        """Learn what a node says of itself."""
        ...

    def router(self) -> APIRouter:
        """Return the routes of deployments."""
        ...

    def root_digest(self) -> str:
        """Return the SHA-256 of the first TUF root, hex; empty if nobody has deployed yet."""
        ...

    def root_text(self) -> str:
        """Return the text of the first TUF root; empty if nobody has deployed yet."""
        ...


class NoRollouts:
    """A hub on which nobody has deployed."""

    def desired(self, node: Node) -> DesiredState:
        """Return that nothing should run."""
        labels = dict(node.labels)
        return DesiredState(f"0-{sorted(labels.items())}", labels=labels)

    def sends(self, table: str) -> bool:  # noqa: ARG002  # there is none of any name
        """Return that nothing makes tables."""
        return False

    def note_status(self, node: Node, status: Status) -> None:
        """Learn nothing."""

    def router(self) -> APIRouter:
        """Return no routes."""
        from fastapi import APIRouter

        return APIRouter()

    def root_digest(self) -> str:
        """Return that there is none."""
        return ""

    def root_text(self) -> str:
        """Return that there is none."""
        return ""


@dataclass(slots=True)
class Hub:
    """What the routes of a hub share.

    Attributes:
        project: Name of the project.
        home: Folder of the hub's own files; deployments lie below it.
        store: Its database.
        arriving: The tables that nodes send.
        takes: Whether nodes may send a table of this name.
        ca: PEM of the root that agents pin; empty without TLS.
        url: Where agents reach it.
        rollouts: What deployments add.
        now: Seconds since 1970, for people and for tokens.
        extra: Room for what other parts keep with the hub.
        ending: Whether nobody should wait for an answer any more.
    """

    project: str
    home: Path
    store: HubStore
    arriving: Arriving
    takes: Callable[[str], bool]
    ca: str = ""
    url: str = ""
    rollouts: Rollouts = field(default_factory=NoRollouts)
    now: Callable[[], float] = time.time
    sessions: Sessions = field(default_factory=Sessions)
    alarm: Alarm = field(default_factory=Alarm)
    budget: Budget = field(default_factory=lambda: Budget(IN_FLIGHT))
    bodies: Bodies = field(default_factory=Bodies)
    metrics: Metrics = field(default_factory=Metrics)
    extra: dict[str, Any] = field(default_factory=dict)
    ending: bool = False
    roster: Roster = field(init=False)

    def __post_init__(self) -> None:
        """Read the nodes."""
        self.roster = Roster(self.store, now=self.now)

    def end(self) -> None:
        """Answer those who wait for a change: the hub is about to end."""
        self.ending = True
        self.alarm.ring()

    def close(self) -> None:
        """Commit what waits, and end."""
        self.arriving.close()
        self.roster.flush()
        self.store.close()
