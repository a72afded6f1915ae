"""What checks measured before, and what they measure outside of runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue.errors import StorageError
from segue.spec.history import Judged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from segue.conductor.workspace import Workspace
    from segue.spec.contract import Report
    from segue.spec.history import Point
    from segue.spec.run import Snapshot

POINTS = 1000
"""Points that a baseline is looked for in: almost three years of days, six weeks of hours."""


def recall_points(
    workspace: Workspace, table: str, tested: int | None = None
) -> Callable[[str], Sequence[Point]]:
    """Return what gives the earlier measurements of a check of a table, oldest first.

    Args:
        workspace: Has the ledger.
        table: Name of the table.
        tested: Number of the version that is measured now, if it has one: what was measured
            of it already is no past.
    """

    def recall(check: str) -> Sequence[Point]:
        points = workspace.ledger.history(
            table, check, environment=workspace.environment, limit=POINTS
        )
        return [point for point in points if tested is None or point.version != tested]

    return recall


def note_checks(
    workspace: Workspace, reports: Sequence[Report], seen: Snapshot
) -> tuple[Report, ...]:
    """Keep what was measured outside of runs, as points of the checks' histories.

    The verdicts are what was asked for: where the ledger can't be written now, they lack a
    point, and say so.

    Args:
        workspace: Has the ledger.
        reports: What was measured.
        seen: The snapshot whose tables were measured.

    Returns:
        The reports.
    """
    judged = []
    for report in reports:
        version = seen.versions.get(report.table)
        made = (version.number, version.fingerprint) if version else (None, "")
        judged.append(Judged(report, *made))
    try:
        workspace.ledger.note_checks(judged, workspace.environment)
    except StorageError as error:
        return tuple(replace(report, unkept=error.message) for report in reports)
    return tuple(reports)


def restore_points(workspace: Workspace) -> str:
    """Fill the histories of checks from the records of runs, for a ledger that was lost.

    Args:
        workspace: Has the ledger, which knows no measurements, and the records.

    Returns:
        What was found, as a sentence.
    """
    from segue.record.measured import read_measured

    counts = {"runs": 0, "points": 0}
    for run in read_measured(workspace.records):
        workspace.ledger.note_checks(run.judged, run.environment)
        counts["runs"] += 1
        counts["points"] += sum(len(each.report.measurements) for each in run.judged)
    return (
        f"histories of checks: {counts['points']:,} measurements from the records of "
        f"{counts['runs']:,} runs; what was measured outside of runs is lost"
    )
