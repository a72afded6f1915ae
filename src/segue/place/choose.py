"""Which place each step runs in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue import registry
from segue.errors import UnknownNameError, UnsupportedError
from segue.place.auto import choose_by_size
from segue.spec.plan import Action
from segue.spec.step import LOCAL

if TYPE_CHECKING:
    from segue.protocols import Capabilities
    from segue.spec.plan import Plan, PlannedStep
    from segue.spec.step import StepSpec

AUTO = "auto"


def choose_places(plan: Plan, memory: int = 0) -> Plan:
    """Return the plan with a place for each step, all of whose engines are installed.

    A step runs where its ``on`` says; for ``auto`` see `segue.place.auto`.

    Args:
        plan: The plan.
        memory: Bytes of memory that this machine has; 0 if nobody knows.

    Raises:
        UnknownNameError: A step names a place, or a place an engine, that does not exist.
        MissingExtraError: A place's engine is not installed; the hint is the command.
        UnsupportedError: A place's engine can't do what a step asks of it.
    """
    if all(planned.step.on == LOCAL == planned.place for planned in plan.steps):
        return plan
    return replace(plan, steps=tuple(_place_step(step, plan, memory) for step in plan.steps))


def _place_step(planned: PlannedStep, plan: Plan, memory: int) -> PlannedStep:
    step = planned.step
    if step.on == AUTO:
        name, reason = choose_by_size(planned, plan, memory)
        return replace(planned, place=name, place_reason=f"auto: {reason}")
    place = plan.places.get(step.on)
    if place is None:
        raise UnknownNameError(
            f"{planned.name} is to run on {step.on!r}, and there is no such place",
            hint=registry.nearest(step.on, tuple(plan.places), noun="place"),
            location=step.location,
        )
    if step.on == LOCAL or planned.action is not Action.RUN:
        return replace(planned, place=step.on, place_reason="")
    if step.window is not None and place.engine != plan.places[LOCAL].engine:
        raise UnsupportedError(
            f"{planned.name} has a window, which the engine {place.engine!r} does not compute",
            hint="leave its `on` out, or place it on a fleet",
            location=step.location,
        )
    capabilities = registry.load_engine(place.engine).capabilities
    _refuse_unable(step, place.engine, capabilities)
    alone = step.sql is not None and capabilities.sql_workers == "one"
    reason = f"{place.engine} has no SQL of its own: one worker does it" if alone else ""
    return replace(planned, place=step.on, place_reason=reason)


def _refuse_unable(step: StepSpec, engine: str, capabilities: Capabilities) -> None:
    if step.function is not None and not capabilities.functions:
        raise UnsupportedError(
            f"{step.name} is a Python function, and the engine {engine!r} runs none",
            hint="name another place, or write the step in SQL",
            location=step.location,
        )
    if step.limits.memory is not None and capabilities.distributed:
        raise UnsupportedError(
            f"{step.name} has a limit of memory, which is kept on this machine only",
            hint=f"leave it out, and limit the memory of the place's workers ({engine})",
            location=step.location,
        )
