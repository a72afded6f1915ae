"""``segue runs``: the list of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.run import RunSummary


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
            cell(", ".join(f"{number} {word}" for word, number in run.steps.items())),
            cell(run.snapshot),
            cell(run.command),
            cell(run.error.partition("\n")[0]),
        ]
        for run in runs
    ]
    columns = ["run", "started", "status", "took", "steps", "snapshot", "command", "error"]
    table = make_table(columns, rows, numbers=["took", "snapshot"], wrap=["error"])
    say(call.out, table)
