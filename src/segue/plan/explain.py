"""A plan for people and for machines: rows, plain text, JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from segue.declare.problems import REJECTS
from segue.plan.graph import find_maker, find_source
from segue.plan.removals import find_removals, tell_removal
from segue.spec.plan import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.spec.plan import Estimate, Plan, PlannedStep
    from segue.spec.step import ProjectSpec

FORMAT = 1
"""Version of the JSON; it changes when a key changes its meaning or goes."""

_CLOSINGS = (
    (Action.RUN, "runs", "run"),
    (Action.REUSE, "is published as staged earlier", "are published as staged earlier"),
    (Action.JUDGE, "is judged again", "are judged again"),
    (Action.SKIP, "is up to date", "are up to date"),
    (Action.BLOCKED, "can't run", "can't run"),
    (Action.UNSELECTED, "is not selected", "are not selected"),
)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One step of a plan, in words.

    Attributes:
        step: Name of the step.
        action: What a run does with it.
        reason: Why.
        inputs: What it reads, and how much of it where only a part is new.
        estimate: What it is expected to read, make and take; empty where nothing tells.
        place: Where it runs.
    """

    step: str
    action: str
    reason: str
    inputs: str
    estimate: str
    place: str


def explain_rows(plan: Plan) -> tuple[PlanRow, ...]:
    """Return a plan's steps in words, in the order of the graph."""
    return tuple(
        PlanRow(
            planned.name,
            str(planned.action),
            "; ".join(map(str, planned.reasons)),
            ", ".join(_tell_input(planned, table) for table in planned.step.reads),
            tell_estimate(planned.estimate),
            f"{planned.place} ({why})" if (why := planned.place_reason) else planned.place,
        )
        for planned in plan.steps
    )


def _tell_input(planned: PlannedStep, table: str) -> str:
    new = planned.new_files.get(table)
    return table if new is None else f"{table} ({len(new):,} new)"


def tell_estimate(estimate: Estimate) -> str:
    """Return an estimate in words.

    Example:
        >>> from segue.spec.plan import Estimate
        >>> tell_estimate(Estimate(rows=1200, seconds=0.5, input_bytes=3_400_000))
        'reads 3.4 MB, makes ~1,200 rows, took 0.5 s'
    """
    parts = []
    if estimate.input_bytes is not None:
        parts.append(f"reads {_tell_size(estimate.input_bytes)}")
    elif estimate.input_rows is not None:
        parts.append(f"reads ~{estimate.input_rows:,} rows")
    if estimate.rows is not None:
        parts.append(f"makes ~{estimate.rows:,} {'row' if estimate.rows == 1 else 'rows'}")
    if estimate.seconds is not None:
        parts.append(f"took {estimate.seconds:.1f} s")
    return ", ".join(parts)


def _tell_size(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:  # noqa: PLR2004  # units of a thousand
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def plan_text(plan: Plan) -> str:
    """Return a plan as a plain table and one closing sentence.

    Lines have no fixed width: what cuts or wraps them is the terminal's business.
    """
    header = PlanRow("step", "what", "why", "reads", "expected", "place")
    rows = explain_rows(plan)
    names = ["step", "action", "reason", "estimate"]
    if any(row.place != "local" for row in rows):
        names.append("place")
    cells = [[getattr(row, name) for name in names] for row in (header, *rows)]
    removals = map(tell_removal, find_removals(plan))
    return "\n".join([*_align(cells), "", *removals, close_plan(plan)])


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def close_plan(plan: Plan) -> str:
    """Return what a plan comes to in one sentence: ``4 steps run, 12 are up to date``."""
    counts = Counter(planned.action for planned in plan.steps)
    told: list[str] = []
    for action, single, plural in _CLOSINGS:
        if number := counts[action]:
            noun = "" if told else " step" if number == 1 else " steps"
            told.append(f"{number:,}{noun} {single if number == 1 else plural}")
    if not told:
        return "There are no steps to run."
    if counts[Action.SKIP] and len(told) == 1:
        return f"Nothing to do: {told[0]}."
    return ", ".join(told) + "."


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain values whose keys stay the same within a format version."""
    return {
        "format": FORMAT,
        "project": plan.project.name,
        "selection": {
            "terms": list(plan.selection.terms),
            "force": plan.selection.force,
            "since": plan.selection.since,
        },
        "parameters": dict(plan.parameters),
        "steps": [_step_to_json(plan.project, planned) for planned in plan.steps],
        "removes": [f"{table}{REJECTS}" for table in find_removals(plan)],
        "places": {name: asdict(place) for name, place in sorted(plan.places.items())},
        "summary": close_plan(plan),
    }


def _step_to_json(project: ProjectSpec, planned: PlannedStep) -> dict[str, Any]:
    step = planned.step
    return {
        "step": step.name,
        "action": planned.action.name.lower(),
        "reasons": [
            {"cause": reason.cause.name.lower(), "detail": reason.detail, "text": str(reason)}
            for reason in planned.reasons
        ],
        "kind": "sql" if step.sql is not None else "python",
        "mode": str(step.mode),
        "reads": [{"table": table, "kind": _kind(project, table)} for table in step.reads],
        "inputs": dict(planned.inputs),
        "new_files": {name: list(files) for name, files in planned.new_files.items()},
        "rebuild": planned.rebuild,
        "fingerprint": step.fingerprint.digest,
        "estimate": asdict(planned.estimate),
        "place": planned.place,
        "place_reason": planned.place_reason,
        "location": {"path": step.location.path, "line": step.location.line},
        "tags": list(step.tags),
    }


def _kind(project: ProjectSpec, table: str) -> str:
    if find_maker(project, table) is not None:
        return "step"
    return "source" if find_source(project, table) is not None else "unknown"
