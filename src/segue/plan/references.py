"""Tables that contracts look into: what a verdict rests on, beside the rows that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.plan.graph import find_source
from segue.spec.plan import Cause, Reason
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.step import ProjectSpec, StepSpec

    Inputs = Mapping[str, tuple[str, ...]]


def find_references(
    project: ProjectSpec, step: StepSpec, inputs: Inputs
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the stored tables and sources that a step's verdict rests on, through views.

    Args:
        project: The project.
        step: The step.
        inputs: The stored tables and sources that each step reads.

    Returns:
        Those of its own contract, and those of the contracts of the sources that it reads.
    """
    sources = (find_source(project, table) for table in inputs[step.name])
    own = _look_into(project, step.name, inputs)
    others = (_look_into(project, name, inputs) for name in sources if name is not None)
    return own, tuple(dict.fromkeys(table for tables in others for table in tables))


def _look_into(project: ProjectSpec, name: str, inputs: Inputs) -> tuple[str, ...]:
    contract = project.contracts.get(name)
    found: dict[str, None] = {}
    for table in contract.references if contract else ():
        made = project.steps.get(table)
        seen = inputs[table] if made is not None and made.mode is Mode.VIEW else (table,)
        found |= dict.fromkeys(seen)
    found.pop(name, None)
    return tuple(found)


def compare_references(now: Mapping[str, str], then: Mapping[str, str]) -> tuple[Reason, ...]:
    """Return which tables that contracts look into are others than at the last verdict.

    Example:
        >>> [str(reason) for reason in compare_references({"a": "2", "b": ""}, {"a": "1"})]
        ['referenced table changed: a', 'referenced table runs: b']
    """
    changed = [name for name, identity in now.items() if identity and identity != then.get(name)]
    running = [name for name, identity in now.items() if not identity]
    told = ((Cause.REFERENCE_CHANGED, changed), (Cause.REFERENCE_RUNS, running))
    return tuple(Reason(cause, ", ".join(names)) for cause, names in told if names)
