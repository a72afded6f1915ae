"""What a run came to, told to somebody who was not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from segue.cli.documents import new_rows
from segue.cli.look import (
    BAD,
    GOOD,
    QUIET,
    Block,
    cell,
    facts,
    line,
    make_table,
    next_moves,
    status,
)
from segue.cli.render_alerts import render_alerts
from segue.cli.render_checks import render_measurements, render_samples
from segue.cli.render_error import render_error, render_failure, render_hint
from segue.cli.render_plan import MOST_QUIET, render_groups
from segue.cli.wording import count, duration, listing
from segue.declare.problems import REJECTS
from segue.errors import SegueError
from segue.plan.removals import tell_removal
from segue.spec.contract import Verdict
from segue.spec.run import RunStatus, StepStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from segue.spec.contract import Report
    from segue.spec.run import RunResult, StepOutcome
    from segue.spec.step import ProjectSpec


_MEASURED = (StepStatus.JUDGED, StepStatus.SKIPPED)


def render_result(
    result: RunResult, project: ProjectSpec, published: Sequence[str]
) -> Iterator[RenderableType]:
    """Go through the parts of a run's summary.

    Args:
        result: What the run came to.
        project: The project, to tell steps from sources.
        published: Tables of which the run published a version.
    """
    if not result.run_id:
        yield from _render_idle(result.outcomes, project)
        return
    steps = [outcome for outcome in result.outcomes if outcome.step in project.steps]
    yield Text("")
    yield _render_steps(steps)
    yield Text("")
    if result.status is RunStatus.DONE:
        yield from _render_success(result, project, published)
    else:
        yield from _render_failures(result)


def _render_idle(outcomes: Sequence[StepOutcome], project: ProjectSpec) -> Iterator[RenderableType]:
    if not outcomes:
        places = project.fleets.places
        if places and all(step.on in places for step in project.steps.values()):
            yield Text("Nothing to do here: all steps run at nodes.")
            yield next_moves(("segue deploy", "bring to the nodes what they run"))
        else:
            yield Text("Nothing to do: no step was selected.")
        return
    are = "is" if len(outcomes) == 1 else "are"
    yield line(f"Nothing to do: {count(len(outcomes), 'step')} {are} up to date.")
    rows = [(each.step, str(each.status), "; ".join(each.reasons)) for each in outcomes]
    if len(rows) > MOST_QUIET:
        yield from render_groups(rows)
    else:
        yield facts((f"  {name}", reason) for name, _, reason in rows)
    yield next_moves(("segue run --force", "run them nevertheless"))


def _render_steps(steps: Sequence[StepOutcome]) -> RenderableType:
    idle = [each for each in steps if each.status is StepStatus.SKIPPED]
    hide = len(steps) > MOST_QUIET and len(idle) > 1
    rows = []
    for each in steps:
        if hide and each.status is StepStatus.SKIPPED:
            continue
        cells = [
            cell(each.step),
            status(str(each.status)),
            cell(f"{sum(each.input_rows.values()):,}" if each.input_rows else ""),
            cell(f"{each.staged.rows:,}" if each.staged else ""),
            cell(f"{new_rows(each.rejects):,}" if each.rejects else ""),
            cell(duration(each.seconds) if each.attempts or each.seconds else ""),
            cell("; ".join(each.reasons), QUIET),
        ]
        rows.append(cells)
    if hide:
        rows.append([cell(f"{len(idle):,} others", QUIET), status("up to date")])
    numbers = ["rows in", "rows out", "set aside", "time"]
    columns = ["step", "status", *numbers, "why"]
    return make_table(columns, rows, numbers=numbers, wrap=["why"])


def _render_success(
    result: RunResult, project: ProjectSpec, published: Sequence[str]
) -> Iterator[RenderableType]:
    yield line(
        ("Done", f"bold {GOOD}"),
        f" in {duration(result.seconds)}: run {result.run_id}",
        _tell_published(result, published),
    )
    for table in result.removed:
        owner = table.removesuffix(REJECTS)
        yield Block(tell_removal(owner), indent=0)
    yield from _render_warnings(result.outcomes)
    yield from _render_account(result.outcomes)
    yield from render_alerts(result.alerts)
    yield line(("Record: ", QUIET), result.record)
    readable = [table for table in published if table in project.steps]
    yield next_moves(
        *[(f"segue read {table}", "look at the rows") for table in readable[-1:]],
        ("segue show last", "all that is known of this run"),
        ("segue plan", "what the next run would do, and why"),
    )


def _tell_published(result: RunResult, published: Sequence[str]) -> str:
    if published:
        return f" published {count(len(published), 'table')} as snapshot {result.snapshot}."
    staged = [each for each in result.outcomes if each.staged]
    if not staged and any(each.status is StepStatus.DONE for each in result.outcomes):
        return " called functions that make no table, so it published nothing."
    if all(each.status in _MEASURED for each in staged):
        return " judged what is published, so it published nothing."
    again = f"; readers see snapshot {result.snapshot}" if result.snapshot else ""
    return f" found the same rows as before, so it published nothing{again}."


def _render_warnings(outcomes: Sequence[StepOutcome]) -> Iterator[RenderableType]:
    warnings = [
        each
        for outcome in outcomes
        if outcome.report
        for each in outcome.report.measurements
        if each.verdict is Verdict.WARN
    ]
    if warnings:
        yield render_measurements(warnings)
        yield Text("")


def _render_account(outcomes: Sequence[StepOutcome]) -> Iterator[RenderableType]:
    """Say where rows that a step made and did not publish have gone."""
    for each in outcomes:
        if each.rejects is None or each.staged is None:
            continue
        aside, kept = new_rows(each.rejects), new_rows(each.staged)
        checks = each.report.measurements if each.report else ()
        broken = [each.check for each in checks if each.rejected]
        why = f" ({listing(broken)})" if broken else ""
        yield Block(
            f"Every row of {each.step} is accounted for: {count(kept + aside, 'row')} made ="
            f" {kept:,} published + {aside:,} set aside in {each.rejects.table}{why}.",
            indent=0,
        )


def _render_failures(result: RunResult) -> Iterator[RenderableType]:
    told = False
    for each in result.outcomes:
        if each.status is StepStatus.REJECTED and each.report:
            yield from _render_rejection(each, each.report)
        elif each.failure:
            yield from render_failure(each.step, each.failure)
        else:
            continue
        yield Text("")
        told = True
    if not told and isinstance(result.error, SegueError):
        yield from render_error(result.error)
        yield Text("")
    spared = [each.step for each in result.outcomes if each.staged and each.succeeded]
    blocked = [each.step for each in result.outcomes if each.status is StepStatus.BLOCKED]
    yield line(
        ("Failed", f"bold {BAD}"),
        f" after {duration(result.seconds)}: run {result.run_id} published nothing;"
        " readers see the tables as they were.",
    )
    if blocked:
        yield Block(f"Not run, as they wait for what failed: {listing(blocked)}.", indent=0)
    if spared:
        yield Block(
            f"Computed and not lost: {listing(spared)}; the next run takes what still holds.",
            indent=0,
        )
    yield from render_alerts(result.alerts)
    yield line(("Record: ", QUIET), result.record)
    yield next_moves(("segue run", "when it is mended: only what is needed runs again"))


def _render_rejection(outcome: StepOutcome, report: Report) -> Iterator[RenderableType]:
    bad = [each for each in report.measurements if each.verdict is not Verdict.PASS]
    yield line(
        ("✗ ", BAD),
        (outcome.step, f"bold {BAD}"),
        f"  breaks its contract: {len(bad)} of {count(len(report.measurements), 'check')}",
        f" on {count(report.rows, 'row')}",
    )
    yield render_measurements(bad)
    yield from render_samples([report])
    if outcome.failure:
        yield Text("")
        yield from render_hint(outcome.failure.hint)
