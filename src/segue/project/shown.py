"""A project, its plans, runs and tables, as notebooks show them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from segue.frames.html import Markup, join_markup, write_block, write_grid, write_text
from segue.judge.reports.shown import write_reports
from segue.plan.explain import close_plan, explain_rows
from segue.project.facade import Project
from segue.project.views import PlannedRun, Reports, Runs, TableInfo, Tables
from segue.settings import redact
from segue.spec.contract import Verdict
from segue.spec.plan import Action
from segue.spec.run import RunResult, RunStatus, StepOutcome, StepStatus
from segue.spec.shown import write_html

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.spec.step import ProjectSpec

_ACTIONS = {
    Action.RUN: "good",
    Action.REUSE: "good",
    Action.JUDGE: "good",
    Action.BLOCKED: "bad",
}
_STATUSES = {
    StepStatus.DONE: "good",
    StepStatus.REUSED: "good",
    StepStatus.JUDGED: "good",
    StepStatus.SKIPPED: "soft",
    StepStatus.BLOCKED: "soft",
    StepStatus.FAILED: "bad",
    StepStatus.REJECTED: "bad",
}
_RUNS = {RunStatus.DONE: "good", RunStatus.FAILED: "bad", RunStatus.LOST: "bad"}


@write_html.register
def write_project(loaded: Project) -> str:
    """Return what a project declares as HTML; it reads nothing."""
    project = loaded.spec
    title = join_markup([_bold(project.name), write_text(project.root, "soft")])
    rows = [[name, "source", "", "", _tell_contract(project, name)] for name in project.sources]
    rows += [
        [step.name, str(step.mode), ", ".join(step.reads), step.on, _tell_contract(project, name)]
        for name, step in project.steps.items()
    ]
    return write_block(title, write_grid(("table", "how", "reads", "place", "contract"), rows))


def _tell_contract(project: ProjectSpec, table: str) -> str:
    return "✓" if table in project.contracts else ""


def _bold(value: object) -> Markup:
    return Markup(f"<b>{write_text(value)}</b>")


@write_html.register
def write_plan(planned: PlannedRun) -> str:
    """Return a plan as HTML, without its secrets."""
    plan = planned.plan

    def hide(text: str) -> str:
        return redact(text, plan.project.secrets, os.environ)

    rows = [
        [
            row.step,
            write_text(row.action, _ACTIONS.get(step.action, "soft")),
            hide(row.reason),
            hide(row.inputs),
            row.estimate,
            hide(row.place),
        ]
        for row, step in zip(explain_rows(plan), plan.steps, strict=True)
    ]
    header = ("step", "what", "why", "reads", "expected", "place")
    grid = write_grid(header, rows) if rows else ""
    there = [write_text(hide(line), "soft") for each in planned.fleets for line in each.lines]
    closing = hide(close_plan(plan)) if rows or not there else ""
    return write_block(*there, grid, closing)


@write_html.register
def write_run(result: RunResult) -> str:
    """Return what a run came to as HTML: its steps, what failed, and what did not pass."""
    told = [write_text(result.status, _RUNS.get(result.status, "soft"))]
    if result.run_id:
        snapshot = "" if result.snapshot is None else f", snapshot {result.snapshot}"
        told += [_bold(result.run_id), write_text(f"{result.seconds:.1f} s{snapshot}", "soft")]
    else:
        told.append(write_text("there was nothing to do", "soft"))
    rows = [_write_outcome(outcome) for outcome in result.outcomes]
    grid = write_grid(("step", "status", "rows", "seconds", "why"), rows, numbers=(2, 3))
    spoken = [
        outcome.report
        for outcome in result.outcomes
        if outcome.report is not None and outcome.report.verdict is not Verdict.PASS
    ]
    return write_block(
        join_markup(told),
        grid if rows else "",
        *(line for outcome in result.outcomes for line in _write_failure(outcome)),
        *write_reports(spoken),
    )


def _write_outcome(outcome: StepOutcome) -> list[object]:
    made = outcome.staged
    rows = "" if made is None else f"{sum(file.rows for file in made.adds):,}"
    seconds = f"{outcome.seconds:.2f}" if outcome.attempts else ""
    status = write_text(outcome.status, _STATUSES[outcome.status])
    return [outcome.step, status, rows, seconds, "; ".join(outcome.reasons)]


def _write_failure(outcome: StepOutcome) -> Iterator[Markup]:
    failure = outcome.failure
    if failure is None:
        return
    where = f" at {failure.where}" if failure.where else ""
    group = f", group {failure.group}" if failure.group else ""
    begin = write_text(f"{outcome.step}{where}{group}:", "bad")
    yield join_markup([begin, failure.message])
    if failure.hint:
        yield write_text(f"hint: {failure.hint}", "soft")


@write_html.register
def write_checks(reports: Reports) -> str:
    """Return several reports as HTML."""
    return write_block(*write_reports(list(reports)), "" if reports else "There are no contracts.")


@write_html.register
def write_tables(tables: Tables) -> str:
    """Return a list of tables as HTML."""
    rows = [
        [
            each.name,
            write_text(each.kind, "soft"),
            _number(each.rows),
            _number(each.version),
            each.published_at[:19].replace("T", " "),
            each.owner,
            each.about,
        ]
        for each in tables
    ]
    header = ("table", "kind", "rows", "version", "published (UTC)", "owner", "about")
    return write_block(write_grid(header, rows, numbers=(2, 3)))


@write_html.register
def write_table(table: TableInfo) -> str:
    """Return a table as HTML: what is known of it, and its columns."""
    known = [table.kind]
    if table.version is not None:
        known.append(f"version {table.version}, {_number(table.rows)} rows")
        known.append(f"published {table.published_at[:19].replace('T', ' ')} UTC by {table.run_id}")
    title = join_markup([_bold(table.name), write_text(", ".join(known), "soft")])
    columns = [[column.name, column.type] for column in table.columns or ()]
    grid = write_grid(("column", "type"), columns) if columns else ""
    owner = f"owner: {table.owner}" if table.owner else ""
    return write_block(title, table.about, owner, grid)


@write_html.register
def write_runs(runs: Runs) -> str:
    """Return a list of runs as HTML."""
    rows = [
        [
            each.run_id,
            write_text(each.status, _RUNS.get(each.status, "soft")),
            each.started_at[:19].replace("T", " "),
            "" if each.seconds is None else f"{each.seconds:.1f}",
            _number(each.snapshot),
            ", ".join(f"{count:,} {status}" for status, count in each.steps.items()),
            each.error,
        ]
        for each in runs
    ]
    header = ("run", "status", "started (UTC)", "seconds", "snapshot", "steps", "error")
    return write_block(write_grid(header, rows, numbers=(3, 4)))


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
