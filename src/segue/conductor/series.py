"""Histories of a table's checks, with what was usual, for people to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segue.conductor.history import POINTS
from segue.errors import UnknownNameError
from segue.registry import nearest
from segue.spec.history import Series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.conductor.workspace import Workspace
    from segue.spec.contract import Check

SEGMENTS = 50
"""Segments of a check that are shown, in the order of their names."""
_RECENT = 1000
"""Measurements of a table in which checks are looked for that its contract has no more."""


def read_series(
    workspace: Workspace, table: str, check: str | None, last: int
) -> tuple[Series, ...]:
    """Return what the checks of a table measured over time, in the contract's order.

    Args:
        workspace: Has the project and the ledger.
        table: Name of the table.
        check: Name of the check; None for all of them.
        last: Most points of each, the newest.

    Raises:
        UnknownNameError: There is no such check, or nothing was ever measured of the table.
    """
    contract = workspace.project.contracts.get(table)
    stated = {each.name: each for each in contract.checks} if contract else {}
    recent = workspace.ledger.history(table, environment=workspace.environment, limit=_RECENT)
    names = [*dict.fromkeys((*stated, *(point.check for point in recent)))]
    if not names:
        known = [*workspace.project.contracts]
        hint = nearest(table, known, noun="contract") if contract is None else "segue run"
        raise UnknownNameError(f"nothing was measured of {table!r} yet", hint=hint)
    if check is not None and check not in names:
        hint = nearest(check, names, noun="check")
        raise UnknownNameError(f"{table} has no check {check!r}", hint=hint)
    wanted = names if check is None else [check]
    return tuple(
        series
        for name in wanted
        for series in _read_one(workspace, table, name, stated.get(name), last)
    )


def _read_one(
    workspace: Workspace, table: str, name: str, check: Check | None, last: int
) -> Iterator[Series]:
    """Go through what a check measured: on the whole, or of each segment that is tracked."""
    from segue.judge.history.anomaly_verdict import part_points

    watched = check is not None and check.anomaly is not None
    limit = last + POINTS if watched else last
    found = workspace.ledger.history(table, name, environment=workspace.environment, limit=limit)
    parts = part_points(found)
    if not parts:
        yield _make_series(Series(table, name, found, ()), check, last)
    for segment in sorted(parts)[:SEGMENTS]:
        yield _make_series(
            Series(table, name, tuple(parts[segment]), (), segment=segment), check, last
        )


def _make_series(series: Series, check: Check | None, last: int) -> Series:
    """Return the last points of a series, with what was usual then and the check's bounds."""
    from segue.judge.history.anomaly_verdict import trace_usual

    points = series.points[-last:]
    share = any(each.value is None and each.failing is not None for each in points)
    low, high = _find_bounds(check, share=share) if check else (None, None)
    usual = trace_usual(check, series.points, last) if check else [None] * len(points)
    return replace(series, points=points, usual=tuple(usual), low=low, high=high, share=share)


def _find_bounds(check: Check, *, share: bool) -> tuple[float | None, float | None]:
    """Return the bounds that a contract states, as numbers of the history."""
    if share:
        borne = check.fail or check.warn
        return None, borne.share if borne is not None and borne.count is None else None
    ends = (check.arguments.get(end) for end in ("min", "max"))
    low, high = (_read_number(end) for end in ends)
    return low, high


def _read_number(end: object) -> float | None:
    if isinstance(end, bool) or not isinstance(end, int | float | str):
        return None
    text = str(end).strip()
    scale = 100 if text.endswith("%") else 1
    try:
        return float(text.removesuffix("%")) / scale
    except ValueError:
        return None
