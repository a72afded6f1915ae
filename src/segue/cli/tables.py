"""``segue tables``: the list of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.project import TableInfo


@click.command(
    "tables",
    cls=Command,
    examples=[
        ("segue tables", "sources, tables and rejects, with rows and age"),
        ("segue tables --json", "the same with columns, for programs"),
    ],
)
@common_options
def list_tables(call: Call) -> None:
    """List the project's tables."""
    with call.open_project() as project:
        tables = project.tables()
    if call.as_json:
        from segue.cli.documents import describe_table

        call.print_json({"tables": [describe_table(table) for table in tables]})
        return
    _print_tables(call, tables)


def _print_tables(call: Call, tables: Sequence[TableInfo]) -> None:
    from segue.cli.look import QUIET, cell, line, make_table, next_moves, say
    from segue.cli.wording import age, size

    if not tables:
        say(call.out, line("The project has no tables yet: add sources in segue.toml, and steps."))
        return
    rows = [
        [
            cell(info.name, "bold"),
            cell(info.kind, QUIET),
            cell("" if info.rows is None else f"{info.rows:,}"),
            cell("" if info.bytes is None else size(info.bytes)),
            cell(info.version),
            cell(age(info.published_at) if info.published_at else _absence(info)),
            cell(info.owner),
            cell(info.about.partition("\n")[0], QUIET),
        ]
        for info in tables
    ]
    columns = ["table", "kind", "rows", "size", "version", "published", "owner", "about"]
    table = make_table(
        columns,
        rows,
        numbers=["rows", "size", "version"],
        cut=["about"],
        spare=["version", "owner"],
    )
    say(call.out, table)
    if all(info.version is None for info in tables):
        say(call.out, line(""), next_moves(("segue run", "make the tables")))


def _absence(info: TableInfo) -> str:
    return "never" if info.kind == "table" else ""
