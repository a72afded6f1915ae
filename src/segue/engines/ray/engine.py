"""Ray as an engine: started on this machine, found initialised, or reached at an address."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from segue.engines.ray.capabilities import CAPABILITIES
from segue.engines.ray.frames import are_refs, is_dataset
from segue.registry import load_local_engine
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from pathlib import Path

    from segue.engines.ray.connect import Cluster
    from segue.engines.ray.session import RaySession


class RayEngine:
    """The engine called ``ray``.

    Example:
        >>> RayEngine().owns([1, 2]), RayEngine().capabilities.sql_workers
        (False, 'one')
    """

    name = "ray"
    capabilities = CAPABILITIES

    def open(self, place: PlaceSpec, scratch: Path) -> RaySession:
        """Start Ray on this machine, use the one that is initialised, or reach one.

        Args:
            place: Address (``ray://host:port``, or what ``ray.init`` takes), threads and memory
                of one that is started, and further arguments of ``ray.init`` as options.
            scratch: Where a Ray that is started puts what its object store does not hold.

        Raises:
            EngineError: It can't be started or reached.
            VersionClashError: Its workers run another Python, segue or Arrow.
        """
        from segue.engines.ray.connect import connect

        return _open_session(connect(place, scratch), scratch)

    def owns(self, thing: Any) -> bool:
        """Return whether a thing is ``ray`` itself, a dataset, or references to tables."""
        if thing is None or "ray" not in sys.modules:
            return False
        return thing is sys.modules["ray"] or is_dataset(thing) or are_refs(thing)

    def attach(self, thing: Any, scratch: Path) -> RaySession:  # noqa: ARG002  # there is one Ray per process
        """Return a session on the Ray that this process is connected to.

        Raises:
            EngineError: There is none.
            VersionClashError: Its workers run another Python, segue or Arrow.
        """
        from segue.engines.ray.connect import attach

        return _open_session(attach(), scratch)


def _open_session(cluster: Cluster, scratch: Path) -> RaySession:
    from segue.engines.ray.connect import release
    from segue.engines.ray.flight import Flight
    from segue.engines.ray.session import RaySession

    try:
        local = load_local_engine().open(PlaceSpec("local"), scratch)
    except BaseException:  # an interrupt gives the cluster back, too
        release(cluster)
        raise
    return RaySession(cluster, Flight(cluster), local, owner=True)
