"""``segue plan``: what a run would do, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from segue.cli.call import Call, common_options
from segue.cli.group import Command
from segue.cli.selection import selection_options

if TYPE_CHECKING:
    from segue.spec.step import Scalar


@click.command(
    "plan",
    cls=Command,
    examples=[
        ("segue plan", "what a run of everything would do now"),
        ("segue plan +daily", "the step daily with all it needs"),
        ("segue plan 'tag:finance' --force", "all steps tagged finance, up to date or not"),
        ("segue plan daily -p daily.horizon=7", "with another value of a setting"),
        ("segue plan --json", "the same for programs"),
    ],
)
@selection_options
@common_options
def show_plan(
    call: Call,
    *,
    select: tuple[str, ...],
    force: bool,
    since: str | None,
    params: dict[str, Scalar],
) -> None:
    """Show what a run would do, step by step, and why.

    SELECT names steps: daily (it alone), +daily (with what it needs), daily+ (with what
    depends on it), tag:x; all steps if none is named. Nothing is computed or changed.
    """
    with call.open_project() as project:
        planned = project.plan(*select, force=force, since=since, params=params)
        if call.as_json:
            call.print_json(planned.to_json())
            return
        from segue.cli.look import say
        from segue.cli.render_plan import render_plan

        say(call.out, *render_plan(planned.plan, planned.fleets))
