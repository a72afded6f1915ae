"""``segue checks``: what checks measured over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options, picture_option
from segue.cli.complete import complete_table
from segue.cli.group import Command, CommandFamily
from segue.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.history import Series


@click.group("checks", cls=CommandFamily)
def checks() -> None:
    """Look at what checks measured over time."""


@checks.command(
    "history",
    cls=Command,
    examples=[
        ("segue checks history orders", "every check of orders: a line each"),
        ("segue checks history orders rows", "one check: a chart, and its measurements"),
        ("segue checks history orders --svg orders.svg", "as a picture"),
        ("segue checks history orders rows --last 365 --json", "for programs"),
    ],
)
@click.argument("table", shell_complete=complete_table)
@click.argument("check", required=False)
@click.option(
    "--last",
    type=click.IntRange(min=1, max=10_000),
    default=60,
    show_default=True,
    help="Most measurements of each check.",
)
@picture_option
@common_options
def show_history(
    call: Call, *, table: str, check: str | None, last: int, picture: Path | None
) -> None:
    """Show what the checks of a table measured, run by run.

    A check that counts rows shows the share of failing rows, any other its value. For a check
    with `anomaly` the chart shows what was usual, and marks what was not.
    """
    if call.as_json and picture is not None:
        raise UsageError("--svg and --json exclude each other", hint="choose one of them")
    with call.open_project() as project:
        found = project.check_history(table, check, last)
    if call.as_json:
        from segue.cli.documents import describe_series

        call.print_json({"table": table, "checks": [describe_series(each) for each in found]})
    elif picture is not None:
        _draw(call, found, picture, table)
    else:
        _print(call, found, table, whole=check is None)


def _draw(call: Call, found: Sequence[Series], picture: Path, table: str) -> None:
    from segue.cli.look import line, say
    from segue.record.svg_history import draw_history

    try:
        picture.write_text(draw_history(found, table), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{picture} can't be written: {error.strerror}", hint="name a file in another folder"
        ) from error
    say(call.out, line(f"Written: {picture}"))


def _print(call: Call, found: Sequence[Series], table: str, *, whole: bool) -> None:
    from segue.cli.look import line, next_moves, say
    from segue.cli.render_history import render_overview, render_points
    from segue.cli.render_history_chart import WIDEST, draw_chart

    if not any(series.points for series in found):
        say(call.out, line("Nothing was measured yet."), next_moves(("segue run", "measure")))
    elif whole:
        chosen = next((each.check for each in found if each.points), "")
        quoted = f"'{chosen}'" if " " in chosen else chosen
        moves = next_moves((f"segue checks history {table} {quoted}", "one of them as a chart"))
        say(call.out, render_overview(found), line(""), moves)
    else:
        for series in found:
            chart = draw_chart(series, min(call.out.width, WIDEST))
            say(call.out, *chart, line(""), render_points(series))
