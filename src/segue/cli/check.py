"""``segue check``: published tables and sources against their contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.complete import complete_table
from segue.cli.group import Command
from segue.cli.reports import Wanted, find_folder, report_option, write_reports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.judge.findings import Findings
    from segue.project import Project
    from segue.spec.contract import Report


@click.command(
    "check",
    cls=Command,
    examples=[
        ("segue check", "every table that has a contract"),
        ("segue check orders daily", "these two"),
        ("segue check --json | jq '.verdict'", "for programs"),
        ("segue check --report junit=checks.xml --report html=checks.html", "for CI, and a page"),
    ],
)
@click.argument("tables", nargs=-1, metavar="[TABLE]...", shell_complete=complete_table)
@report_option
@common_options
def check_tables(call: Call, *, tables: tuple[str, ...], wanted: tuple[Wanted, ...]) -> None:
    """Check published tables and sources by their contracts.

    Nothing is changed. The exit code is 1 if a check fails.
    """
    with call.open_project() as project:
        findings = find_in_project(project, project.check(*tables))
        write_reports(call, findings, wanted)
    if findings.stops:
        raise click.exceptions.Exit(1)


def find_in_project(project: Project, reports: Sequence[Report]) -> Findings:
    """Return reports of a project's tables with what the project knows of them."""
    from segue.judge.findings import Findings

    return Findings(
        project.spec.name,
        tuple(reports),
        project.spec.contracts,
        project.workspace.clock.now(),
        project.workspace.ledger.history,
        find_folder(project.spec.root),
    )
