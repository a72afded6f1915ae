"""A plan as a table with a closing sentence."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.text import Text

from segue.cli.look import QUIET, Block, cell, line, make_table, next_moves, status
from segue.cli.wording import count, duration, size
from segue.plan.explain import close_plan, explain_rows
from segue.plan.removals import find_removals, tell_removal
from segue.spec.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from segue.plan.explain import PlanRow
    from segue.project.cuts import FleetPlan
    from segue.spec.plan import Plan, PlannedStep

MOST_QUIET = 15
"""Steps that need nothing are listed one by one up to this number, and counted above it."""

QUIET_ACTIONS = (Action.SKIP, Action.INLINE, Action.UNSELECTED)


def render_plan(plan: Plan, fleets: Sequence[FleetPlan] = ()) -> Iterator[RenderableType]:
    """Go through the parts of a plan, what nodes do first."""
    for fleet in fleets:
        head, *rest = fleet.lines
        yield Text(head)
        yield from (Block(each, indent=0) for each in rest)
        yield Text("")
    if not plan.steps and fleets:
        yield Text("No step runs here.")
        yield next_moves(("segue deploy", "bring to the nodes what they run"))
        return
    if not plan.steps:
        yield Text("The project has no steps yet: add one in steps/, then `segue plan` again.")
        return
    pairs = list(zip(plan.steps, explain_rows(plan), strict=True))
    short = len(pairs) > MOST_QUIET
    quiet = [row for planned, row in pairs if planned.action in QUIET_ACTIONS]
    listed = [pair for pair in pairs if not (short and pair[0].action in QUIET_ACTIONS)]
    if listed:
        yield _render_steps(listed)
        yield Text("")
    if short and quiet:
        yield from render_groups([(row.step, row.action, row.reason) for row in quiet])
        yield Text("")
    yield from _close(plan)


def render_groups(steps: Sequence[tuple[str, str, str]]) -> Iterator[Block]:
    """Group steps that need nothing by what happens and why.

    Args:
        steps: Name, what happens, and why.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for name, action, reason in steps:
        groups.setdefault((action, reason), []).append(name)
    for (action, reason), names in groups.items():
        why = f" ({reason})" if reason else ""
        named = f": {names[0]}" if len(names) == 1 else f": {names[0]}, {names[1]}, …"
        yield Block(
            line(f"{count(len(names), 'step')} {action}{why}", (named, QUIET)),
            indent=0,
        )


def _render_steps(steps: Sequence[tuple[PlannedStep, PlanRow]]) -> RenderableType:
    placed = any(row.place != "local" for _, row in steps)
    rows = []
    for planned, row in steps:
        style = QUIET if planned.action in QUIET_ACTIONS else ""
        cells = [
            cell(row.step, style),
            status(row.action),
            cell(row.reason, style),
            cell(_expected(planned), style),
            cell(_read(planned), style),
            cell(row.place if placed else "", style),
        ]
        rows.append(cells)
    columns = ["step", "what happens", "why", "rows expected", "reads", "place"]
    numbers = ["rows expected", "reads"]
    return make_table(columns, rows, numbers=numbers, wrap=["place", "why"])


def _expected(planned: PlannedStep) -> str:
    rows = planned.estimate.rows
    return "" if planned.action is not Action.RUN or rows is None else f"~{rows:,}"


def _read(planned: PlannedStep) -> str:
    """Return how much a step reads, where nothing tells how much it makes."""
    estimate = planned.estimate
    unknown = planned.action is Action.RUN and estimate.rows is None
    return size(estimate.input_bytes) if unknown and estimate.input_bytes else ""


def _close(plan: Plan) -> Iterator[RenderableType]:
    for table in find_removals(plan):
        yield Block(tell_removal(table), indent=0)
    seconds = sum(planned.estimate.seconds or 0 for planned in plan.work)
    guess = f" They took {duration(seconds)} last time." if seconds else ""
    yield Block(close_plan(plan) + guess, indent=0)
    if plan.work and not any(planned.action is Action.BLOCKED for planned in plan.steps):
        force = ["--force"] if plan.selection.force else []
        yield next_moves((shlex.join(["segue", "run", *plan.selection.terms, *force]), "do it"))
