"""A plan as a table with a closing sentence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.text import Text

from segue.cli.look import QUIET, Block, cell, line, make_table, next_moves, status
from segue.cli.wording import count, duration
from segue.spec.plan import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from segue.spec.plan import Plan, PlannedStep

MOST_QUIET = 15
"""Steps that need nothing are listed one by one up to this number, and counted above it."""

QUIET_ACTIONS = (Action.SKIP, Action.INLINE, Action.UNSELECTED)


def render_plan(plan: Plan) -> Iterator[RenderableType]:
    """Go through the parts of a plan."""
    if not plan.steps:
        yield Text("The project has no steps yet: add one in steps/, then `segue plan` again.")
        return
    quiet = [step for step in plan.steps if step.action in QUIET_ACTIONS]
    short = len(plan.steps) > MOST_QUIET
    listed = [step for step in plan.steps if not (short and step.action in QUIET_ACTIONS)]
    if listed:
        yield _render_steps(listed)
        yield Text("")
    if short and quiet:
        yield from render_groups([(step.name, *_sentence(step)) for step in quiet])
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


def _sentence(step: PlannedStep) -> tuple[str, str]:
    return str(step.action), "; ".join(map(str, step.reasons))


def _render_steps(steps: Sequence[PlannedStep]) -> RenderableType:
    places = {step.place for step in steps} != {"local"}
    columns = ["step", "what happens", "why", "rows"]
    table = make_table(*columns, *(["place"] if places else []), numbers=["rows"], wrap=["why"])
    for step in steps:
        style = QUIET if step.action in QUIET_ACTIONS else ""
        cells = [
            cell(step.name, style),
            status(str(step.action)),
            cell("; ".join(map(str, step.reasons)), style),
            cell(_expected(step), style),
        ]
        table.add_row(*cells, *([cell(step.place, style)] if places else []))
    return table


def _expected(step: PlannedStep) -> str:
    if step.action is not Action.RUN or step.estimate.rows is None:
        return ""
    return f"~{step.estimate.rows:,}"


def _close(plan: Plan) -> Iterator[RenderableType]:
    numbers = Counter(step.action for step in plan.steps)
    blocked = numbers[Action.BLOCKED]
    if not plan.work and not blocked:
        yield line(
            "Nothing to do: ",
            f"all {count(len(plan.steps), 'step')} are up to date"
            if not numbers[Action.UNSELECTED]
            else "what was selected is up to date",
            ".",
        )
        return
    parts = []
    if runs := numbers[Action.RUN]:
        parts.append(f"{count(runs, 'step')} would run")
    if reused := numbers[Action.REUSE]:
        parts.append(f"{reused} would be published as staged earlier")
    if blocked:
        parts.append(f"{blocked} can't run")
    if idle := numbers[Action.SKIP]:
        parts.append(f"{idle} up to date")
    seconds = sum(step.estimate.seconds or 0 for step in plan.work)
    guess = f" It took {duration(seconds)} of work last time." if seconds else ""
    yield Block(f"{', '.join(parts)}.{guess}", indent=0)
    if plan.work:
        typed = " ".join(["segue run", *plan.selection.terms])
        yield next_moves((f"{typed} --force" if plan.selection.force else typed, "do it"))
