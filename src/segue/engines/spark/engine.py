"""Spark as an engine: in this process, on a cluster, or behind Spark Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.engines.spark.capabilities import CAPABILITIES
from segue.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from segue.protocols import Session
    from segue.spec.step import PlaceSpec


class SparkEngine:
    """The engine called ``spark``."""

    name = "spark"
    capabilities = CAPABILITIES

    def open(self, place: PlaceSpec, scratch: Path) -> Session:  # noqa: ARG002  # not written yet
        """Start or reach Spark."""
        raise EngineError("Spark can't be reached yet")

    def owns(self, thing: Any) -> bool:
        """Return whether a thing is a Spark session or a frame of one."""
        return type(thing).__module__.partition(".")[0] == "pyspark"

    def attach(self, thing: Any, scratch: Path) -> Session:  # noqa: ARG002  # not written yet
        """Return a session on the Spark that a frame or session belongs to."""
        raise EngineError("Spark can't be reached yet")
