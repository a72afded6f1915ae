"""Gathering what the execution of one step needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.declare.problems import REJECTS
from segue.execute.attempt import StepTask
from segue.execute.bindings import bind_tables
from segue.execute.sources import scan_source
from segue.spec.sql import quote_identifier
from segue.spec.windows import write_windows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from segue.execute.tables import RunTables
    from segue.protocols import Lake
    from segue.spec.plan import Plan, PlannedStep
    from segue.spec.scan import Scan
    from segue.spec.step import StepSpec


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
    # other code may well mean other types
    same_code = memory is not None and memory.fingerprint == step.fingerprint.digest
    limited, whole = _limit_inputs(plan, planned, tables, lake, scratch)
    bindings = whole | bind_tables(project, step.reads, tables, limited)
    return StepTask(
        project=project,
        step=step,
        parameters=project.parameters_of(step),
        bindings=add_windows(step, bindings),
        place=plan.places[planned.place],
        folder=lake.folder(step.name) if step.stored else scratch,
        stem=f"{run_id}-{step.name}",
        schema=memory.schema if same_code and memory else None,
        base=base,
        base_scan=lake.scan(base.schema, step.name, base.files) if base else None,
        run_id=run_id,
    )


def add_windows(step: StepSpec, bindings: Mapping[str, Scan | str]) -> dict[str, Scan | str]:
    """Return what a step reads, its first table with the windows that the step asks for.

    Args:
        step: The step.
        bindings: Data by name, views after what they read.
    """
    if step.window is None or step.reads[0] not in bindings:
        return dict(bindings)
    table = step.reads[0]
    rows = f"{table}: rows"
    parts = ((rows, bindings[table]), (table, write_windows(step.window, rows)))
    return {
        name: data
        for key, given in bindings.items()
        for name, data in (parts if key == table else ((key, given),))
    }


def _limit_inputs(
    plan: Plan, planned: PlannedStep, tables: RunTables, lake: Lake, scratch: Path
) -> tuple[dict[str, Scan | str], dict[str, Scan | str]]:
    """Return how to read only what an append step has not yet seen of its growing inputs.

    A source without new files still has columns: it is read as no rows of the whole, which
    is bound under a name of its own.
    """
    project = plan.project
    limited: dict[str, Scan | str] = {}
    whole: dict[str, Scan | str] = {}
    for name, paths in planned.new_files.items():
        state = tables.find(name)
        if name in project.sources:
            scan = scan_source(project, name, scratch, plan.history.memories, paths)
            if paths:
                limited[name], more = _leave_rejects(plan, name, scan, tables)
                whole |= more
            else:
                whole[f"{name}__whole"] = scan
                limited[name] = f"select * from {quote_identifier(f'{name}__whole')} limit 0"
        elif state is not None and state.schema is not None:
            files = [file for file in state.files if file.path in paths]
            limited[name] = lake.scan(state.schema, name, files)
    return limited, whole


def _leave_rejects(
    plan: Plan, name: str, scan: Scan, tables: RunTables
) -> tuple[Scan | str, dict[str, Scan | str]]:
    """Return how to read new files without the rows that the source's contract set aside.

    Rows that are equal break the same checks, so that a look at the rejects tells.
    """
    contract = plan.project.contracts.get(name)
    aside = tables.find(f"{name}{REJECTS}") if contract and contract.rejects else None
    if aside is None or aside.schema is None or not aside.rows:
        return scan, {}
    new, rejects = f"{name}: new files", f"{name}: set aside"
    # the last column tells the reasons
    same = " and ".join(
        f"n.{column} is not distinct from r.{column}"
        for column in map(quote_identifier, aside.schema.names[:-1])
    )
    query = f"select n.* from {quote_identifier(new)} n anti join {quote_identifier(rejects)} r"
    return f"{query} on {same}", {new: scan, rejects: aside.scan}
