"""One node of a run's graph: a source to land, a view to judge, a step to execute and judge."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from segue import registry
from segue.conductor.context import looks_back, make_context, stage_context
from segue.conductor.inputs import (
    count_inputs,
    find_made_files,
    find_new_files,
    identify_inputs,
    identify_references,
    tell_changed_types,
)
from segue.errors import ContractError, SegueError, name_disk_fault
from segue.failpoints import pass_point
from segue.place.edge import ARRIVING
from segue.plan.growth import mark_files, seen_after
from segue.plan.parameters import write_parameters
from segue.plan.settle import settle
from segue.settings import redact
from segue.spec.output import StagedTable
from segue.spec.plan import Action
from segue.spec.run import Progress, StepOutcome, StepStatus
from segue.spec.sql import quote_identifier
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from segue.conductor.engines import Engines
    from segue.conductor.workspace import Workspace
    from segue.execute.tables import RunTables
    from segue.judge.before import Before
    from segue.protocols import Lake, LocalSession, Tell
    from segue.spec.contract import Contract, Report
    from segue.spec.output import StepMemory
    from segue.spec.plan import Plan, PlannedStep
    from segue.spec.scan import Scan
    from segue.spec.types import TableSchema

TEXT_FORMATS = frozenset({"csv", "json"})
"""Formats that cost so much to parse that it is done once for all readers."""


@dataclass(slots=True)
class Work:
    """What a run does with each node; `do` is called from several threads.

    Attributes:
        workspace: What the stages work with.
        plan: What to do.
        run_id: The run.
        listen: Hears of progress.
        engines: What computes; each node takes a fork.
        columns: Columns of the sources that were looked into before.
        outcomes: What became of each node so far.
        errors: What went wrong so far, first first.
        retried: How often a step was repeated so far.
        stop: Set when the run must end early.
    """

    workspace: Workspace
    plan: Plan
    run_id: str
    listen: Callable[[Progress], None]
    engines: Engines
    columns: Mapping[str, TableSchema]
    outcomes: dict[str, StepOutcome] = field(default_factory=dict)
    errors: list[SegueError] = field(default_factory=list)
    retried: dict[str, int] = field(default_factory=dict)
    stop: Event = field(default_factory=Event)
    planned: dict[str, PlannedStep] = field(init=False)
    tables: RunTables = field(init=False)
    landing: Lake = field(init=False)

    def __post_init__(self) -> None:
        from segue.execute.tables import RunTables

        self.planned = {step.name: step for step in self.plan.steps}
        self.tables = RunTables(self.workspace.lake, self.plan.history.versions)
        self.landing = registry.load(registry.LAKES, "delta")(str(self.engines.scratch / "landing"))

    def do(self, name: str) -> bool:
        """Do one node's work; False if its readers must not go on."""
        clock = self.workspace.clock
        self.listen(Progress(name, "started"))
        started_at, began = clock.now(), clock.monotonic()
        try:
            outcome = self.work_on(name)
        except SegueError as error:
            outcome = self.fail(name, error)
        except OSError as error:
            outcome = self.fail(name, name_disk_fault(error, self.workspace.project.lake))
        outcome = outcome.hide_bounds(self.plan.project.sensitive)
        outcome = self.describe(outcome, started_at, clock.monotonic() - began)
        self.outcomes[name] = outcome
        self.listen(Progress(name, "settled", details={"outcome": outcome}))
        return outcome.succeeded

    def fail(self, name: str, error: SegueError) -> StepOutcome:
        """Keep an error for the run, and return what it makes of a node."""
        from segue.execute.failure import describe_failure, hide_line, hide_secrets

        inputs = self.planned[name].inputs if name in self.planned else ()
        hide_line(error, self.plan.project.sensitive, (name, *inputs))
        known = [(each, self.outcomes.get(each)) for each in inputs]
        read = {each: told.columns for each, told in known if told and told.columns}
        error.hint = error.hint or tell_changed_types(read, self.plan.history.memories)
        hide_secrets(error, self.redact)
        self.errors.append(error)
        return StepOutcome(name, StepStatus.FAILED, failure=describe_failure(error))

    def end_early(self) -> None:
        """End what is running, as far as it can be ended from another thread."""
        self.stop.set()
        self.engines.interrupt()

    def follow(self, name: str, expected: int | None) -> Tell:
        """Return what passes on how far a node has come."""

        def tell(rows: int, share: float | None = None, /) -> None:
            details = {} if share is None else {"share": share}
            self.listen(Progress(name, "rows", rows, expected, details))

        return tell

    def work_on(self, name: str) -> StepOutcome:
        """Land a source, judge a view, or run a step."""
        if name in self.plan.project.sources:
            return self.land(name)
        planned = self.planned[name]
        if planned.action is Action.INLINE:
            return self.judge_in_place(name)
        memory = self.plan.history.memories.get(name)
        identities = identify_inputs(planned, self.tables)
        files = find_made_files(planned, self.plan.project, self.tables)
        references = identify_references(planned, self.tables)
        planned = settle(planned, memory, identities, files, references)
        self.planned[name] = planned
        if planned.action is Action.SKIP:
            return StepOutcome(name, StepStatus.SKIPPED)
        if planned.action is Action.JUDGE:
            return self.judge_published(planned)
        staged = self.plan.history.staged.get(name)
        if planned.action is Action.REUSE and staged is not None:
            return self.reuse(staged)
        return self.run_step(planned)

    def land(self, name: str) -> StepOutcome:
        """Find out how to read a source; copy it if it is judged or dear to read."""
        from segue.execute.land import land_source
        from segue.execute.sources import scan_source
        from segue.execute.tables import TableState

        project, history = self.plan.project, self.plan.history
        contract = project.contracts.get(name)
        look = partial(scan_source, project, name, self.engines.scratch, history.memories)
        scan = look()
        identity = history.sources[name].identity
        self.tables.made[name] = TableState(identity, scan)
        if contract is not None and project.sources[name].kind == ARRIVING:
            return self.judge_in_place(name)
        readers = sum(name in planned.inputs for planned in self.plan.work)
        shared = readers > 1 and scan.format in TEXT_FORMATS
        if contract is None and not shared:
            return StepOutcome(name, StepStatus.DONE, columns=self.find_columns(name, scan))
        with self.engines.local.fork() as session:
            session.bind(name, scan)
            tell = self.follow(name, history.sources[name].rows)
            watched = contract is not None and looks_back(contract)
            told = find_new_files(name, history) if watched else ()
            parts = [look(paths) if paths else None for paths in told]
            staged = land_source(session, name, self.landing, tell, parts)
            outcome = StepOutcome(
                name,
                StepStatus.DONE,
                input_rows={name: staged.rows},
                columns=staged.schema,
                seen_files={name: tuple(mark_files(name, history) or ())} if watched else {},
            )
            if contract is not None:
                outcome = replace(outcome, staged=staged)
                outcome = self.judge(session, outcome, contract, self.landing)
                staged = outcome.staged or staged
                if outcome.rejects is not None:
                    # like the source itself, its rejects change when its files do
                    name_of = outcome.rejects.table
                    self.tables.add_staged(outcome.rejects)
                    seen = replace(self.tables.made[name_of], identity=identity)
                    self.tables.made[name_of] = seen
            scan = self.landing.scan(staged.schema, name, staged.files)
            self.tables.made[name] = TableState(identity, scan, staged.rows, staged.schema)
        return replace(outcome, staged=None)

    def find_columns(self, name: str, scan: Scan) -> TableSchema | None:
        """Return the columns of a source whose format does not state them, to be remembered."""
        if name in self.columns or scan.format not in TEXT_FORMATS:
            return self.columns.get(name)
        with self.engines.local.fork() as session:
            session.bind(name, scan)
            return session.describe(f"select * from {quote_identifier(name)}")

    def judge_in_place(self, name: str) -> StepOutcome:
        """Judge a view by its SQL, or what nodes sent by its own files: nothing is copied."""
        from segue.judge.measure import measure_table

        contract = self.plan.project.contracts[name]
        with self.engines.local.fork() as session:
            self.bind(session, (name, *contract.references))
            schema = session.describe(f"select * from {quote_identifier(name)}")
            context = make_context(self.workspace, session, contract)
            report = measure_table(session, name, contract, schema, context=context)
        return self.rule(StepOutcome(name, StepStatus.DONE), report)

    def judge_published(self, planned: PlannedStep) -> StepOutcome:
        """Judge the published rows of a step, as what its contract looks into has changed."""
        name, history = planned.name, self.plan.history
        version = history.versions[name]
        kept = StagedTable(name, version.schema, Mode.APPEND, (), version.files, version.number)
        memory = history.memories.get(name)
        outcome = StepOutcome(name, StepStatus.JUDGED, staged=kept, renews=memory)
        with self.engines.local.fork() as local:
            contract = self.plan.project.contracts[name]
            outcome = self.judge(local, outcome, contract, self.workspace.lake)
        if not outcome.succeeded:
            return outcome
        self.show_readers(outcome)
        # rows that are set aside now leave the table
        return outcome if outcome.staged is kept else replace(outcome, status=StepStatus.DONE)

    def reuse(self, memory: StepMemory) -> StepOutcome:
        """Take what an earlier run staged, judged, and could not publish."""
        outcome = StepOutcome(
            memory.step,
            StepStatus.REUSED,
            staged=self.rebase(memory.staged),
            rejects=self.rebase(memory.rejects),
        )
        self.show_readers(outcome)
        return outcome

    def rebase(self, staged: StagedTable | None) -> StagedTable | None:
        """Let what keeps nothing of its table follow the version that is published now."""
        if staged is None or staged.keeps:
            return staged
        current = self.plan.history.versions.get(staged.table)
        return replace(staged, base=current.number if current else None)

    def run_step(self, planned: PlannedStep) -> StepOutcome:
        """Execute a step, judge what it made, and let its readers see it."""
        from segue.execute.retry import attempt_step
        from segue.execute.task import gather_task

        step, lake = planned.step, self.workspace.lake
        task = gather_task(self.plan, planned, self.tables, lake, self.run_id, self.engines.scratch)

        tell = self.follow(step.name, planned.estimate.rows)

        def tell_retry(number: int, wait: float, error: SegueError) -> None:
            told = {"attempt": number + 1, "wait": wait, "error": self.redact(error.message)}
            self.retried[step.name] = number
            self.listen(Progress(step.name, "retry", details=told))

        engines = self.engines.find(planned.place)
        result = attempt_step(task, engines, lake, tell, stop=self.stop, on_retry=tell_retry)
        outcome = StepOutcome(
            step.name,
            StepStatus.DONE,
            staged=result.staged,
            input_rows={**count_inputs(planned, self.tables), **result.input_rows},
            peak_memory=result.peak_memory,
        )
        contract = self.plan.project.contracts.get(step.name)
        if contract is not None and result.staged is not None:
            with self.engines.local.fork() as local:
                outcome = self.judge(local, outcome, contract, lake)
        if outcome.succeeded:
            self.show_readers(outcome)
        return outcome

    def judge(
        self, session: LocalSession, outcome: StepOutcome, contract: Contract, lake: Lake
    ) -> StepOutcome:
        """Measure staged rows against their contract, and set rejects aside if it says so."""
        from segue.judge.answers import trust_files
        from segue.judge.measure import measure_table
        from segue.judge.rejects import set_aside

        staged = outcome.staged
        if staged is None:
            return outcome
        self.listen(Progress(outcome.step, "judging", staged.rows))
        pass_point("judge.before")
        self.bind(session, contract.references)
        session.bind(staged.table, lake.scan(staged.schema, staged.table, staged.files))
        published = self.plan.history.versions.get(staged.table)
        again = outcome.status is StepStatus.JUDGED
        known = (contract, staged, lake, published)
        context = stage_context(self.workspace, session, *known, again=again)
        rejects = None
        if contract.rejects:
            before = self.find_before(staged.table)
            lakes = (lake, self.workspace.lake)
            staged, rejects, report = set_aside(
                session, staged, contract, *lakes, self.run_id, before, context
            )
        else:
            context = replace(context, files=trust_files(staged.files))
            report = measure_table(session, staged.table, contract, staged.schema, context=context)
        pass_point("judge.after")
        return self.rule(replace(outcome, staged=staged, rejects=rejects), report)

    def find_before(self, table: str) -> Before:
        """Return what is published already of a table and its rejects."""
        from segue.judge.before import Before

        versions, planned = self.plan.history.versions, self.planned.get(table)
        rejects, base = versions.get(f"{table}__rejects"), versions.get(table)
        merges = planned and planned.step.mode is Mode.MERGE and not planned.rebuild
        if base is None or planned is None or not merges:
            return Before(rejects)
        rows = self.workspace.lake.scan(base.schema, table, base.files)
        return Before(rejects, rows, planned.step.key)

    def rule(self, outcome: StepOutcome, report: Report) -> StepOutcome:
        """Let a report decide whether the run goes on with a table."""
        from segue.judge.reports.lines import report_lines

        outcome = replace(outcome, report=report)
        if not report.stops:
            return outcome
        contract = self.plan.project.contracts[outcome.step]
        of_rows = not contract.rejects and all(each.failing for each in report.stopping)
        aside = ", or let `rejects: true` set the failing rows aside" if of_rows else ""
        error = ContractError(
            f"{outcome.step} breaks its contract:\n" + "\n".join(report_lines(report)),
            hint=f"mend the data or the step, or change the contract{aside}",
            location=contract.location,
        )
        failed = self.fail(outcome.step, error)
        return replace(outcome, status=StepStatus.REJECTED, failure=failed.failure)

    def show_readers(self, outcome: StepOutcome) -> None:
        """Let steps read what was staged and judged."""
        for staged in (outcome.staged, outcome.rejects):
            if staged is not None:
                self.tables.add_staged(staged)

    def bind(self, session: LocalSession, names: Sequence[str]) -> None:
        """Give a session the tables that a check looks into."""
        from segue.execute.bindings import bind_tables

        for name, data in bind_tables(self.plan.project, names, self.tables).items():
            session.bind(name, data)

    def describe(self, outcome: StepOutcome, started_at: str, seconds: float) -> StepOutcome:
        """Add to an outcome when it was and what its step is, for the ledger and the record."""
        planned = self.planned.get(outcome.step)
        if planned is None:
            return replace(outcome, started_at=started_at, seconds=seconds)
        step = planned.step
        files = find_made_files(planned, self.plan.project, self.tables)
        return replace(
            outcome,
            reasons=tuple(map(str, planned.reasons)),
            fingerprint=step.fingerprint.digest,
            parts=step.fingerprint.parts,
            inputs=identify_inputs(planned, self.tables),
            references=identify_references(planned, self.tables),
            parameters=write_parameters(self.plan.project, step),
            seen_files=seen_after(planned, self.plan.history, self.plan.project, files),
            place=planned.place,
            attempts=self.count_attempts(planned, outcome),
            started_at=started_at,
            seconds=seconds,
        )

    def count_attempts(self, planned: PlannedStep, outcome: StepOutcome) -> int:
        """Return how many attempts a step took; none if it was not computed."""
        ran = outcome.status not in (StepStatus.SKIPPED, StepStatus.REUSED)
        computed = ran and planned.action is Action.RUN
        return 1 + self.retried.get(planned.name, 0) if computed else 0

    def settled(self) -> tuple[StepOutcome, ...]:
        """Return the outcomes so far: sources first, then steps in the order of the graph."""
        known = (*self.plan.project.sources, *self.planned)
        order = {name: place for place, name in enumerate(known)}
        return tuple(sorted(self.outcomes.values(), key=lambda outcome: order[outcome.step]))

    def redact(self, text: str) -> str:
        """Return a text without the values of the project's secrets."""
        return redact(text, self.plan.project.secrets, os.environ)
