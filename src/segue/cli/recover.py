"""``segue recover``: what a dead run left behind."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command
from segue.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.publish.rebuild import Rebuilt
    from segue.publish.recover import Recovery
    from segue.spec.output import TableVersion


@click.command(
    "recover",
    cls=Command,
    examples=[
        ("segue recover", "finish or discard what a killed run left; other commands do so, too"),
        ("segue recover --adopt orders", "take what another writer committed to orders"),
        ("segue recover --rebuild", "make a new ledger from the tables, if it is damaged"),
    ],
)
@click.option(
    "--adopt",
    metavar="TABLE",
    help="Take what a writer other than segue has committed to TABLE as its current version.",
)
@click.option(
    "--rebuild", is_flag=True, help="Set a damaged ledger aside and make a new one from the lake."
)
@common_options
def recover_runs(call: Call, *, adopt: str | None, rebuild: bool) -> None:
    """Finish or discard what a dead run left behind.

    `segue run` does this by itself; recovering twice changes nothing.
    """
    if adopt is not None and rebuild:
        raise UsageError("--adopt and --rebuild exclude each other", hint="choose one of them")
    with call.open_project() as project:
        if adopt is not None:
            _tell_adoption(call, project.adopt(adopt))
        elif rebuild:
            _tell_rebuild(call, project.rebuild())
        else:
            _tell_recoveries(call, project.recover())


def _tell_recoveries(call: Call, recoveries: Sequence[Recovery]) -> None:
    if call.as_json:
        call.print_json({"recovered": [asdict(recovery) for recovery in recoveries]})
        return
    from segue.cli.look import cell, line, make_table, say, status

    if not recoveries:
        say(call.out, line("Nothing to recover: no run has died."))
        return
    rows = [
        [cell(each.run_id), status(str(each.status)), cell(each.snapshot), cell(each.reason)]
        for each in recoveries
    ]
    columns = ["run", "now", "snapshot", "what was found"]
    table = make_table(columns, rows, wrap=["what was found"])
    say(call.out, table)


def _tell_adoption(call: Call, version: TableVersion) -> None:
    if call.as_json:
        from segue.cli.documents import describe_version

        call.print_json({"adopted": {"table": version.table, **describe_version(version)}})
        return
    from segue.cli.look import line, next_moves, say
    from segue.cli.wording import count

    say(
        call.out,
        line(
            f"{version.table} is now what the other writer committed:"
            f" version {version.number}, {count(version.rows, 'row')}."
        ),
        next_moves((f"segue check {version.table}", "see whether it keeps its contract")),
    )


def _tell_rebuild(call: Call, rebuilt: Rebuilt) -> None:
    if call.as_json:
        call.print_json({"rebuilt": asdict(rebuilt)})
        return
    from segue.cli.look import Block, line, next_moves, say
    from segue.cli.wording import count, listing

    tables = f"{count(len(rebuilt.tables), 'table')} can be read again"
    named = f": {listing(rebuilt.tables)}" if rebuilt.tables else ""
    say(
        call.out,
        Block(f"{tables}{named}. {count(len(rebuilt.runs), 'run')} found.", indent=0),
        *(Block(remark) for remark in rebuilt.remarks),
    )
    if rebuilt.aside:
        say(call.out, line(f"The old ledger lies in {rebuilt.aside}"))
    say(call.out, next_moves(("segue plan", "what has to run again")))
