"""The shapes of ``--json``: plain mappings of what the library returns.

Keys are never renamed or removed within a major version; new ones may come.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from segue.errors import ProjectError, SegueError, StepError
from segue.judge.reports.lines import measurement_to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.project import TableInfo
    from segue.spec.contract import Measurement, Report
    from segue.spec.history import Series
    from segue.spec.output import StagedTable, TableVersion
    from segue.spec.run import RunResult, RunSummary, StepOutcome
    from segue.spec.step import ProjectSpec

Document = dict[str, Any]


def describe_error(error: BaseException) -> Document:
    """Return an error: code, message, hint, retryable, location, and what a step adds."""
    if not isinstance(error, SegueError):
        return {"code": "internal", "message": f"{type(error).__name__}: {error}", "hint": ""}
    document: Document = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "retryable": error.retryable,
        "location": asdict(error.location) if error.location else None,
    }
    if isinstance(error, StepError):
        names = ("step", "engine", "group", "trace", "sample")
        document |= {name: getattr(error, name) for name in names}
    if isinstance(error, ProjectError):
        document["message"] = error.message.partition("\n")[0]
        document["problems"] = [asdict(problem) for problem in error.problems]
    return document


def describe_result(
    result: RunResult, project: ProjectSpec, published: Sequence[TableInfo] = ()
) -> Document:
    """Return what a run came to.

    Args:
        result: What the run came to.
        project: The project, to tell steps from sources.
        published: Tables of which the run published a version.
    """
    return {
        "run_id": result.run_id or None,
        "status": str(result.status),
        "snapshot": result.snapshot,
        "seconds": round(result.seconds, 6),
        "record": result.record or None,
        "recovered": list(result.recovered),
        "steps": [describe_outcome(each) for each in result.outcomes if each.step in project.steps],
        "sources": [
            describe_outcome(each) for each in result.outcomes if each.step in project.sources
        ],
        "published": [
            {"table": info.name, "version": info.version, "rows": info.rows} for info in published
        ],
        "removed": list(result.removed),
        "alerts": [asdict(each) for each in result.alerts],
        "error": describe_error(result.error) if result.error else None,
    }


def describe_outcome(outcome: StepOutcome) -> Document:
    """Return what became of a step."""
    return {
        "step": outcome.step,
        "status": str(outcome.status),
        "reasons": list(outcome.reasons),
        "inputs": dict(outcome.input_rows),
        "rows": outcome.staged.rows if outcome.staged else None,
        "rejected": new_rows(outcome.rejects) if outcome.rejects else 0,
        "seconds": round(outcome.seconds, 6),
        "attempts": outcome.attempts,
        "place": outcome.place,
        "peak_memory": outcome.peak_memory,
        "checks": describe_report(outcome.report)["checks"] if outcome.report else [],
        "failure": asdict(outcome.failure) if outcome.failure else None,
    }


def new_rows(staged: StagedTable) -> int:
    """Return the rows that a step itself has made, without those it kept."""
    return sum(file.rows for file in staged.adds)


def describe_report(report: Report) -> Document:
    """Return what was measured of a table."""
    return {
        "table": report.table,
        "rows": report.rows,
        "verdict": str(report.verdict),
        "judged_by": report.run_id or None,
        "unkept": report.unkept or None,
        "checks": [_describe_measurement(each) for each in report.measurements],
    }


def _describe_measurement(measurement: Measurement) -> Document:
    told = measurement_to_json(measurement)
    return {
        "check": measurement.check,
        "kind": measurement.kind,
        "columns": list(measurement.columns),
        "verdict": str(measurement.verdict),
        "failing": measurement.failing,
        "value": told["value"],
        "message": measurement.message,
        "rejected": measurement.rejected,
        "sample": [
            {name: _plain(value) for name, value in row.items()} for row in measurement.sample
        ],
        **{name: told[name] for name in ("segments", "shared", "seconds", "sql")},
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def describe_series(series: Series) -> Document:
    """Return what a check measured over time, oldest first."""
    points = []
    for place, point in enumerate(series.points):
        usual = series.usual[place]
        told = {name: getattr(point, name) for name in _POINT}
        known = usual is not None and usual.known
        points.append(
            {
                **told,
                "verdict": str(point.verdict),
                "number": point.number,
                "run_id": point.run_id or None,
                "code": point.code or None,
                "usual": [_bound(usual.low), _bound(usual.high)] if usual and known else None,
                "unusual": series.is_odd(place),
            }
        )
    return {
        "check": series.check,
        "segment": series.segment or None,
        "share": series.share,
        "min": series.low,
        "max": series.high,
        "points": points,
    }


_POINT = ("at", "rows", "failing", "value", "version", "seconds")


def _bound(number: float) -> float | None:
    return number if math.isfinite(number) else None


def describe_run(run: RunSummary) -> Document:
    """Return a run of the list of runs."""
    return {**asdict(run), "status": str(run.status), "steps": dict(run.steps)}


def describe_version(version: TableVersion) -> Document:
    """Return a published version of a table."""
    return {
        "number": version.number,
        "delta_version": version.delta_version,
        "run_id": version.run_id,
        "published_at": version.published_at,
        "rows": version.rows,
        "bytes": version.bytes,
        "files": len(version.files),
        "content_hash": version.content_hash,
    }


def describe_table(info: TableInfo) -> Document:
    """Return a table of the list of tables."""
    columns = info.columns
    return {
        **{name: getattr(info, name) for name in ("name", "kind", "rows", "bytes", "version")},
        "published_at": info.published_at or None,
        "run_id": info.run_id or None,
        "owner": info.owner,
        "about": info.about,
        "columns": None
        if columns is None
        else [{"name": column.name, "type": str(column.type)} for column in columns],
    }
