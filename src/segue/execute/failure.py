"""An error as it is kept: in the ledger, in the record, and for whoever looks later."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from segue.errors import SourceError, SqlError, StepError
from segue.spec.run import StepFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from segue.errors import SegueError
    from segue.spec.sensitive import Sensitive


def hide_secrets(error: SegueError, redact: Callable[[str], str]) -> None:
    """Take the values of secrets out of an error that a user is to see."""
    for name in ("message", "hint", "group", "trace", "sample"):
        if text := getattr(error, name, ""):
            setattr(error, name, redact(text))
    error.args = (error.message,)


def hide_values(
    error: SqlError, sensitive: Mapping[str, Sensitive], tables: Iterable[str]
) -> SqlError:
    """Return what an engine says of a query that fails while it runs, without values.

    Args:
        error: The error; its message may quote a value.
        sensitive: Columns whose values must not be shown, by table.
        tables: Names of all that the query reads, and of what it makes.
    """
    if not _is_private(sensitive, tables):
        return error
    return SqlError(
        "the query fails on a value that is not shown (sensitive columns)",
        step=error.step,
        location=error.location,
        engine=error.engine,
        hint="`segue query` tells what it is, and writes nothing down",
    )


def hide_line(error: SegueError, sensitive: Mapping[str, Sensitive], tables: Iterable[str]) -> None:
    """Take what a line of a file holds out of an error that quotes it.

    Args:
        error: Any error.
        sensitive: Columns whose values must not be shown, by table.
        tables: Names of the tables that it may quote.
    """
    quotes = isinstance(error, SourceError) and error.location and error.location.line
    if quotes and _is_private(sensitive, tables):
        error.message = "the line can't be read, and is not shown (sensitive columns)"
        error.args = (error.message,)


@contextmanager
def hiding_lines(sensitive: Mapping[str, Sensitive]) -> Iterator[None]:
    """Hide what lines hold in errors that come from within, as `hide_line` does."""
    try:
        yield
    except SourceError as error:
        hide_line(error, sensitive, sensitive)
        raise


def _is_private(sensitive: Mapping[str, Sensitive], tables: Iterable[str]) -> bool:
    """Return whether any of these tables has values that must not be shown."""
    return any(sensitive.get(name) for name in tables)


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
