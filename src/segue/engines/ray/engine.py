"""Ray as an engine: started on this machine, found initialised, or reached at an address."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from segue.engines.ray.capabilities import CAPABILITIES

if TYPE_CHECKING:
    from pathlib import Path

    from segue.protocols import Session
    from segue.spec.step import PlaceSpec


class RayEngine:
    """The engine called ``ray``."""

    name = "ray"
    capabilities = CAPABILITIES

    def open(self, place: PlaceSpec, scratch: Path) -> Session:
        """Start or reach Ray."""
        import ray

        raise NotImplementedError(ray.__version__, place, scratch)

    def owns(self, thing: Any) -> bool:
        """Return whether a thing is the initialised module ``ray``, or data that Ray holds."""
        return thing is not None and thing is sys.modules.get("ray")

    def attach(self, thing: Any, scratch: Path) -> Session:
        """Return a session on the Ray that this process is connected to."""
        raise NotImplementedError(thing, scratch)
