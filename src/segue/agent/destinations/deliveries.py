"""The ways to all further destinations of a node."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from segue.agent.destinations.deliver import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from segue.agent.destinations.parcels import Origin
    from segue.agent.destinations.reader import SpoolReader
    from segue.spec.edge import DestinationSpec


class Deliveries:
    """The ways to all further destinations of a node.

    Args:
        open_spool: Opens the spool for one thread.
        folder: Where they remember things; made if need be.
        origin: What rows tell of the node.
    """

    def __init__(self, open_spool: Callable[[], SpoolReader], folder: Path, origin: Origin) -> None:
        self._open_spool = open_spool
        self._folder = folder
        self._origin = origin
        self._under_way: list[Delivery] = []

    def start(self, specs: Sequence[DestinationSpec]) -> None:
        """Begin, a thread each; their secrets are filled in."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for spec in specs:
            delivery = Delivery(spec, self._open_spool, self._folder, self._origin)
            delivery.start()
            self._under_way.append(delivery)

    def wake(self) -> None:
        """Tell all that the spool has something new."""
        for delivery in self._under_way:
            delivery.wake()

    def status(self) -> list[dict[str, Any]]:
        """Return how each stands; see `Delivery.status`."""
        return [delivery.status() for delivery in self._under_way]

    def alerts(self) -> list[str]:
        """Return what somebody should know."""
        return [
            f"destination {each.spec.name}: {each.refused} rows refused for ever: {each.error}"
            if each.error
            else f"destination {each.spec.name}: {each.refused} rows refused for ever"
            for each in self._under_way
            if each.refused
        ]

    def close(self, seconds: float = 10.0) -> bool:
        """End all after the parcels under way; return whether they ended in time."""
        for delivery in self._under_way:
            delivery.stop()
        deadline = time.monotonic() + seconds
        ended = [each.join(max(0.0, deadline - time.monotonic())) for each in self._under_way]
        self._under_way.clear()
        return all(ended)
