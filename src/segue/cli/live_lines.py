"""The live lines of a run: a spinner, rows, a bar and the time of each running step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.table import Column
from rich.text import Text

from segue.cli.look import QUIET
from segue.cli.wording import count, duration

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Task

BAR_WIDTH = 16
MINUTE = 60
SLOW = 0.5
"""Seconds after which an unfinished step's rate means something."""


def make_lines(console: Console) -> Progress:
    """Return live lines that are painted when they are told to."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
        RowsColumn(),
        KnownBarColumn(),
        TimeColumn(),
        console=console,
        transient=True,
        auto_refresh=False,
    )


class RowsColumn(ProgressColumn):
    """Rows so far."""

    def render(self, task: Task) -> Text:
        """Return the cell."""
        rows = task.fields.get("rows", 0)
        return Text(count(rows, "row") if rows else "")


class KnownBarColumn(BarColumn):
    """A bar, where it is known how much there is to do."""

    def __init__(self) -> None:
        super().__init__(bar_width=BAR_WIDTH)

    def render(self, task: Task) -> Text:  # type: ignore[override]  # a blank is a renderable too
        """Return the cell."""
        return super().render(task) if task.total else Text("")  # type: ignore[return-value]


class TimeColumn(ProgressColumn):
    """Share, rows a second and time left, or time so far."""

    def render(self, task: Task) -> Text:
        """Return the cell."""
        elapsed, rows = task.elapsed or 0.0, task.fields.get("rows", 0)
        share = task.completed if task.total else 0.0
        parts = [f"{min(share, 0.99):.0%}"] if share else []
        if rows and elapsed >= SLOW:
            parts.append(f"{rows / elapsed:,.0f} rows/s")
        if share and elapsed >= SLOW:
            parts.append(f"about {_rounded(elapsed * (1 - share) / share)} left")
        elif elapsed >= 1:
            parts.append(duration(elapsed))
        return Text(", ".join(parts), style=QUIET, no_wrap=True)


def _rounded(seconds: float) -> str:
    """Return a guess of a time span, no more exact than a guess can be."""
    return f"{max(seconds, 1):.0f} s" if seconds < MINUTE else duration(seconds)
