"""Which place each step runs in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue import registry
from segue.errors import UnknownNameError
from segue.spec.plan import Action

if TYPE_CHECKING:
    from segue.spec.plan import Plan, PlannedStep

LOCAL = "local"
AUTO = "auto"


def choose_places(plan: Plan) -> Plan:
    """Return the plan with a place for each step, all of whose engines are installed.

    A step runs where its ``on`` says. ``auto`` is the local place: no step is too large for
    it, since what does not fit in memory goes to temporary files.

    Raises:
        UnknownNameError: A step names a place, or a place an engine, that does not exist.
        MissingExtraError: A place's engine is not installed; the hint is the command.
    """
    chosen = plan
    if any(planned.step.on != planned.place for planned in plan.steps):
        steps = tuple(_place_step(planned, plan) for planned in plan.steps)
        chosen = replace(plan, steps=steps)
    used = {planned.place for planned in chosen.steps if planned.action is Action.RUN}
    for engine in sorted({chosen.places[name].engine for name in used}):
        registry.load_engine(engine)
    return chosen


def _place_step(planned: PlannedStep, plan: Plan) -> PlannedStep:
    name = LOCAL if planned.step.on == AUTO else planned.step.on
    if name not in plan.places:
        raise UnknownNameError(
            f"{planned.name} is to run on {name!r}, and there is no such place",
            hint=registry.nearest(name, tuple(plan.places), noun="place"),
            location=planned.step.location,
        )
    reason = "auto: the only place with an engine so far" if planned.step.on == AUTO else ""
    return replace(planned, place=name, place_reason=reason)
