"""``segue show``: a table or a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from segue.cli.call import Call, common_options
from segue.cli.complete import complete_table
from segue.cli.group import Command
from segue.errors import UnknownNameError
from segue.registry import nearest

if TYPE_CHECKING:
    from segue.project import Project, TableInfo


@click.command(
    "show",
    cls=Command,
    examples=[
        ("segue show daily", "columns, contract, versions and neighbours of a table"),
        ("segue show last", "the newest run: its steps, checks and failures"),
        ("segue show 20261120-0915", "the run whose id begins so"),
        ("segue show last --json", "the whole record of the run"),
    ],
)
@click.argument("name", metavar="TABLE|RUN", shell_complete=complete_table)
@common_options
def show_subject(call: Call, *, name: str) -> None:
    """Show all that is known of a table or of a run.

    A run is named by its id, by the beginning of it, or as last.
    """
    with call.open_project() as project:
        tables = project.tables()
        info = next((each for each in tables if each.name == name), None)
        if info is not None:
            _show_table(call, project, info)
            return
        try:
            record = project.record(name)
        except UnknownNameError as error:
            known = [*(each.name for each in tables), "last"]
            if name in known:
                raise
            raise UnknownNameError(
                f"there is neither a table nor a run called {name!r}",
                hint=f"{nearest(name, known)} (`segue runs` lists runs)",
            ) from error
    _show_run(call, record)


def _show_table(call: Call, project: Project, info: TableInfo) -> None:
    from segue.cli.subject import describe_subject, render_subject

    subject = describe_subject(project, info)
    if call.as_json:
        call.print_json(subject)
        return
    from segue.cli.look import say

    say(call.out, *render_subject(subject))


def _show_run(call: Call, record: dict[str, Any]) -> None:
    if call.as_json:
        call.print_json(record)
        return
    from segue.cli.look import say
    from segue.cli.render_record import render_record

    say(call.out, *render_record(record))
