"""``segue vacuum``: room for new files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command

if TYPE_CHECKING:
    from segue.publish.vacuum import Vacuumed


@click.command(
    "vacuum",
    cls=Command,
    examples=[
        ("segue vacuum --dry-run", "what would be removed, and how much room it takes"),
        ("segue vacuum --keep 20", "remove it; the last 20 snapshots stay readable"),
    ],
)
@click.option(
    "--keep",
    metavar="N",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How many snapshots stay readable.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@common_options
def remove_files(call: Call, *, keep: int, dry_run: bool) -> None:
    """Remove files that no kept snapshot needs.

    What a running step has written stays, too.
    """
    with call.open_project() as project:
        _tell(call, project.vacuum(keep, dry_run=dry_run))


def _tell(call: Call, vacuumed: Vacuumed) -> None:
    tables: dict[str, list[int]] = {}
    for file in vacuumed.files:
        tables.setdefault(file.table, []).append(file.bytes)
    if call.as_json:
        document = {
            "dry_run": vacuumed.dry_run,
            "files": len(vacuumed.files),
            "bytes": vacuumed.bytes,
            "tables": {
                table: {"files": len(sizes), "bytes": sum(sizes)}
                for table, sizes in sorted(tables.items())
            },
        }
        call.print_json(document)
        return
    from segue.cli.look import cell, line, make_table, say
    from segue.cli.wording import count, size

    if not vacuumed.files:
        say(call.out, line("Nothing to remove: every file is needed."))
        return
    rows = [
        [cell(table), cell(f"{len(sizes):,}"), cell(size(sum(sizes)))]
        for table, sizes in sorted(tables.items())
    ]
    listed = make_table(["table", "files", "size"], rows, numbers=["files", "size"])
    done = "would be removed" if vacuumed.dry_run else "removed"
    closing = f"{count(len(vacuumed.files), 'file')} {done}: {size(vacuumed.bytes)}."
    say(call.out, listed, line(""), line(closing))
