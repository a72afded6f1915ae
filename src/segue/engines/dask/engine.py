"""Dask as an engine: started on this machine, or reached by address, client or frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.engines.dask.capabilities import CAPABILITIES
from segue.errors import UnsupportedError

if TYPE_CHECKING:
    from pathlib import Path

    from segue.protocols import Session
    from segue.spec.step import PlaceSpec


class DaskEngine:
    """The engine called ``dask``."""

    name = "dask"
    capabilities = CAPABILITIES

    def open(self, place: PlaceSpec, scratch: Path) -> Session:
        """Start or reach a cluster."""
        import distributed

        raise UnsupportedError(f"{distributed.Client}: {place.name}, {scratch}")

    def owns(self, thing: Any) -> bool:
        """Return whether a thing is a dask dataframe or a Client."""
        return type(thing).__module__.partition(".")[0] in ("dask", "distributed")

    def attach(self, thing: Any, scratch: Path) -> Session:
        """Return a session on the cluster of a live Client or dataframe."""
        import dask

        raise UnsupportedError(f"dask {dask.config}: {type(thing)}, {scratch}")
