"""What checks measured, read from the records of runs: a ledger that was lost gets it back."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from segue.spec.contract import Measurement, Report, Segment, Verdict
from segue.spec.history import Judged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_KNOWN = frozenset(field.name for field in fields(Measurement))


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """What one run measured.

    Attributes:
        environment: Where it ran.
        judged: Its reports.
    """

    environment: str
    judged: tuple[Judged, ...]


def read_measured(records: Path) -> Iterator[MeasuredRun]:
    """Go through the runs that measured something, oldest first.

    What can't be read is left out: a record is of use as far as it goes.

    Args:
        records: Folder of the records.
    """
    found = []
    for path in records.glob("*.json"):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            judged = tuple(_read_steps(record))
            told = (record["started_at"], record["environment"], judged)
        except (OSError, ValueError, KeyError, TypeError):
            continue
        found.append(told)
    for _, environment, judged in sorted(found, key=lambda run: run[0]):
        if judged:
            yield MeasuredRun(environment, judged)


def _read_steps(record: Mapping[str, Any]) -> Iterator[Judged]:
    for step in record["steps"]:
        told = step["measurements"]
        if not told:
            continue
        name, output = step["step"], step["output"] or {}
        again = step["status"] == "judged again"
        measured = tuple(_read_measurement(name, each) for each in told)
        yield Judged(
            Report(name, measured[0].rows, measured),
            output.get("base" if again else "version"),
            step["fingerprint"],
            record["run_id"],
            step["started_at"],
        )


def _read_measurement(table: str, told: Mapping[str, Any]) -> Measurement:
    known = {name: value for name, value in told.items() if name in _KNOWN}
    changed = {
        "table": table,
        "columns": tuple(told["columns"]),
        "verdict": Verdict(told["verdict"]),
        "sample": tuple(told.get("sample", ())),
        "shared": tuple(told.get("shared", ())),
        "segments": tuple(
            Segment(**{**each, "verdict": Verdict(each["verdict"])})
            for each in told.get("segments", ())
        ),
    }
    return Measurement(**{**known, **changed})
