"""Where a step runs that leaves it open: by its size, and by what starting an engine costs.

The local place has no start-up cost and moves no data, so it is the choice unless

- the step's input, unpacked, would take more than half of the local memory, and its function
  takes a whole table or group at a time (SQL and iterators don't hold all of their input), or
- it is expected to take ten times as long here as the other engine takes to start.

How long it takes here is what the last run took, else the input's size by a rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue import registry
from segue.errors import MissingExtraError
from segue.spec.step import LOCAL

if TYPE_CHECKING:
    from segue.protocols import Capabilities
    from segue.spec.plan import Plan, PlannedStep
    from segue.spec.step import PlaceSpec, StepSpec

UNPACKED = 4
"""Bytes in memory for each byte of a source file or a table of the lake; measured on the example
project and on TPC-H, where it is 3 to 5."""

RATES = {"sql": 500_000_000, "python": 50_000_000}
"""Bytes of unpacked input that the local place works through in a second, roughly."""

REACH_SECONDS = 1.0
"""What it takes to reach an engine that runs already."""

_PAYS = 10
_GIGABYTE = 1e9


def choose_by_size(planned: PlannedStep, plan: Plan, memory: int) -> tuple[str, str]:
    """Return the name of a place, and why it is this one.

    Args:
        planned: The step with what is expected of it.
        plan: Its plan, which knows the places.
        memory: Bytes of memory that this machine has; 0 if nobody knows.
    """
    others = _find_others(planned.step, plan)
    if not others:
        return LOCAL, "no other place can do it"
    read = planned.estimate.input_bytes
    if read is None:
        return LOCAL, "nothing tells yet how much it reads"
    held, room = read * UNPACKED, (plan.places[LOCAL].memory or memory) // 2
    nearest = min(others, key=lambda name: _start_seconds(plan.places[name]))
    if room and _holds_all(planned.step) and held > room:
        return nearest, f"reads about {_size(held)} at once, of the {_size(2 * room)} here"
    seconds = planned.estimate.seconds
    if seconds is None:
        seconds = held / RATES["sql" if planned.step.sql is not None else "python"]
    start = _start_seconds(plan.places[nearest])
    if seconds > _PAYS * start:
        return nearest, f"would take about {seconds:.0f} s here; reaching it takes {start:.0f} s"
    return LOCAL, f"takes about {seconds:.1f} s here; reaching {nearest} alone takes {start:.0f} s"


def _find_others(step: StepSpec, plan: Plan) -> list[str]:
    """Return the places whose engines are installed and share the step's work."""
    found = []
    for name, place in plan.places.items():
        try:
            capabilities = registry.load_engine(place.engine).capabilities
        except MissingExtraError:
            continue
        if name != LOCAL and _shares(step, capabilities):
            found.append(name)
    return found


def _shares(step: StepSpec, capabilities: Capabilities) -> bool:
    if not capabilities.distributed or step.limits.memory is not None or step.window is not None:
        return False
    return capabilities.sql_workers == "all" if step.sql is not None else capabilities.functions


def _holds_all(step: StepSpec) -> bool:
    """Return whether a step holds a whole table, or many groups of it, at a time."""
    if step.function is None:
        return False
    return not all(spec.iterator for _, spec in step.function.inputs)


def _start_seconds(place: PlaceSpec) -> float:
    if place.address and "://" in place.address:
        return REACH_SECONDS
    return registry.load_engine(place.engine).capabilities.start_seconds


def _size(number: float) -> str:
    return f"{number / _GIGABYTE:.3g} GB"
