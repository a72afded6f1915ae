"""``segue query``: a SELECT over the project's tables."""

from __future__ import annotations

import sys

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command
from segue.cli.rows import answer_rows, row_options
from segue.errors import SqlError, UsageError


@click.command(
    "query",
    cls=Command,
    examples=[
        ('segue query "select store, count(*) from orders group by all"', "an answer at once"),
        ("segue query - --csv < report.sql > report.csv", "a SELECT from a file, as CSV"),
    ],
)
@click.argument("sql")
@row_options
@common_options
def query_tables(
    call: Call, *, sql: str, limit: int | None, everything: bool, as_csv: bool
) -> None:
    """Run a SELECT over published tables and sources.

    SQL is one SELECT, or - to read it from standard input. With --json each line is one row;
    decimals and times are texts in it.
    """
    text = sys.stdin.read() if sql == "-" else sql
    with call.open_project() as project:
        try:
            answer_rows(
                call,
                lambda most: project.stream(sql=text, limit=most),
                limit=limit,
                everything=everything,
                as_csv=as_csv,
            )
        except SqlError as error:
            # Here the SELECT is an argument, and no step of a run.
            raise UsageError(error.message, hint=error.hint, location=error.location) from error
