"""Repeats attempts that may go better the next time."""

from __future__ import annotations

import glob
import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from segue.errors import StepCrashedError, StepError, StepTimeoutError
from segue.execute.attempt import run_step

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from segue.execute.attempt import StepEngines, StepResult, StepTask
    from segue.protocols import Lake, Tell
    from segue.spec.step import Limits

Result = TypeVar("Result")

LONGEST_WAIT = 300.0
"""Seconds; the doubling of waits ends here."""


def run_with_retries(
    attempt: Callable[[int], Result],
    limits: Limits,
    draw: Callable[[], float],
    sleep: Callable[[float], None],
    on_retry: Callable[[int, float, StepError], None] | None = None,
) -> Result:
    """Make an attempt, and more of them as the step's limits allow.

    Repeated are failures that may be chance: an exception of the user's own function, a
    timeout, a crash. SQL that failed, a result of the wrong shape and too much memory would
    be the same again, so they fail at once. Waits double and are drawn from the whole range
    between 0 and their length, so that steps which failed together don't return together.

    Args:
        attempt: Makes one attempt, given its number from 0, and leaves nothing behind when
            it fails.
        limits: How many retries, and the first wait.
        draw: Returns a random number between 0 and 1.
        sleep: Waits for seconds.
        on_retry: Hears of each failure that is repeated: number of the next attempt, wait,
            error.

    Raises:
        StepError: The last attempt's.
    """
    for number in range(limits.retries):
        try:
            return attempt(number)
        except StepError as error:
            if not may_repeat(error):
                raise
            wait = draw() * min(limits.backoff * 2**number, LONGEST_WAIT)
            if on_retry is not None:
                on_retry(number + 1, wait, error)
        sleep(wait)
    return attempt(limits.retries)


def may_repeat(error: StepError) -> bool:
    """Return whether the same attempt can go better the next time.

    Example:
        >>> from segue.errors import SqlError
        >>> may_repeat(StepError("the service is busy")), may_repeat(SqlError("no such column"))
        (True, False)
    """
    return type(error) is StepError or isinstance(error, StepTimeoutError | StepCrashedError)


def attempt_step(
    task: StepTask,
    engines: StepEngines,
    lake: Lake,
    progress: Tell | None = None,
    *,
    stop: Event | None = None,
    draw: Callable[[], float] = random.random,
    sleep: Callable[[float], None] = time.sleep,
    on_retry: Callable[[int, float, StepError], None] | None = None,
) -> StepResult:
    """Run a step as often as its limits allow, in a process of its own if it has limits.

    Each attempt has names for its files of its own, and those of a failed one are removed.

    Args:
        task: What to do.
        engines: The engines that it works with.
        lake: Where the table is stored.
        progress: Hears how far it has come.
        stop: Set by another thread to end a step that has a process of its own.
        draw: Returns a random number between 0 and 1.
        sleep: Waits for seconds.
        on_retry: Hears of failures that are repeated.

    Raises:
        StepError: The last attempt failed.
    """

    def attempt(number: int) -> StepResult:
        mine = replace(task, stem=f"{task.stem}-{number}")
        try:
            if engines.own is not None:
                from segue.execute.remote import run_remote

                result = run_remote(mine, engines, lake)
            elif task.step.limits.isolated:
                from segue.execute.isolate import run_isolated

                result = run_isolated(mine, lake, progress, stop)
            else:
                assert engines.local is not None  # noqa: S101  # it has no process of its own
                result = run_step(mine, engines.local, lake, progress)
        except BaseException:  # an interrupted attempt leaves files, too
            clear_files(mine)
            raise
        return replace(result, attempts=number + 1)

    return run_with_retries(attempt, task.step.limits, draw, sleep, on_retry)


def clear_files(task: StepTask) -> None:
    """Remove the files that a failed attempt left in the table's folder."""
    for path in task.folder.glob(f"{glob.escape(task.stem)}-*.parquet*"):
        path.unlink(missing_ok=True)
