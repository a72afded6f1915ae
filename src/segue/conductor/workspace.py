"""What the stages work with, and what comes before a run: history and plan."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from segue import registry
from segue.conductor.inputs import tell_changed_types
from segue.errors import ProjectError, SourceError
from segue.place.choose import choose_places
from segue.plan.build import build_plan
from segue.spec.plan import Action, History, Plan, Selection
from segue.spec.run import RunStatus
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.conductor.engines import Engines
    from segue.protocols import Clock, Lake, Ledger
    from segue.publish.recover import Recovery
    from segue.spec.output import StepMemory, TableVersion
    from segue.spec.run import Owner
    from segue.spec.scan import SourceState
    from segue.spec.step import ProjectSpec, Scalar
    from segue.spec.types import TableSchema


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the stages work with.

    Attributes:
        project: The project as declared.
        lake: Where tables are stored.
        ledger: The database of runs.
        clock: Tells the time.
        new_run_id: Gives the next run its name.
        owner: Who runs.
        records: Folder of the runs' records.
        environment: Whose pointer is read and moved.
    """

    project: ProjectSpec
    lake: Lake
    ledger: Ledger
    clock: Clock
    new_run_id: Callable[[], str]
    owner: Owner
    records: Path
    environment: str = "production"


def read_history(workspace: Workspace) -> History:
    """Read all that a plan rests on: the ledger, and how the sources look now."""
    project, ledger = workspace.project, workspace.ledger
    states: dict[str, SourceState] = {}
    missing: dict[str, str] = {}
    for source in project.sources.values():
        try:
            states[source.name] = registry.load_source(source.kind).observe(source, project.root)
        except SourceError as error:
            more = "; ".join(filter(None, (str(error.location or ""), error.hint)))
            missing[source.name] = f"{error.message} ({more})" if more else error.message
    return History(
        versions=ledger.snapshot(workspace.environment).versions,
        memories=_take_memories(project, ledger.memories()),
        staged={n: each for n, each in ledger.staged().items() if _is_there(workspace.lake, each)},
        sources=states,
        missing=missing,
    )


def _take_memories(
    project: ProjectSpec, memories: Mapping[str, StepMemory]
) -> dict[str, StepMemory]:
    """Leave out what is remembered of a source that is a step by now: it has no code."""
    known = memories.items()
    return {name: each for name, each in known if each.fingerprint or name not in project.steps}


def _is_there(lake: Lake, memory: StepMemory) -> bool:
    """Return whether what was staged still lies where it was: a folder may have been moved."""
    parts = (part for part in (memory.staged, memory.rejects) if part is not None)
    scans = (lake.scan(part.schema, part.table, part.adds) for part in parts)
    return all(os.path.exists(path) for scan in scans for path in scan.paths)  # noqa: PTH110 - texts


def make_plan(workspace: Workspace, selection: Selection, parameters: Mapping[str, Scalar]) -> Plan:
    """Plan and place: what a run would do, why, and where."""
    history = read_history(workspace)
    plan = build_plan(workspace.project, history, selection, parameters)
    return choose_places(plan, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def recover_runs(workspace: Workspace) -> tuple[Recovery, ...]:
    """Finish or discard what dead runs left behind, and complete their records."""
    from segue.publish.recover import recover

    def complete(recovery: Recovery) -> None:
        from segue.conductor.engines import scratch_folder
        from segue.record.write import amend_record, has_record, write_stub

        changes = {
            "status": str(recovery.status),
            "finished_at": workspace.clock.now(),
            "snapshot": recovery.snapshot,
            "error": "" if recovery.status is RunStatus.DONE else recovery.reason,
            "recovered": recovery.reason,
        }
        if not has_record(workspace.records, recovery.run_id):
            write_stub(workspace.records, workspace.ledger.run(recovery.run_id))
        amend_record(workspace.records, recovery.run_id, changes, recovery.numbers)
        shutil.rmtree(scratch_folder(recovery.run_id), ignore_errors=True)

    return recover(workspace.ledger, workspace.lake, workspace.owner, complete=complete)


def adopt_commit(workspace: Workspace, table: str, scratch: Path) -> TableVersion:
    """Take what another writer committed to a table as its current version."""
    from segue.publish.recover import adopt_table

    place = workspace.project.places["local"]
    with registry.load_local_engine().open(place, scratch) as session:
        return adopt_table(
            workspace.ledger, workspace.lake, table, session.digest, workspace.environment
        )


def check_plan(workspace: Workspace, plan: Plan) -> None:
    """Bind the plan's SQL steps against the columns that are known, without running any.

    Raises:
        ProjectError: With every step that does not bind.
    """
    if any(step.action is Action.RUN and step.step.sql is not None for step in plan.steps):
        from segue.conductor.engines import open_engines

        with open_engines(plan, workspace.new_run_id()) as engines:
            bind_plan(workspace, plan, engines)


def bind_plan(workspace: Workspace, plan: Plan, engines: Engines) -> dict[str, TableSchema]:
    """Find misspelled tables and columns before anything runs.

    Returns:
        Columns of the sources that were looked into.

    Raises:
        ProjectError: With every step that does not bind.
    """
    from segue.conductor.bound_cache import open_bound_cache
    from segue.plan.bind import bind_steps, find_sources
    from segue.plan.bound import name_binding

    project, memories = workspace.project, plan.history.memories
    known = {name: made.schema for name, made in memories.items() if made.schema}
    # a source's columns are those of today
    known = {name: schema for name, schema in known.items() if name not in project.sources}
    known |= {name: version.schema for name, version in plan.history.versions.items()}
    sources = _describe_sources(project, find_sources(plan), engines, memories)
    cache, mark = open_bound_cache(project.root), name_binding(plan, known | sources)
    if mark in cache:
        return sources
    if problems := bind_steps(plan, engines.local, known | sources):
        changed = tell_changed_types(sources, memories)
        told = (replace(p, hint="; ".join(filter(None, (changed, p.hint)))) for p in problems)
        raise ProjectError(tuple(told))
    cache.keep(mark)
    return sources


def _describe_sources(
    project: ProjectSpec,
    names: Sequence[str],
    engines: Engines,
    memories: Mapping[str, StepMemory],
) -> dict[str, TableSchema]:
    """Return the columns of sources as they are now."""
    from segue.execute.sources import scan_source

    found: dict[str, TableSchema] = {}
    if names:
        with engines.local.fork() as fork:
            for name in names:
                fork.bind(name, scan_source(project, name, engines.scratch, memories))
                found[name] = fork.describe(f"select * from {quote_identifier(name)}")
    return found
