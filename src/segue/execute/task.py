"""Gathering what the execution of one step needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue import registry
from segue.execute.attempt import StepTask
from segue.execute.bindings import bind_tables

if TYPE_CHECKING:
    from pathlib import Path

    from segue.execute.tables import RunTables
    from segue.protocols import Lake
    from segue.spec.plan import Plan, PlannedStep
    from segue.spec.scan import Scan


def gather_task(
    plan: Plan, planned: PlannedStep, tables: RunTables, lake: Lake, run_id: str, scratch: Path
) -> StepTask:
    """Return all that one step's execution needs, so that it can go to another process.

    Args:
        plan: The plan.
        planned: The step, settled: everything that it reads is there.
        tables: What each table is now.
        lake: Where the step's table is stored.
        run_id: The run.
        scratch: Folder of the run, for what is thrown away at its end.
    """
    step, project = planned.step, plan.project
    base = None if planned.rebuild else plan.history.versions.get(step.name)
    memory = plan.history.memories.get(step.name)
    limited = _limit_inputs(plan, planned, tables, lake, scratch)
    return StepTask(
        project=project,
        step=step,
        parameters=project.parameters_of(step),
        bindings=bind_tables(project, step.reads, tables, limited),
        place=plan.places[planned.place],
        folder=lake.folder(step.name) if step.stored else scratch,
        stem=f"{run_id}-{step.name}",
        schema=memory.schema if memory else None,
        base=base,
        base_scan=lake.scan(base.schema, step.name, base.files) if base else None,
        run_id=run_id,
    )


def _limit_inputs(
    plan: Plan, planned: PlannedStep, tables: RunTables, lake: Lake, scratch: Path
) -> dict[str, Scan]:
    """Return how to read only what an append step has not yet seen of its growing inputs."""
    project = plan.project
    limited: dict[str, Scan] = {}
    for name, marks in planned.new_files.items():
        source, state = project.sources.get(name), tables.find(name)
        if source is not None:
            kind = registry.load_source(source.kind)
            limited[name] = kind.scan(source, project.root, scratch, marks)
        elif state is not None and state.schema is not None:
            files = [file for file in state.files if file.path in marks]
            limited[name] = lake.scan(state.schema, name, files)
    return limited
