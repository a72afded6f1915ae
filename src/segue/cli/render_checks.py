"""What was measured against contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from segue.cli.look import QUIET, Block, cell, line, make_table, verdict
from segue.cli.wording import listing
from segue.spec.contract import Verdict
from segue.spec.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from segue.spec.contract import Measurement, Report

MOST_SAMPLES = 3


def render_measurements(measurements: Sequence[Measurement]) -> RenderableType:
    """Return checks as a table."""
    several = len({each.table for each in measurements}) > 1
    rows = [
        [
            cell(each.table if several else ""),
            cell(each.check),
            verdict(_word(each)),
            cell("" if each.failing is None else f"{each.failing:,}"),
            cell(_tell(each), QUIET if each.verdict is Verdict.PASS else ""),
        ]
        for each in measurements
    ]
    columns = ["table", "check", "verdict", "failing", "message"]
    return make_table(columns, rows, numbers=["failing"], wrap=["check", "message"])


def _tell(measurement: Measurement) -> str:
    """Return what the other columns do not tell already."""
    passed = measurement.verdict is Verdict.PASS
    quiet = passed and (measurement.failing == 0 or measurement.kind == "type")
    return "" if quiet else measurement.message


def _word(measurement: Measurement) -> str:
    aside = measurement.rejected and measurement.verdict is not Verdict.PASS
    return "set aside" if aside else str(measurement.verdict)


def render_samples(reports: Sequence[Report]) -> Iterator[RenderableType]:
    """Go through failing rows of checks that did not pass."""
    for report in reports:
        for each in report.measurements:
            if each.verdict is Verdict.PASS or not (each.sample or each.shared):
                continue
            yield Text("")
            yield line(
                ("rows that break ", QUIET), printable(f"{each.table}: {each.check}", lines=False)
            )
            for told in each.shared:
                yield Block(told)
            for row in each.sample[:MOST_SAMPLES]:
                yield Block(render_record(row))


def render_queries(reports: Sequence[Report]) -> Iterator[RenderableType]:
    """Go through the SQL that measured each check; checks of one scan share it with others."""
    for report in reports:
        for each in report.measurements:
            yield Text("")
            named = printable(f"{each.table}: {each.check}", lines=False)
            yield line(("measured by ", QUIET), named)
            yield Block(each.sql or "no query: it was answered without one")


def render_judged(reports: Sequence[Report]) -> Iterator[RenderableType]:
    """Say what was not measured, because nothing has changed since a run did, or not kept."""
    runs: dict[str, list[str]] = {}
    for report in reports:
        if report.run_id:
            runs.setdefault(report.run_id, []).append(report.table)
    for run, tables in runs.items():
        told = f"{listing(tables)}: judged in run {run}, nothing has changed since"
        yield line((f"{told} (--force measures again).", QUIET))
    for reason in sorted({report.unkept for report in reports if report.unkept}):
        yield line(
            (printable(f"Not kept for the history of the checks: {reason}", lines=False), QUIET)
        )


def render_record(row: Mapping[str, object]) -> str:
    """Return a row in one line.

    Example:
        >>> render_record({"id": 7, "store": None})
        'id=7  store=null'
    """
    return "  ".join(
        f"{printable(name)}={'null' if value is None else printable(str(value))}"
        for name, value in row.items()
    )
