"""Errors as people read them: place, message, hint, and for a step what it was given."""

from __future__ import annotations

from itertools import groupby
from textwrap import dedent
from typing import TYPE_CHECKING

from rich.text import Text

from segue.cli.look import BAD, QUIET, Block, line
from segue.cli.wording import count
from segue.errors import Problem, ProjectError, SegueError, StepError
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.spec.run import StepFailure


def render_error(error: SegueError) -> Iterator[Block | Text]:
    """Go through the lines of an error."""
    if isinstance(error, ProjectError):
        yield from _render_problems(error.problems)
        return
    where = str(error.location) if error.location else ""
    yield from _render_message("Error", error.message, where)
    if isinstance(error, StepError):
        yield from _render_circumstances(error)
    yield from render_hint(error.hint)


def render_failure(step: str, failure: StepFailure) -> Iterator[Block | Text]:
    """Go through the lines of a step's failure."""
    yield line(("✗ ", BAD), (printable(step), f"bold {BAD}"), (f"  {failure.where}", "bold"))
    yield Block(failure.message)
    yield from _render_circumstances(failure)
    yield from render_hint(failure.hint)


def _render_problems(problems: tuple[Problem, ...]) -> Iterator[Block | Text]:
    """Group problems by file, so that each file is named and opened once."""
    noun = count(len(problems), "problem")
    yield line(("Error: ", f"bold {BAD}"), (f"{noun} in the project's files", "bold"))
    files = groupby(problems, key=lambda problem: problem.location and problem.location.path)
    for path, group in files:
        yield Text("")
        if path:
            yield Text(printable(path), style="bold")
        for problem in group:
            where = f"{problem.location}: " if problem.location else ""
            yield Block(line((where, QUIET), printable(problem.message, lines=True)))
            yield from render_hint(problem.hint, indent=4)


def _render_message(title: str, message: str, where: str) -> Iterator[Block | Text]:
    text = line((f"{title}: ", f"bold {BAD}"))
    if where:
        text.append(f"{printable(where)}: ", style="bold")
    text.append(printable(message, lines=True))
    yield Block(text, indent=0)


def _render_circumstances(told: StepError | StepFailure) -> Iterator[Block | Text]:
    if told.engine:
        yield line(("  engine: ", QUIET), printable(told.engine))
    if told.group:
        yield line(("  group: ", QUIET), printable(told.group))
    if told.trace:
        yield Text("  your code:", style=QUIET)
        yield Block(dedent(told.trace), indent=4)
    if told.sample:
        yield Text("  rows it was given:", style=QUIET)
        yield Block(dedent(told.sample), indent=4)


def render_hint(hint: str, indent: int = 2) -> Iterator[Block | Text]:
    """Go through the lines of a hint, if there is one."""
    if hint:
        yield Block(line(("hint: ", "cyan"), printable(hint, lines=True)), indent)
