"""How `read` and `query` answer: the options for it, and the answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call
from segue.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    import pyarrow as pa

SHOWN = 20
"""Rows that a table for people has unless more are asked for."""


def row_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--limit``, ``--all`` and ``--csv``."""
    for option in (
        click.option("--csv", "as_csv", is_flag=True, help="Answer in CSV, all rows."),
        click.option("--all", "everything", is_flag=True, help="Show all rows."),
        click.option(
            "--limit",
            type=click.IntRange(min=0),
            help=f"Most rows to show; {SHOWN} if not stated, all with --csv or --json.",
        ),
    ):
        function = option(function)
    return function


def choose_limit(call: Call, limit: int | None, *, everything: bool, as_csv: bool) -> int | None:
    """Return how many rows to show; None for all.

    Raises:
        UsageError: The options contradict each other.
    """
    if as_csv and call.as_json:
        raise UsageError("--csv and --json exclude each other", hint="leave one of them out")
    if limit is not None and everything:
        raise UsageError("--limit and --all exclude each other", hint="leave one of them out")
    if limit is not None or everything or as_csv or call.as_json:
        return limit
    return SHOWN


def answer_rows(
    call: Call,
    open_rows: Callable[[int | None], AbstractContextManager[pa.RecordBatchReader]],
    *,
    limit: int | None,
    everything: bool,
    as_csv: bool,
) -> None:
    """Write rows in the form that was asked for; those for programs need not fit in memory.

    Args:
        call: The call.
        open_rows: Opens at most so many rows, None for all.
        limit: As the user stated it.
        everything: Whether ``--all`` was given.
        as_csv: Whether ``--csv`` was given.
    """
    most = choose_limit(call, limit, everything=everything, as_csv=as_csv)
    if as_csv or call.as_json:
        from segue.cli.write_rows import write_csv, write_json_lines

        with open_rows(most) as batches:
            (write_csv if as_csv else write_json_lines)(batches, sys.stdout)
        return
    from segue.cli.look import QUIET, line, say
    from segue.cli.render_rows import render_rows
    from segue.cli.wording import count

    # One more than is shown tells whether there are more.
    with open_rows(None if most is None else most + 1) as batches:
        data = batches.read_all()
    shown = data if most is None else data.slice(0, most)
    out = call.out
    say(out, *render_rows(shown, out.width))
    if shown.num_rows < data.num_rows:
        closing = f"the first {count(shown.num_rows, 'row')}; --limit N or --all shows more"
    else:
        closing = count(shown.num_rows, "row")
    say(out, line((closing, QUIET)))
