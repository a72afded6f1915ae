"""Where a plan's work passes from one place to another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.spec.plan import Plan, PlannedStep


@dataclass(frozen=True, slots=True)
class Segment:
    """Steps that follow one another in the same place.

    Attributes:
        place: Name of the place.
        steps: The steps, in the order of the graph.
    """

    place: str
    steps: tuple[PlannedStep, ...]


def cut_segments(plan: Plan) -> tuple[Segment, ...]:
    """Return a plan's work in order, cut where the place changes.

    What one segment makes is staged in the lake before the next one reads it.
    """
    groups = groupby(plan.work, key=lambda planned: planned.place)
    return tuple(Segment(place, tuple(steps)) for place, steps in groups)
