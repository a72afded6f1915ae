"""Which tables nodes send because somebody deployed them, whatever the hub's own folder says."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from segue.errors import BundleError, DeploymentError, UnknownNameError
from segue.spec.edge import REJECTS_SUFFIX
from segue.spec.edge_codec import read_edge
from segue.wire.bundle import EDGE, read_file

if TYPE_CHECKING:
    from segue.hub.rollout_store import Shelf

_log = logging.getLogger("segue.hub")


class DeployedTables:
    """The tables of all bundles on a shelf, each read once: its name is its digest.

    A step may be added while a hub runs, and be deployed from another clone of the project than
    the hub's. Who may deploy has signed for its tables; nothing else makes a table one of a fleet.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._stamp: tuple[int, int] | None = None
        self._read: dict[str, frozenset[str]] = {}

    def has(self, table: str) -> bool:
        """Return whether a live deployment makes a table."""
        self._follow()
        return any(table in tables for tables in self._read.values())

    def _follow(self) -> None:
        """Read the bundles that came since the last look."""
        stamp = self._shelf.stamp()
        if stamp is None or stamp == self._stamp:
            return
        try:
            targets = {each.target for each in self._shelf.deployments()}
            self._read = {each: self._read.get(each) or self._list(each) for each in targets}
        except (DeploymentError, UnknownNameError, OSError):
            return  # somebody is taking an upload in: the next look finds it
        self._stamp = stamp

    def _list(self, target: str) -> frozenset[str]:
        try:
            part = read_edge(read_file(self._shelf.find_bundle(target), EDGE))
        except BundleError as error:
            _log.warning("the tables of %s are not known: %s", target, error.message)
            return frozenset()
        names = [each.name for each in part.sources] + [each.name for each in part.steps]
        names += [each.table for each in part.sent]
        return frozenset([*names, *(f"{name}{REJECTS_SUFFIX}" for name in names)])
