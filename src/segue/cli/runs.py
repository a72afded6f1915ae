"""``segue runs``: the list of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from segue.spec.run import RunSummary

LONGEST_ERROR = 100


@click.command(
    "runs",
    cls=Command,
    examples=[
        ("segue runs", "the last 20 runs"),
        ("segue runs --limit 100 --json", "the last 100, for programs"),
    ],
)
@click.option("--limit", type=click.IntRange(min=1), default=20, help="Most runs to list.")
@common_options
def list_runs(call: Call, *, limit: int) -> None:
    """List runs, the newest first."""
    with call.open_project() as project:
        runs = project.runs(limit)
    if call.as_json:
        from segue.cli.documents import describe_run

        call.print_json({"runs": [describe_run(run) for run in runs]})
        return
    _print_runs(call, runs)


def _print_runs(call: Call, runs: Sequence[RunSummary]) -> None:
    from segue.cli.look import cell, line, make_table, next_moves, say, status
    from segue.cli.wording import age, duration

    if not runs:
        say(call.out, line("No run yet."), next_moves(("segue run", "start the first one")))
        return
    rows = [
        [
            cell(run.run_id),
            cell(age(run.started_at)),
            status(str(run.status)),
            cell("" if run.seconds is None else duration(run.seconds)),
            cell(run.snapshot),
            _asked(run),
        ]
        for run in runs
    ]
    columns = ["run", "started", "status", "took", "snapshot", "command"]
    table = make_table(columns, rows, numbers=["took", "snapshot"], wrap=["command"])
    say(call.out, table)


def _asked(run: RunSummary) -> Text:
    """Return what was asked, and below it why it failed."""
    from segue.cli.look import BAD, cell

    text = cell(run.command)
    if run.error:
        error = cell(run.error.partition("\n")[0].rstrip(":"), BAD)
        error.truncate(LONGEST_ERROR, overflow="ellipsis")
        text.append("\n").append_text(error)
    return text
