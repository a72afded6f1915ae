"""``segue check``: a project's tables, or any data, against contracts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.complete import complete_table
from segue.cli.dispatch import find_project, is_any_data, read_connections
from segue.cli.group import Command
from segue.cli.reports import Wanted, find_folder, report_option, write_reports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segue.judge.findings import Findings
    from segue.project import Project
    from segue.spec.contract import Report


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be checked, and how.

    Attributes:
        data: Names of tables, or of any data.
        contract: File of contracts for data that belongs to no project.
        table: Which of its contracts is meant.
        sql: A SELECT to check.
        select: Names of checks.
        force: Whether to measure again what was judged already.
    """

    data: tuple[str, ...]
    contract: Path | None
    table: str
    sql: str
    select: tuple[str, ...]
    force: bool


@click.command(
    "check",
    cls=Command,
    examples=[
        ("segue check", "every table of the project that has a contract"),
        ("segue check orders daily", "these two"),
        ("segue check orders.csv", "a file, a folder or a pattern, by the contracts.yml beside it"),
        ("segue check sqlite:///shop.db orders", "a table of a database"),
        ("segue check crm public.orders", "the same, by a name of [connections] in segue.toml"),
        ("segue check --sql \"select * from 'a.csv'\" --contract a.yml", "a query"),
        ("segue check --json | jq '.verdict'", "for programs"),
        ("segue check --report junit=checks.xml --report html=checks.html", "for CI, and a page"),
    ],
)
@click.argument("data", nargs=-1, metavar="[DATA]...", shell_complete=complete_table)
@click.option(
    "--contract",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Contracts of data that belongs to no project; contracts.yml here or beside the data"
    " if not stated.",
)
@click.option("--table", default="", metavar="NAME", help="Which contract of the file is meant.")
@click.option("--sql", default="", metavar="SELECT", help="Check the rows of a SELECT.")
@click.option(
    "--select",
    metavar="CHECK",
    multiple=True,
    help="Only this check: a name, a kind, a column, or a pattern; can be repeated.",
)
@click.option("--show-sql", is_flag=True, help="Show the SQL that measured each check.")
@click.option("--sample/--no-sample", default=True, help="Show rows that break checks, or none.")
@click.option("--force", is_flag=True, help="Measure again what was judged and has not changed.")
@report_option
@common_options
def check_tables(
    call: Call, *, wanted: tuple[Wanted, ...], show_sql: bool, sample: bool, **choice: object
) -> None:
    """Check a project's tables, or any data, by contracts.

    DATA is a table of the project; or a file, a folder, a pattern, a Delta table; or the address
    or name of a database and its tables. NAME=DATA gives it another name. Nothing is changed.
    The exit code is 1 if a check fails, 2 if the contract or the arguments are wrong.
    """
    chosen = Choice(**choice)  # type: ignore[arg-type]  # click's options, by their names
    root = find_project(call.start)
    connections = read_connections(root)
    if root is None or _is_any_data(chosen, connections):
        write_findings(call, _find_anywhere(chosen, connections), wanted, show_sql, sample)
        return
    with call.open_project() as project:
        reports = project.check(*chosen.data, select=chosen.select, force=chosen.force)
        write_findings(call, find_in_project(project, reports), wanted, show_sql, sample)


def write_findings(
    call: Call,
    findings: Findings,
    wanted: tuple[Wanted, ...],
    show_sql: bool,  # noqa: FBT001  # as they were asked for
    sample: bool,  # noqa: FBT001
) -> None:
    """Write what was found, and end with its exit code."""
    if not sample:
        findings = replace(findings, reports=tuple(map(_drop_samples, findings.reports)))
    write_reports(call, findings, wanted)
    if show_sql and not call.as_json:
        from segue.cli.look import say
        from segue.cli.render_checks import render_queries

        say(call.out, *render_queries(findings.reports))
    if findings.stops:
        raise click.exceptions.Exit(1)


def find_in_project(project: Project, reports: Sequence[Report]) -> Findings:
    """Return reports of a project's tables with what the project knows of them."""
    from segue.conductor.alerts import tell_owners
    from segue.judge.findings import Findings

    return Findings(
        project.spec.name,
        tuple(reports),
        project.spec.contracts,
        project.workspace.clock.now(),
        project.workspace.ledger.history,
        find_folder(project.spec.root),
        tell_owners(project.workspace, reports),
    )


def _find_anywhere(chosen: Choice, connections: Mapping[str, str]) -> Findings:
    """Check data that belongs to no project."""
    from segue.anywhere.check_targets import Asked, check_targets
    from segue.judge.findings import Findings

    asked = Asked(
        chosen.data, connections, chosen.sql, chosen.contract, chosen.table, chosen.select
    )
    measured = check_targets(asked)
    reports = tuple(report for report, _ in measured)
    contracts = {report.table: contract for report, contract in measured}
    subject = ", ".join(contracts)
    return Findings(subject, reports, contracts, datetime.now(UTC).isoformat())


def _is_any_data(chosen: Choice, connections: Mapping[str, str]) -> bool:
    """Return whether something else is asked for than the project's tables."""
    stated = bool(chosen.contract or chosen.sql or chosen.table)
    return stated or is_any_data(chosen.data, connections)


def _drop_samples(report: Report) -> Report:
    """Return a report without rows and values that break checks."""
    found = tuple(replace(each, sample=(), shared=()) for each in report.measurements)
    return replace(report, measurements=found)
