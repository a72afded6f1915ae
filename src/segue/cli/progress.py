"""What is shown while a run goes on: live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING

from segue.cli.look import BAD, GOOD, line, say, status
from segue.cli.wording import count, duration
from segue.spec.contract import Verdict
from segue.spec.printable import printable
from segue.spec.run import StepOutcome, StepStatus

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.text import Text

    from segue.spec.run import Progress as News

PAUSE = 0.1
"""Seconds between two looks of the live lines."""


def make_reporter(console: Console, steps: Collection[str]) -> Reporter:
    """Return what listens to a run and shows it.

    Args:
        console: Where to show it.
        steps: Names of the steps that are to run; finished ones are counted against them.
    """
    return LiveReporter(console, steps) if console.is_terminal else Reporter(console, steps)


class Reporter(AbstractContextManager["Reporter"]):
    """Writes one plain line per finished step; called from several threads.

    Lines are written together, a few times a second: to write one costs as much as a small step.
    """

    def __init__(self, console: Console, steps: Collection[str]) -> None:
        """Start with nothing done."""
        self.console = console
        self.steps = frozenset(steps)
        self.lock = threading.Lock()
        self.ended = threading.Event()
        # the only thread that writes: Rich writes lines and live lines apart, two would tear them
        self.painter: threading.Thread | None = None
        self.lines: list[Text] = []

    def __call__(self, news: News) -> None:
        """Hear of progress."""
        with self.lock:
            if self.painter is None:
                self._begin()
            self._hear(news)

    def _begin(self) -> None:
        self.painter = threading.Thread(target=self._paint, daemon=True)
        self.painter.start()

    def _paint(self) -> None:
        while not self.ended.wait(PAUSE):
            self._show()

    def _hear(self, news: News) -> None:
        if news.stage == "settled":
            outcome: StepOutcome = news.details["outcome"]
            if self.is_told(outcome):
                self.lines.append(settled_line(outcome))
        elif news.stage == "publishing":
            self.lines.append(line(publishing(news)))

    def _show(self) -> None:
        """Write the lines of what was heard, while more is heard."""
        with self.lock:
            lines, self.lines = self.lines, []
        if lines:
            say(self.console, *lines)

    def is_told(self, outcome: StepOutcome) -> bool:
        """Return whether an outcome is worth a line: a source's if it was judged or went wrong."""
        judged = outcome.report is not None and bool(outcome.report.measurements)
        return outcome.step in self.steps or judged or not outcome.succeeded

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is not written yet."""
        self.ended.set()
        if self.painter is not None:
            self.painter.join()
        self._show()


class LiveReporter(Reporter):
    """Shows running steps with rows, share and time left, and finished ones above them."""

    def __init__(self, console: Console, steps: Collection[str]) -> None:
        """Prepare the live lines."""
        super().__init__(console, steps)
        self.tasks: dict[str, TaskID] = {}
        self.waiting: set[str] = set()
        self.planned = 0
        self.whole: TaskID | None = None

    @cached_property
    def live(self) -> Progress:
        """The live lines; a run with nothing to do has none, and does without their imports."""
        from segue.cli.live_lines import make_lines

        return make_lines(self.console)

    def _begin(self) -> None:
        self.live.start()
        super()._begin()

    def _show(self) -> None:
        super()._show()
        if self.painter is not None:
            self.live.refresh()

    def _hear(self, news: News) -> None:
        if news.stage == "planned":
            self.waiting = {*news.details["steps"]}
            self.planned = len(self.waiting)
            self.whole = self.live.add_task(self._count(), total=None)
        elif news.stage == "started":
            self.tasks[news.step] = self.live.add_task(printable(news.step), total=None)
        elif news.stage == "rows" and news.step in self.tasks:
            self._move(self.tasks[news.step], news)
        elif news.stage == "judging" and news.step in self.tasks:
            self.live.remove_task(self.tasks[news.step])
            told = f"{printable(news.step)}: checking {count(news.rows, 'row')}"
            self.tasks[news.step] = self.live.add_task(told, total=None)
        elif news.stage == "publishing" and self.whole is not None:
            self.live.update(self.whole, description=publishing(news))
        elif news.stage == "settled":
            self.live.remove_task(self.tasks.pop(news.step))
            self.waiting.discard(news.step)
            if self.whole is not None:
                self.live.update(self.whole, description=self._count())
            super()._hear(news)

    def _count(self) -> str:
        done = self.planned - len(self.waiting)
        return f"{done:,} of {count(self.planned, 'step')} done"

    def _move(self, task: TaskID, news: News) -> None:
        """Show rows, and the share that is done: as the engine tells, or of the rows expected."""
        share = news.details.get("share")
        if share is None and news.total:
            share = news.rows / news.total
        if share is None or share > 1:
            self.live.update(task, rows=news.rows)
        else:
            self.live.update(task, rows=news.rows, total=1.0, completed=share)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the live lines away."""
        super().__exit__(kind, error, trace)
        if self.painter is not None:
            self.live.stop()


def publishing(news: News) -> str:
    """Return the sentence that announces publication."""
    return f"publishing {count(news.rows, 'table')}"


def settled_line(outcome: StepOutcome) -> Text:
    """Return one line for a finished step: rows, rejects, checks, seconds."""
    mark, style = ("✓", GOOD) if outcome.succeeded else ("✗", BAD)
    parts = []
    if outcome.staged:
        parts.append(count(outcome.staged.rows, "row"))
    elif outcome.report:
        parts.append(count(outcome.report.rows, "row"))
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
