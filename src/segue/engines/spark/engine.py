"""Spark as an engine: in this process, on a cluster, or behind Spark Connect."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from segue.engines.spark.capabilities import CAPABILITIES

if TYPE_CHECKING:
    from pathlib import Path

    from segue.engines.spark.session import SparkEngineSession
    from segue.spec.step import PlaceSpec


class SparkEngine:
    """The engine called ``spark``."""

    name = "spark"
    capabilities = CAPABILITIES

    def open(self, place: PlaceSpec, scratch: Path) -> SparkEngineSession:
        """Start or reach Spark.

        Args:
            place: Its address is a master (``local[2]``, ``spark://…``) or a Spark Connect server
                (``sc://…``); empty for this machine. Its options are Spark's own settings.
            scratch: Folder for what Spark is to read, and for Spark itself on this machine.

        Raises:
            EngineError: Spark can't be started or reached.
        """
        from segue.engines.spark.reach import open_driver

        return self._wrap(open_driver(place, scratch))

    def owns(self, thing: Any) -> bool:
        """Return whether a thing is a Spark session or a frame of one, of either kind."""
        if type(thing).__module__.partition(".")[0] != "pyspark" or "pyspark" not in sys.modules:
            return False
        from segue.engines.spark.reach import find_session

        return find_session(thing) is not None

    def attach(self, thing: Any, scratch: Path) -> SparkEngineSession:
        """Return a session on the Spark that a frame or session belongs to."""
        from segue.engines.spark.reach import attach_driver

        return self._wrap(attach_driver(thing, scratch))

    def _wrap(self, driver: Any) -> SparkEngineSession:
        from segue.engines.spark.session import SparkEngineSession

        return SparkEngineSession(driver, first=True)
