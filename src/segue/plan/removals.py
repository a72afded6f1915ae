"""Tables that a run takes away, because nobody makes them any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.declare.problems import REJECTS
from segue.spec.plan import Action

if TYPE_CHECKING:
    from segue.spec.plan import Plan


def find_removals(plan: Plan) -> tuple[str, ...]:
    """Return the rejects, by their tables, of steps and sources that set none aside any more.

    They go when their step is next done, or their source is next read; so do only those whose
    turn it is.
    """
    project = plan.project
    read = (table for step in plan.work if step.action is Action.RUN for table in step.inputs)
    sources = (table for table in dict.fromkeys(read) if table in project.sources)
    names = (*sources, *(step.name for step in plan.work))
    contracts = project.contracts
    return tuple(
        name
        for name in names
        if f"{name}{REJECTS}" in plan.history.versions
        and not (name in contracts and contracts[name].rejects)
    )


def tell_removal(table: str) -> str:
    """Return the sentence about the rejects of one table.

    Example:
        >>> tell_removal("orders")[:29]
        'orders__rejects is taken away'
    """
    return (
        f"{table}{REJECTS} is taken away: the contract of {table} sets no rows aside any more. "
        "Older snapshots keep it."
    )
