"""What was measured, as data for programs and as sentences for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from segue.spec.contract import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.spec.contract import Measurement, Report, Segment

SHOWN_ROWS = 2
"""Failing rows that are shown of a check."""
_SHOWN_VALUES = 6
_WORDS = {
    Verdict.FAIL: "fails",
    Verdict.ERROR: "can't be judged",
    Verdict.WARN: "warns",
}


def measurement_to_json(found: Measurement) -> dict[str, Any]:
    """Return a measurement as plain values that JSON can hold."""
    return {
        "table": found.table,
        "check": found.check,
        "kind": found.kind,
        "columns": list(found.columns),
        "verdict": str(found.verdict),
        "rows": found.rows,
        "failing": found.failing,
        "value": _plain(found.value),
        "message": found.message,
        "rejected": found.rejected,
        "sample": [{name: _plain(value) for name, value in row.items()} for row in found.sample],
        "segments": [_segment_to_json(segment) for segment in found.segments],
        "shared": list(found.shared),
        "seconds": found.seconds,
        "sql": found.sql,
    }


def _segment_to_json(segment: Segment) -> dict[str, Any]:
    return {
        "key": {name: _plain(value) for name, value in segment.key.items()},
        "verdict": str(segment.verdict),
        "rows": segment.rows,
        "failing": segment.failing,
        "value": _plain(segment.value),
    }


def report_lines(report: Report) -> list[str]:
    """Return a report as lines for a terminal: what is not well, worst first, with samples."""
    order = list(Verdict)
    found = sorted(report.measurements, key=lambda one: -order.index(one.verdict))
    spoken = [one for one in found if one.verdict is not Verdict.PASS or one.rejected]
    passed = len(found) - sum(one.verdict is not Verdict.PASS for one in found)
    count = f"{len(found)} check{'' if len(found) == 1 else 's'}"
    if not spoken:
        ending = f"pass{'es' if len(found) == 1 else ''} on {report.rows:,} rows"
        return [f"{report.table}: {count} {ending}"] if found else []
    lines = [f"{report.table}: {passed} of {count} pass on {report.rows:,} rows"]
    for one in spoken:
        lines += _tell(one)
    return lines


def _tell(found: Measurement) -> list[str]:
    word = _WORDS.get(found.verdict, "passes")
    aside = "; the rows are set aside" if found.rejected else ""
    lines = [f"{found.table}: {found.check} {word}: {found.message}{aside}"]
    lines += [f"    {line}" for line in found.shared]
    lines += [f"    such as {tell_row(found, row)}" for row in found.sample[:SHOWN_ROWS]]
    return lines


def tell_row(found: Measurement, row: Mapping[str, Any]) -> str:
    """Return a failing row in words: its first values, those that were checked among them."""
    shown = list(row.items())[: max(_SHOWN_VALUES, len(found.columns))]
    more = ", …" if len(row) > len(shown) else ""
    return ", ".join(f"{name}={_show(value)}" for name, value in shown) + more


def _show(value: Any) -> str:
    return "null" if value is None else str(value)


def _plain(value: Any) -> Any:
    """Return a value that JSON has: it has no NaN and no infinity."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
