"""One run, from its lease to its record."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from segue.errors import (
    ConflictError,
    RunError,
    SegueError,
    SourceError,
    StorageError,
    name_disk_fault,
)
from segue.spec.plan import Action, Cause, Plan
from segue.spec.run import Progress, RunResult, RunStart, RunStatus, StepOutcome, StepStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segue.conductor.work import Work
    from segue.conductor.workspace import Workspace
    from segue.publish.intent import Base
    from segue.record.write import Described
    from segue.spec.alerts import Delivery
    from segue.spec.run import Lease


def run_plan(
    workspace: Workspace, plan: Plan, command: str, listen: Callable[[Progress], None]
) -> RunResult:
    """Execute, judge, publish and record a plan.

    Args:
        workspace: What the stages work with.
        plan: What to do.
        command: What was asked, for the record.
        listen: Hears of progress; called from several threads.

    Returns:
        What the run came to; its `error` says why nothing was published.

    Raises:
        ProjectError: A SQL step does not bind; nothing was started.
        SourceError: A step that was asked for can't run; nothing was started.
    """
    refuse_blocked(plan)
    if not plan.work:
        return RunResult("", RunStatus.DONE, skip_steps(plan, workspace.clock.now()))
    # who has nothing to do needs none of it
    from segue.conductor.engines import open_engines
    from segue.conductor.work import Work
    from segue.conductor.workspace import bind_plan

    run_id = workspace.new_run_id()
    with open_engines(plan, run_id) as engines:
        columns = bind_plan(workspace, plan, engines)
        work = Work(workspace, plan, run_id, listen, engines, columns)
        return Run(workspace, plan, run_id, command, listen, work).go()


def refuse_blocked(plan: Plan) -> None:
    """Raise if a step that was asked for can't run.

    Raises:
        SourceError: With every such step and its reasons.
    """
    blocked = [step for step in plan.steps if step.action is Action.BLOCKED]
    if not blocked:
        return
    # what only waits for another says nothing new
    roots = [s for s in blocked if any(r.cause is not Cause.INPUT_BLOCKED for r in s.reasons)]
    lines = [f"  {s.name}: {'; '.join(map(str, s.reasons))}" for s in roots or blocked]
    if others := len(blocked) - len(lines):
        lines.append(f"  and {others} that wait{'s' if others == 1 else ''} for what can't run")
    raise SourceError("nothing was run, because steps can't be:\n" + "\n".join(lines))


def skip_steps(plan: Plan, now: str) -> tuple[StepOutcome, ...]:
    """Return the outcomes of the steps that are up to date."""
    return tuple(
        StepOutcome(
            planned.name,
            StepStatus.SKIPPED,
            reasons=tuple(map(str, planned.reasons)),
            started_at=now,
        )
        for planned in plan.steps
        if planned.action is Action.SKIP
    )


def read_base(workspace: Workspace, plan: Plan) -> Base:
    """Read what a run builds on, and make sure that its plan was made for the same.

    Raises:
        ConflictError: Another run published between the plan and now.
    """
    from segue.publish.intent import Base

    # numbers before the snapshot: whoever publishes in between is seen in one of the two
    numbers, heads = workspace.ledger.numbers(), workspace.ledger.heads()
    snapshot = workspace.ledger.snapshot(workspace.environment)
    now = {name: version.number for name, version in snapshot.versions.items()}
    planned = {name: version.number for name, version in plan.history.versions.items()}
    if now != planned:
        moved = sorted(name for name in now if now[name] != planned.get(name))
        raise ConflictError(
            f"another run published {', '.join(moved)} while this one was planned",
            hint="run again: the plan is made anew",
        )
    return Base(snapshot, heads, numbers)


@dataclass(slots=True)
class Run:
    """A run under way.

    Attributes:
        workspace: What the stages work with.
        plan: What to do.
        run_id: Its name.
        command: What was asked.
        listen: Hears of progress.
        work: Executes and judges the nodes of the graph.
    """

    workspace: Workspace
    plan: Plan
    run_id: str
    command: str
    listen: Callable[[Progress], None]
    work: Work
    base: Base = field(init=False)
    numbers: dict[str, int] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    described: Described | None = None

    def go(self) -> RunResult:
        """Execute and judge, then publish, and record whatever came of it."""
        start, began = self.start(), self.workspace.clock.monotonic()
        self.base = read_base(self.workspace, self.plan)
        lease = self.workspace.ledger.open_run(
            start, self.workspace.owner, self.workspace.project.lease
        )
        snapshot, failure = None, None
        try:
            snapshot = self.advance(start, lease)
        except (RunError, StorageError) as raised:
            failure = raised
        except OSError as raised:
            failure = name_disk_fault(raised, self.workspace.project.lake)
        except BaseException:  # interrupts and faults of segue: recorded, then raised
            with suppress(SegueError):
                self.end(start, lease, began, None, "interrupted")
            raise
        error = self.work.redact(str(failure)) if failure else ""
        status, path = RunStatus.FAILED if failure else RunStatus.DONE, ""
        try:
            status, path = self.end(start, lease, began, snapshot, error)
        except (RunError, StorageError) as raised:
            # The lease stays: whoever finds it dead completes ledger and record.
            failure = failure or raised
        seconds = self.workspace.clock.monotonic() - began
        settled = self.work.settled()
        alerts = self.tell(settled, path, published=failure is None)
        return RunResult(
            self.run_id,
            status,
            settled,
            snapshot,
            seconds,
            path,
            failure,
            removed=self.removed,
            alerts=alerts,
        )

    def tell(
        self, outcomes: Sequence[StepOutcome], record: str, *, published: bool
    ) -> tuple[Delivery, ...]:
        """Tell owners what was measured, and add to the record whom it reached.

        The run is over by then: a channel that hangs keeps no lease and no table.
        """
        from segue.conductor.alerts import tell_owners
        from segue.record.write import amend_record

        reports = [outcome.report for outcome in outcomes if outcome.report]
        alerts = tell_owners(self.workspace, reports, self.run_id, published=published)
        if alerts and record:
            told = {"alerts": [asdict(each) for each in alerts]}
            with suppress(StorageError):  # the run is done, and its result tells the same
                amend_record(self.workspace.records, self.run_id, told)
        return alerts

    def advance(self, start: RunStart, lease: Lease) -> int | None:
        """Take the run from its lease to its snapshot; the snapshot's number, if it made one."""
        from segue.publish.lease import Heartbeat

        with Heartbeat(self.workspace.ledger, lease) as heartbeat:
            self.record(start, RunStatus.RUNNING)
            self.compute(lease)
            heartbeat.check()
            if self.work.errors:
                raise self.work.errors[0]
            self.record(start, RunStatus.PUBLISHING)
            return self.publish(lease)

    def end(
        self, start: RunStart, lease: Lease, began: float, snapshot: int | None, error: str
    ) -> tuple[RunStatus, str]:
        """Write the record, then give the lease back; how the run ended, and the record's path.

        In this order, because a run that dies in between still has a lease, so that others
        complete what it has left.
        """
        ledger = self.workspace.ledger
        status = RunStatus.DONE
        if error:
            known = ledger.run(self.run_id).status
            status = RunStatus.FAILED if known is RunStatus.RUNNING else known
        seconds = self.workspace.clock.monotonic() - began
        path = self.record(start, status, seconds, snapshot, error)
        ledger.close_run(
            lease,
            status if status is RunStatus.DONE else RunStatus.FAILED,
            seconds,
            error,
            self.work.settled(),
        )
        return status, path

    def start(self) -> RunStart:
        """Return what is written when the run begins."""
        return RunStart(
            self.run_id,
            self.plan.project.name,
            self.workspace.environment,
            self.work.redact(self.command),
            self.workspace.clock.now(),
            tuple(step.name for step in self.plan.work if step.step.stored),
        )

    def compute(self, lease: Lease) -> None:
        """Land sources, execute and judge steps, side by side where the graph allows."""
        from segue.execute.schedule import run_graph
        from segue.plan.nodes import find_nodes

        outcomes = self.work.outcomes

        def note(names: Sequence[str]) -> None:
            self.workspace.ledger.note(lease, [outcomes[name] for name in names])

        for skipped in skip_steps(self.plan, self.workspace.clock.now()):
            outcomes[skipped.step] = skipped
        waits = find_nodes(self.plan)
        names = tuple(step.name for step in self.plan.work)
        self.listen(Progress("", "planned", details={"steps": names}))
        if any(name in self.base.heads for name in names):
            self.workspace.lake.preload()
        blocked = run_graph(
            waits,
            self.work.do,
            self.plan.project.workers,
            note,
            on_interrupt=self.work.end_early,
        )
        for name in blocked:
            reasons = (f"waits for {', '.join(waits[name])}",)
            outcomes[name] = StepOutcome(name, StepStatus.BLOCKED, reasons=reasons)
        note(blocked)

    def publish(self, lease: Lease) -> int | None:
        """Make all that the run staged visible at once; the number of the snapshot."""
        from segue.publish.intent import declare_intent, find_unchanged, make_intent
        from segue.publish.stage import remove_staged
        from segue.publish.swap import complete_intent

        ledger, lake = self.workspace.ledger, self.workspace.lake
        base = self.base
        intent = make_intent(lease, self.work.settled(), base, self.plan.history.memories)
        snapshot = None
        if intent.publications or intent.removals:
            if intent.publications:
                self.listen(Progress("", "publishing", len(intent.publications)))
            self.numbers = {each.table: each.number for each in intent.publications}
            declare_intent(ledger, lake, lease, intent)
            snapshot = complete_intent(ledger, lake, intent)
            self.removed = tuple(intent.removals)
        for staged in find_unchanged(intent):
            remove_staged(lake, staged)
        return snapshot

    def record(
        self,
        start: RunStart,
        status: RunStatus,
        seconds: float | None = None,
        snapshot: int | None = None,
        error: str = "",
    ) -> str:
        """Write the run's record as it stands; its path."""
        from segue.record.write import Described, RunFacts, build_record, write_record

        workspace = self.workspace
        facts = RunFacts(
            start=start,
            owner=workspace.owner,
            plan=self.plan,
            status=status,
            outcomes=self.work.settled(),
            finished_at="" if seconds is None else workspace.clock.now(),
            seconds=seconds,
            snapshot=snapshot,
            numbers=self.numbers,
            removed=self.removed,
            error=error,
            engine=self.work.engines.tell_facts(),
            environ=os.environ,
        )
        if self.described is None:
            self.described = Described()
        return str(write_record(workspace.records, build_record(facts, self.described)))
