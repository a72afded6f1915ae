"""What a project declares of its fleets, beside their sources and steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.errors import Location
    from segue.spec.edge import DestinationSpec, SpoolSettings, StreamAlert

ENGINE = "fleet"
"""Engine of a place that is many nodes, each with its own data."""


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """A place with ``engine = "fleet"``.

    Attributes:
        name: Name of the place.
        location: Where it is declared.
        address: Where its hub is reached.
        spool: Limits of each node's spool.
        memory: Bytes that a worker may use; None for no limit.
        cpu: Share of a core that a worker may use; None for no limit.
    """

    name: str
    location: Location
    address: str
    spool: SpoolSettings
    memory: int | None = None
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class FleetDestination:
    """``[destinations.<name>]``.

    Attributes:
        spec: What it is.
        tables: Tables of a fleet that go there.
        location: Where it is declared.
    """

    spec: DestinationSpec
    tables: tuple[str, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class FleetAlert:
    """``[stream_alerts.<name>]``, and where it is declared."""

    spec: StreamAlert
    location: Location


@dataclass(frozen=True, slots=True)
class Fleets:
    """All that a project declares of fleets.

    Attributes:
        places: Fleets by name.
        destinations: Where batches go besides the lake.
        alerts: Conditions over streams.
    """

    places: Mapping[str, FleetSpec] = field(default_factory=dict)
    destinations: tuple[FleetDestination, ...] = ()
    alerts: tuple[FleetAlert, ...] = ()
