"""An error as it is kept: in the ledger, in the record, and for whoever looks later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.errors import StepError
from segue.spec.run import StepFailure

if TYPE_CHECKING:
    from collections.abc import Callable

    from segue.errors import SegueError


def hide_secrets(error: SegueError, redact: Callable[[str], str]) -> None:
    """Take the values of secrets out of an error that a user is to see."""
    for name in ("message", "hint", "group", "trace", "sample"):
        if text := getattr(error, name, ""):
            setattr(error, name, redact(text))
    error.args = (error.message,)


def describe_failure(error: SegueError, redact: Callable[[str], str] = str) -> StepFailure:
    """Return the parts of an error as texts.

    Args:
        error: The error.
        redact: Takes the values of secrets out of a text.
    """
    of_step = error if isinstance(error, StepError) else None
    return StepFailure(
        code=error.code,
        message=redact(error.message),
        hint=redact(error.hint),
        where=str(error.location or ""),
        group=redact(of_step.group) if of_step else "",
        trace=redact(of_step.trace) if of_step else "",
        sample=redact(of_step.sample) if of_step else "",
        engine=of_step.engine if of_step else "",
    )
