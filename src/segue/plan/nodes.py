"""What a run has to do, in which order: the nodes of its graph of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.plan.graph import find_maker, find_source, follow
from segue.spec.plan import AT_WORK, Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from segue.spec.plan import Plan, PlannedStep
    from segue.spec.step import ProjectSpec


def find_nodes(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return what a run works on, and what each must wait for.

    Nodes are the steps at work, the sources that they or their contracts read, and the views
    with a contract whose inputs are nodes: a source is looked at before its readers, a view is
    judged before its own.

    Returns:
        Names of nodes by name of node, in the order of the plan, sources first.
    """
    project = plan.project
    planned_steps = {planned.name: planned for planned in plan.steps}
    waits: dict[str, tuple[str, ...]] = {}
    views: dict[str, tuple[str, ...]] = {}
    for planned in planned_steps.values():
        contract = project.contracts.get(planned.name)
        reads = planned.step.reads
        references = contract.references if contract else ()
        judged = planned.action is Action.JUDGE
        tables = references if judged else reads + references
        before = _nodes_behind(project, planned_steps, tables, waits, views)
        if planned.action is Action.INLINE:
            views[planned.name] = _nodes_behind(project, planned_steps, reads, waits, views)
        if planned.action in AT_WORK or (
            planned.action is Action.INLINE and contract is not None and before
        ):
            waits[planned.name] = before
    sources = {name for before in waits.values() for name in before if name in project.sources}
    return _wait_for_references(project, waits, sources) | waits


def _nodes_behind(
    project: ProjectSpec,
    planned: Mapping[str, PlannedStep],
    tables: Iterable[str],
    waits: Mapping[str, tuple[str, ...]],
    views: Mapping[str, tuple[str, ...]],
) -> tuple[str, ...]:
    """Return the nodes that must be done before `tables` can be read, through views.

    What is behind the views that came before is told, or a stack of views would be gone through
    once for each path through it.
    """
    found: dict[str, None] = {}
    for table in tables:
        maker = find_maker(project, table)
        if maker is None:
            source = find_source(project, table)
            found |= {source: None} if source else {}
        elif maker in waits:
            found[maker] = None
        elif maker in views:
            found |= dict.fromkeys(views[maker])
        elif planned[maker].action is Action.INLINE:
            reads = planned[maker].step.reads
            found |= dict.fromkeys(_nodes_behind(project, planned, reads, waits, views))
    return tuple(found)


def _wait_for_references(
    project: ProjectSpec, waits: Mapping[str, tuple[str, ...]], sources: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Return the sources at work, and what each of their contracts looks into.

    A step that is itself made from the source can't be waited for: its published table is
    looked into.
    """
    nodes: dict[str, tuple[str, ...]] = {}
    ahead = sorted(sources, reverse=True)
    while ahead:
        source = ahead.pop()
        if source in nodes:
            continue
        contract = project.contracts.get(source)
        tables = contract.references if contract else ()
        nodes[source] = tuple(
            table
            for table in tables
            if table != source
            and (table in project.sources or table in waits)
            and source not in follow(nodes | dict(waits), [table])
        )
        ahead.extend(table for table in nodes[source] if table in project.sources)
    return nodes
