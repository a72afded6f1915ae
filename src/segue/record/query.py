"""Reads the records of runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segue.errors import StorageError, UnknownNameError
from segue.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class StepSummary:
    """One step of a run, as a person wants to see it.

    Attributes:
        step: Name of the step.
        status: What became of it.
        reason: Why it ran, or why it failed.
        rows_read: Rows of its inputs, None where they were not counted.
        rows_made: Rows that it made, None if it made no table.
        rows_rejected: Rows that were set aside.
        verdicts: Number of checks by verdict.
        seconds: How long it took.
    """

    step: str
    status: str
    reason: str
    rows_read: int | None
    rows_made: int | None
    rows_rejected: int
    verdicts: Mapping[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """A record in short.

    Attributes:
        run_id: The run.
        status: How it ended.
        command: What was asked.
        who: User and host, as ``user@host``.
        started_at: UTC time as ISO text.
        seconds: How long it took; None if it did not end by itself.
        snapshot: Number of the snapshot that it published.
        error: Why nothing was published.
        steps: One per step that the run dealt with.
    """

    run_id: str
    status: str
    command: str
    who: str
    started_at: str
    seconds: float | None
    snapshot: int | None
    error: str
    steps: tuple[StepSummary, ...]


def find_records(folder: Path) -> tuple[str, ...]:
    """Return the ids of the runs that have a record, newest name first."""
    return tuple(sorted((path.stem for path in folder.glob("*.json")), reverse=True))


def read_record(folder: Path, run_id: str) -> dict[str, Any]:
    """Return the record of a run.

    Args:
        folder: Folder of the records.
        run_id: The whole id of the run.

    Raises:
        UnknownNameError: The run has no record.
        StorageError: The record is damaged.
    """
    path = folder / f"{run_id}.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnknownNameError(
            f"run {run_id!r} has no record",
            hint=nearest(run_id, find_records(folder), noun="record"),
        ) from None
    except ValueError as error:
        raise StorageError(
            f"the record {path} is damaged: {error}",
            hint="what the run published is not touched by this; restore the file from a backup",
        ) from None
    if not isinstance(record, dict):
        raise StorageError(f"the record {path} is damaged: it holds no document")
    return record


def summarize_record(record: Mapping[str, Any]) -> RecordSummary:
    """Return a record in short; keys that a newer or older format lacks are left empty."""
    who = record.get("who", {})
    return RecordSummary(
        run_id=record["run_id"],
        status=record.get("status", ""),
        command=record.get("command", ""),
        who=f"{who.get('user', '')}@{who.get('host', '')}",
        started_at=record.get("started_at", ""),
        seconds=record.get("seconds"),
        snapshot=record.get("snapshot"),
        error=record.get("error", ""),
        steps=tuple(map(_summarize_step, record.get("steps", ()))),
    )


def _summarize_step(step: Mapping[str, Any]) -> StepSummary:
    rows = step.get("rows", {})
    read = rows.get("read", {})
    verdicts: dict[str, int] = {}
    for measurement in step.get("measurements", ()):
        verdicts[measurement["verdict"]] = verdicts.get(measurement["verdict"], 0) + 1
    failure = step.get("failure")
    return StepSummary(
        step=step["step"],
        status=step.get("status", ""),
        reason=failure["message"] if failure else "; ".join(step.get("reasons", ())),
        rows_read=sum(read.values()) if read else None,
        rows_made=rows.get("made"),
        rows_rejected=rows.get("rejected") or 0,
        verdicts=verdicts,
        seconds=step.get("seconds", 0.0),
    )
