"""``segue read``: the rows of a table."""

from __future__ import annotations

import click

from segue.cli.call import Call, common_options
from segue.cli.complete import complete_table
from segue.cli.group import Command
from segue.cli.rows import answer_rows, row_options


@click.command(
    "read",
    cls=Command,
    examples=[
        ("segue read daily", "the first rows"),
        ("segue read daily --csv > daily.csv", "all rows, for another program"),
        ("segue read daily --json --limit 5", "five rows as JSON, one object per line"),
        ("segue read daily --snapshot 3", "as the table was in snapshot 3"),
    ],
)
@click.argument("table", shell_complete=complete_table)
@row_options
@click.option("--snapshot", type=int, metavar="N", help="Read the table as of this snapshot.")
@common_options
def read_table(
    call: Call,
    *,
    table: str,
    limit: int | None,
    everything: bool,
    as_csv: bool,
    snapshot: int | None,
) -> None:
    """Show the rows of a table.

    With --json each line is one row; decimals and times are texts in it.
    """
    with call.open_project() as project:
        answer_rows(
            call,
            lambda most: project.stream(table, snapshot=snapshot, limit=most),
            limit=limit,
            everything=everything,
            as_csv=as_csv,
        )
