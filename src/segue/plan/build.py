"""Compares a project with what is remembered, and decides what each step does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue.plan.compare import compare_code, compare_inputs, compare_parameters, find_running
from segue.plan.estimate import estimate_step
from segue.plan.graph import find_maker, find_source, map_inputs
from segue.plan.growth import (
    Growth,
    compare_files,
    compare_versions,
    find_unmarked,
    grows,
    mark_files,
)
from segue.plan.parameters import check_parameters, write_parameters
from segue.plan.references import compare_references, find_references
from segue.plan.select import select_steps
from segue.plan.settle import add_references, settle_append
from segue.spec.plan import Action, Cause, Plan, PlannedStep, Reason
from segue.spec.step import Mode, PlaceSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from segue.spec.output import StagedTable, StepMemory
    from segue.spec.plan import History, Selection
    from segue.spec.step import ProjectSpec, Scalar, StepSpec


def build_plan(
    project: ProjectSpec,
    history: History,
    selection: Selection,
    parameters: Mapping[str, Scalar] | None = None,
) -> Plan:
    """Return what a run would do with each step, and why.

    Args:
        project: What the project declares.
        history: What the ledger and the sources say.
        selection: What was asked.
        parameters: Values of settings for this run, ``step.name`` to value; they stand in
            the plan's project as well.

    Raises:
        SelectionError: The selection names what does not exist.
        UnknownNameError: A parameter does not exist.
        UsageError: A parameter's value has the wrong type.
    """
    given = check_parameters(project, parameters or {})
    if given:
        project = replace(project, parameters={**project.parameters, **given})
    builder = _Builder(project, history, selection)
    steps = tuple(builder.add(step) for step in project.steps.values())
    places = {"local": PlaceSpec("local"), **project.places}
    return Plan(project, steps, selection, history, places, given)


class _Builder:
    """Decides step by step, in the order of the graph; later ones build on earlier ones."""

    def __init__(self, project: ProjectSpec, history: History, selection: Selection) -> None:
        self.project = project
        self.history = history
        self.selection = selection
        self.selected = frozenset(select_steps(project, selection.terms))
        self.inputs = map_inputs(project)
        self.decided: dict[str, PlannedStep] = {}
        self.identities: dict[str, str | None] = {}
        self.used_views = self._find_used_views()

    def _find_used_views(self) -> frozenset[str]:
        used: set[str] = set()
        for name, step in reversed(tuple(self.project.steps.items())):
            if name in self.selected or name in used:
                used.update(table for table in step.reads if self._is_view(table))
        return frozenset(used)

    def _is_view(self, name: str) -> bool:
        step = self.project.steps.get(name)
        return step is not None and step.mode is Mode.VIEW

    def add(self, step: StepSpec) -> PlannedStep:
        """Decide what to do with one step, whose needs were added before."""
        planned = self._decide(step)
        if planned.action in (Action.RUN, Action.REUSE):
            estimate = estimate_step(planned, self.history, self.project, self.decided)
            if estimate != planned.estimate:
                planned = replace(planned, estimate=estimate)
        self.decided[step.name] = planned
        return planned

    def _decide(self, step: StepSpec) -> PlannedStep:
        if step.mode is Mode.VIEW:
            chosen = step.name in self.selected or step.name in self.used_views
            return PlannedStep(step, Action.INLINE if chosen else Action.UNSELECTED, ())
        if step.name not in self.selected:
            return PlannedStep(step, Action.UNSELECTED, (), self._identify_inputs(step))
        obstacles = self._find_obstacles(step)
        inputs = self._identify_inputs(step)
        if obstacles:
            return PlannedStep(step, Action.BLOCKED, obstacles, inputs)
        planned = self._settle_references(self._decide_free(step, inputs))
        return self._reuse(planned) if planned.action is Action.RUN else planned

    def _decide_free(self, step: StepSpec, inputs: Mapping[str, str]) -> PlannedStep:
        """Decide what to do with a step that nothing holds up, by all but its references."""
        memory = self.history.memories.get(step.name)
        reasons = self._find_reasons(step, memory, inputs)
        if step.mode is Mode.APPEND:
            return self._decide_append(step, memory, inputs, reasons)
        if reasons:
            rebuild = step.mode is Mode.MERGE and _starts_over(reasons)
            return PlannedStep(step, Action.RUN, reasons, inputs, rebuild=rebuild)
        return PlannedStep(step, Action.SKIP, (self._tell_unchanged(step),), inputs)

    def _settle_references(self, planned: PlannedStep) -> PlannedStep:
        """Add what the step's verdict rests on, and let it count if it changed."""
        step = planned.step
        own, behind = find_references(self.project, step, self.inputs)
        appends = step.mode is Mode.APPEND
        if appends:
            # what it has appended stays, whatever becomes of its sources
            behind = ()
        if not own and not behind:
            return planned
        contract = self.project.contracts.get(step.name)
        references = {table: self._identify(table) or "" for table in own}
        seen = {table: self._identify_behind(table) for table in behind}
        references |= {table: known for table, known in seen.items() if known is not None}
        planned = replace(
            planned,
            references=references,
            # else rejects may have to come back, or other rows of a source pass
            rejudge=appends or not (behind or (contract and contract.rejects)),
        )
        memory = self.history.memories.get(step.name)
        if memory is None or planned.rebuild:
            return planned
        return add_references(planned, compare_references(references, memory.references))

    def _identify_inputs(self, step: StepSpec) -> dict[str, str]:
        """Return the identity of each input; empty for those that this run makes."""
        return {name: self._identify(name) or "" for name in self.inputs[step.name]}

    def _identify(self, table: str) -> str | None:
        if table not in self.identities:
            self.identities[table] = self._look_up(table)
        return self.identities[table]

    def _look_up(self, table: str) -> str | None:
        """Return what a table is now, empty if this run makes it, None if it is not there."""
        maker = find_maker(self.project, table)
        version = self.history.versions.get(table)
        if maker is None:
            state = self.history.sources.get(find_source(self.project, table) or "")
            return state.identity if state else None
        action = self.decided[maker].action
        if action is Action.RUN or (action is Action.JUDGE and self._sets_aside(maker)):
            return ""
        if action is Action.REUSE:
            memory = self.history.staged[maker]
            staged = memory.staged if table == maker else memory.rejects
            if staged is not None:
                return f"{staged.content_hash}:{staged.schema}"
        return version.identity if version else None

    def _sets_aside(self, name: str) -> bool:
        contract = self.project.contracts.get(name)
        return contract is not None and contract.rejects

    def _find_obstacles(self, step: StepSpec) -> tuple[Reason, ...]:
        """Return why a step can't run: a missing source, or a table that is not there."""
        contract = self.project.contracts.get(step.name)
        tables = list(self.inputs[step.name])
        for table in contract.references if contract else ():
            tables += self.inputs[table] if self._is_view(table) else (table,)
        others = (table for table in dict.fromkeys(tables) if table != step.name)
        found = (self._find_obstacle(step, table) for table in others)
        return tuple(reason for reason in found if reason is not None)

    def _find_obstacle(self, step: StepSpec, table: str) -> Reason | None:
        maker = find_maker(self.project, table)
        if maker is None:
            return self._find_source_obstacle(table)
        planned = self.decided[maker]
        if planned.action is Action.BLOCKED:
            return Reason(Cause.INPUT_BLOCKED, maker)
        if self._identify(table) is not None:
            return None
        if planned.action is Action.UNSELECTED:
            return Reason(Cause.MISSING, f"{maker} has never run; select it too: +{step.name}")
        return Reason(Cause.MISSING, f"{maker} has made no table {table} yet")

    def _find_source_obstacle(self, table: str) -> Reason | None:
        source = find_source(self.project, table) or table
        if source in self.history.sources:
            return None
        told = self.history.missing.get(source, "it can't be found")
        named = repr(source) in told
        return Reason(Cause.MISSING, told if named else f"source {source}: {told}")

    def _find_reasons(
        self, step: StepSpec, memory: StepMemory | None, inputs: Mapping[str, str]
    ) -> tuple[Reason, ...]:
        """Return why a step has to run; none if it is up to date."""
        asked = (Reason(Cause.ASKED, "--force"),) if self.selection.force else ()
        if memory is None:
            return (*asked, Reason(Cause.NEVER_RAN))
        missing = None
        if step.stored and step.name not in self.history.versions:
            missing = Reason(Cause.MISSING, "its table is not there any more")
        since = self.selection.since
        old = None
        if since is not None and memory.finished_at < since:
            old = Reason(Cause.TOO_OLD, f"ran {memory.finished_at[:19]}, before {since[:19]}")
        reasons = (
            missing,
            compare_code(step.fingerprint, memory),
            compare_parameters(write_parameters(self.project, step), memory.parameters),
            compare_inputs(inputs, memory.inputs),
            old,
            find_running(inputs),
        )
        return (*asked, *(reason for reason in reasons if reason is not None))

    def _tell_unchanged(self, step: StepSpec) -> Reason:
        # Without numbers of its own, so that many such steps can be told in one line.
        return Reason(Cause.UNCHANGED, f"since run {self.history.memories[step.name].run_id}")

    def _identify_behind(self, table: str) -> str | None:
        """Return what a table is that a source's contract looks into, None if it is not there.

        One that comes later in the graph is looked into as it is published.
        """
        maker = find_maker(self.project, table)
        if maker is None or maker in self.decided:
            return self._identify(table)
        version = self.history.versions.get(table)
        return version.identity if version else None

    def _decide_append(
        self,
        step: StepSpec,
        memory: StepMemory | None,
        inputs: Mapping[str, str],
        reasons: tuple[Reason, ...],
    ) -> PlannedStep:
        growing = [name for name in inputs if grows(self.project, self.history, name)]
        whole = self._pin_versions(growing)
        if memory is None or _starts_over(reasons):
            return PlannedStep(step, Action.RUN, reasons, inputs, whole, rebuild=True)
        unmarked = find_unmarked(memory, growing)
        if unmarked:
            detail = f"{', '.join(unmarked)} was read whole until now"
            reasons = (*reasons, Reason(Cause.INPUT_CHANGED, detail))
            return PlannedStep(step, Action.RUN, reasons, inputs, whole, rebuild=True)
        growths = {name: self._grow(name, memory) for name in growing}
        return settle_append(
            PlannedStep(step, Action.RUN, reasons, inputs),
            growths,
            self._tell_unchanged(step),
            waits=any(not inputs[name] for name in growing),
        )

    def _pin_versions(self, growing: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return all files of tables that grow while a run goes on: it reads what was seen."""
        states = {name: self.history.sources.get(name) for name in growing}
        return {
            name: tuple(file.path for file in state.files)
            for name, state in states.items()
            if state is not None and state.version is not None
        }

    def _grow(self, table: str, memory: StepMemory) -> Growth:
        state = self.history.sources.get(table)
        if state is not None and state.version is not None:
            return compare_versions(state, memory.seen_files.get(table, ()))
        planned = self.decided.get(table)
        # A table that this run rebuilds keeps none of the files that were read.
        rebuilt = planned is not None and planned.action is Action.RUN and planned.rebuild
        files = {} if rebuilt else mark_files(table, self.history) or {}
        return compare_files(files, memory.seen_files.get(table, ()))

    def _reuse(self, planned: PlannedStep) -> PlannedStep:
        """Return the step as one that publishes what was staged earlier, if that still holds."""
        memory = self.history.staged.get(planned.name)
        if memory is None or memory.staged is None or self.selection.force:
            return planned
        step = planned.step
        version = self.history.versions.get(step.name)
        builds_on = step.mode in (Mode.APPEND, Mode.MERGE)
        base = version.number if version and not planned.rebuild else None
        holds = (
            memory.fingerprint == step.fingerprint.digest
            and memory.inputs == planned.inputs
            and memory.references == planned.references
            and memory.parameters == write_parameters(self.project, step)
            and not any(reason.cause is Cause.TOO_OLD for reason in planned.reasons)
            and (not builds_on or memory.staged.base == base)
            and self._follows(memory.rejects)
        )
        if not holds:
            return planned
        reason = Reason(Cause.STAGED_EARLIER, f"by run {memory.run_id}")
        return replace(planned, action=Action.REUSE, reasons=(reason, *planned.reasons))

    def _follows(self, rejects: StagedTable | None) -> bool:
        """Return whether the rejects that a staged result keeps are those of today."""
        if rejects is None or not rejects.keeps:
            return True
        current = self.history.versions.get(rejects.table)
        return current is not None and current.number == rejects.base


def _starts_over(reasons: tuple[Reason, ...]) -> bool:
    """Return whether an append or merge step leaves the rows that it has made."""
    return any(r.cause in (Cause.ASKED, Cause.NEVER_RAN, Cause.MISSING) for r in reasons)
