"""Repeats attempts that may go better the next time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from segue.errors import StepCrashedError, StepError, StepTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

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
