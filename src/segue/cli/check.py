"""``segue check``: published tables and sources against their contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.complete import complete_table
from segue.cli.group import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.contract import Report


@click.command(
    "check",
    cls=Command,
    examples=[
        ("segue check", "every table that has a contract"),
        ("segue check orders daily", "these two"),
        ("segue check --json | jq '.verdict'", "for programs"),
    ],
)
@click.argument("tables", nargs=-1, metavar="[TABLE]...", shell_complete=complete_table)
@common_options
def check_tables(call: Call, *, tables: tuple[str, ...]) -> None:
    """Check published tables and sources by their contracts.

    Nothing is changed. The exit code is 1 if a check fails.
    """
    with call.open_project() as project:
        reports = project.check(*tables)
    failed = any(report.stops for report in reports)
    if call.as_json:
        from segue.cli.documents import describe_report

        document = [describe_report(report) for report in reports]
        call.print_json({"verdict": "fail" if failed else "pass", "tables": document})
    else:
        _print_reports(call, reports)
    if failed:
        raise click.exceptions.Exit(1)


def _print_reports(call: Call, reports: Sequence[Report]) -> None:
    from segue.cli.look import line, say
    from segue.cli.render_checks import render_measurements, render_samples
    from segue.cli.wording import count

    measurements = [each for report in reports for each in report.measurements]
    if not measurements:
        say(call.out, line("Nothing to check: no contract names a table that has rows yet."))
        return
    words = [str(each.verdict) for each in measurements]
    total = f"{count(len(words), 'check')} of {count(len(reports), 'table')}: "
    parts = [f"{words.count(word)} {word}" for word in ("pass", "warn", "fail", "error")]
    closing = total + ", ".join(part for part in parts if not part.startswith("0 "))
    say(
        call.out,
        render_measurements(measurements),
        *render_samples(reports),
        line(""),
        line(closing),
    )
