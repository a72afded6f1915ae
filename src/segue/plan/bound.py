"""What decides whether a plan's SQL binds, as one digest: the same plan binds the same way."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from segue.spec.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from segue.spec.plan import Plan, PlannedStep
    from segue.spec.types import TableSchema


def name_binding(plan: Plan, known: Mapping[str, TableSchema]) -> str:
    """Return a digest of all that `segue.plan.bind.bind_steps` looks at.

    Args:
        plan: What would run.
        known: Columns of sources, of published tables, and of results that are remembered.
    """
    digest = hashlib.sha256()
    for part in _tell(plan, known):
        digest.update(repr(part).encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()


def _tell(plan: Plan, known: Mapping[str, TableSchema]) -> Iterator[Any]:
    yield tuple(plan.project.sources)
    for name in sorted(known):
        yield name, str(known[name])
    for name, contract in plan.project.contracts.items():
        yield name, tuple(check.columns for check in contract.checks)
    for planned in plan.steps:
        yield from _tell_step(plan, planned)


def _tell_step(plan: Plan, planned: PlannedStep) -> Iterator[Any]:
    step = planned.step
    yield step.name, planned.action.value, step.mode.value, step.reads, step.sql
    options = (step.by, step.sort, step.key, step.schema, step.window)
    if any(options):
        yield options
    if step.sql is None:
        memory = plan.history.memories.get(step.name)
        yield step.fingerprint.digest, step.fingerprint.parts
        if memory is not None:
            yield memory.fingerprint, memory.parts, str(memory.schema)
    staged = plan.history.staged.get(step.name)
    if planned.action is Action.REUSE and staged is not None:
        yield str(staged.schema)
