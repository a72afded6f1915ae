"""What is shown while a run goes on: live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.text import Text

from segue.cli.look import BAD, GOOD, QUIET, line, status
from segue.cli.wording import count, duration, printable
from segue.spec.contract import Verdict
from segue.spec.run import StepOutcome, StepStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Task, TaskID

    from segue.spec.run import Progress as News

BAR_WIDTH = 16
SLOW = 0.5
"""Seconds after which an unfinished step's rate means something."""


def make_reporter(console: Console, steps: Collection[str]) -> Reporter:
    """Return what listens to a run and shows it.

    Args:
        console: Where to show it.
        steps: Names of the steps that are to run; finished ones are counted against them.
    """
    return LiveReporter(console, steps) if console.is_terminal else Reporter(console, steps)


class Reporter(AbstractContextManager["Reporter"]):
    """Writes one plain line per finished step; called from several threads."""

    def __init__(self, console: Console, steps: Collection[str]) -> None:
        """Start with nothing done."""
        self.console = console
        self.steps = frozenset(steps)

    def __call__(self, news: News) -> None:
        """Hear of progress."""
        if news.stage == "settled":
            outcome: StepOutcome = news.details["outcome"]
            if self.is_told(outcome):
                self.console.print(settled_line(outcome), soft_wrap=True)
        elif news.stage == "publishing":
            self.console.print(line(publishing(news)), soft_wrap=True)

    def is_told(self, outcome: StepOutcome) -> bool:
        """Return whether an outcome is worth a line: a source's only if it went wrong."""
        return outcome.step in self.steps or not outcome.succeeded

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; nothing is left to do."""


class LiveReporter(Reporter):
    """Shows running steps with rows, rate and time left, and finished ones above them."""

    def __init__(self, console: Console, steps: Collection[str]) -> None:
        """Prepare the live lines."""
        super().__init__(console, steps)
        self.live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            RowsColumn(),
            KnownBarColumn(),
            RateColumn(),
            console=console,
            transient=True,
        )
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Begin to show."""
        self.live.start()
        return self

    def __call__(self, news: News) -> None:
        """Hear of progress."""
        if news.stage == "started":
            self.tasks[news.step] = self.live.add_task(printable(news.step), total=None)
        elif news.stage == "rows" and news.step in self.tasks:
            self.live.update(self.tasks[news.step], completed=news.rows, total=news.total)
        elif news.stage == "publishing":
            self.live.add_task(publishing(news), total=None)
        elif news.stage == "settled":
            self.live.remove_task(self.tasks.pop(news.step))
            super().__call__(news)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the live lines away."""
        self.live.stop()


class RowsColumn(ProgressColumn):
    """Rows so far."""

    def render(self, task: Task) -> Text:
        """Return the cell."""
        return Text(count(int(task.completed), "row") if task.completed else "")


class KnownBarColumn(BarColumn):
    """A bar, where the number of rows is known beforehand."""

    def __init__(self) -> None:
        super().__init__(bar_width=BAR_WIDTH)

    def render(self, task: Task) -> Text:  # type: ignore[override]  # a blank is a renderable too
        """Return the cell."""
        return super().render(task) if task.total else Text("")  # type: ignore[return-value]


class RateColumn(ProgressColumn):
    """Rows a second and time left, or time so far."""

    def render(self, task: Task) -> Text:
        """Return the cell."""
        elapsed = task.elapsed or 0.0
        if not task.completed or elapsed < SLOW:
            return Text(duration(elapsed) if elapsed >= 1 else "", style=QUIET)
        rate = task.completed / elapsed
        if task.total and task.total > task.completed:
            left = duration((task.total - task.completed) / rate)
            return Text(f"{rate:,.0f} rows/s, about {left} left", style=QUIET)
        return Text(f"{rate:,.0f} rows/s, {duration(elapsed)}", style=QUIET)


def publishing(news: News) -> str:
    """Return the sentence that announces publication."""
    return f"publishing {count(news.rows, 'table')}"


def settled_line(outcome: StepOutcome) -> Text:
    """Return one line for a finished step: rows, rejects, checks, seconds."""
    mark, style = ("✓", GOOD) if outcome.succeeded else ("✗", BAD)
    parts = []
    if outcome.staged:
        parts.append(count(outcome.staged.rows, "row"))
    if outcome.rejects:
        parts.append(f"{sum(file.rows for file in outcome.rejects.adds):,} set aside")
    if outcome.report and outcome.report.measurements:
        parts.append(_checks(outcome))
    if outcome.failure and outcome.status is StepStatus.FAILED:
        parts.append(outcome.failure.message.partition("\n")[0])
    if outcome.attempts > 1:
        parts.append(f"{outcome.attempts} attempts")
    parts.append(duration(outcome.seconds))
    text = line((f"{mark} ", style), (printable(outcome.step), "bold"), " ")
    if outcome.status is not StepStatus.DONE:
        text.append_text(status(str(outcome.status))).append(" ")
    return text.append(printable("  ".join(["", *parts]).strip()))


def _checks(outcome: StepOutcome) -> str:
    checks = outcome.report.measurements if outcome.report else ()
    failing = sum(each.verdict is not Verdict.PASS and not each.rejected for each in checks)
    if failing:
        return f"{failing} of {count(len(checks), 'check')} did not pass"
    return (
        count(len(checks), "check") if outcome.rejects else f"{count(len(checks), 'check')} passed"
    )
