"""``segue suggest``: a contract from what is in a table or in any data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.complete import complete_table
from segue.cli.dispatch import find_project, is_any_data, read_connections
from segue.cli.group import Command
from segue.cli.reading import show_reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@click.command(
    "suggest",
    cls=Command,
    examples=[
        ("segue suggest orders", "a contract for a table or source of the project"),
        ("segue suggest orders --write", "the same, added to contracts.yml"),
        ("segue suggest orders.csv > contracts.yml", "for a file, a folder or a pattern"),
        ("segue suggest sqlite:///shop.db orders", "for a table of a database"),
    ],
)
@click.argument("data", nargs=-1, required=True, metavar="DATA...", shell_complete=complete_table)
@click.option("--write", is_flag=True, help="Add it to the file of contracts; else it is shown.")
@click.option(
    "--contract",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to add it to; the project's contracts.yml, or the one here, if not stated.",
)
@click.option(
    "--sensitive",
    metavar="COLUMN",
    multiple=True,
    help="Keep the values of this column out of the suggestion.",
)
@common_options
def show_suggestion(
    call: Call,
    *,
    data: tuple[str, ...],
    write: bool,
    contract: Path | None,
    sensitive: tuple[str, ...],
) -> None:
    """Suggest a contract from what is in any data.

    DATA is named as for `segue check`. Each line tells what it rests on, and every check was
    measured and passed. A file of contracts keeps all that stands in it.
    """
    root = find_project(call.start)
    with show_reading(call, data):
        found = list(_suggest(call, root, data, sensitive))
    path = None
    if write or contract is not None:
        from segue.declare.merging import add_contracts, find_file

        path = contract or find_file(root or Path())
        add_contracts(path, found)
    if call.as_json:
        told = [{"table": table, "contract": text} for table, text in found]
        call.print_json({"written": str(path) if path else None, "tables": told})
    elif path is not None:
        _tell_written(call, path, [table for table, _ in found])
    else:
        click.echo("\n".join(text for _, text in found), nl=False)


def _suggest(
    call: Call, root: Path | None, data: Sequence[str], sensitive: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Go through the names of tables and their contracts."""
    connections = read_connections(root)
    if root is not None and not is_any_data(data, connections):
        with call.open_project() as project:
            for name in data:
                yield name, project.suggest(name, sensitive=sensitive)
        return
    from segue.anywhere.profile_data import suggest_target
    from segue.anywhere.targets import read_targets

    for target in read_targets(data, connections):
        yield target.name, suggest_target(target, sensitive)


def _tell_written(call: Call, path: Path, tables: Sequence[str]) -> None:
    from segue.cli.look import line, next_moves, say
    from segue.cli.wording import listing

    say(
        call.out,
        line(f"Added to {path}: {listing(list(tables))}"),
        line(""),
        next_moves(("segue check", "measure it"), (f"$EDITOR {path}", "read it and change it")),
    )
