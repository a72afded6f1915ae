"""What data the names in a step stand for, at the moment it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.plan.fold import fold_views
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from segue.execute.tables import RunTables
    from segue.spec.scan import Scan
    from segue.spec.step import ProjectSpec


def bind_tables(
    project: ProjectSpec,
    names: Iterable[str],
    tables: RunTables,
    limited: Mapping[str, Scan | str] | None = None,
) -> dict[str, Scan | str]:
    """Return what each name means that a step or a check can mention.

    Args:
        project: The project; a view's SQL is taken from it.
        names: Tables that are read.
        tables: What each table is now.
        limited: What to read instead of the whole table: the new part of a growing input.

    Returns:
        Files or SQL by name, ordered so that a view comes after what it reads.
    """
    bound: dict[str, Scan | str] = {}
    for name in names:
        _bind(project, name, tables, limited or {}, bound)
    return bound


def _bind(
    project: ProjectSpec,
    name: str,
    tables: RunTables,
    limited: Mapping[str, Scan | str],
    bound: dict[str, Scan | str],
) -> None:
    if name in bound:
        return
    step = project.steps.get(name)
    if name in limited:
        bound[name] = limited[name]
    elif step is not None and step.mode is Mode.VIEW and step.sql is not None:
        for needed in step.reads:
            _bind(project, needed, tables, limited, bound)
        bound[name] = step.sql
    elif (state := tables.find(name)) is not None:
        bound[name] = state.scan


def fold_bindings(
    project: ProjectSpec, bindings: Mapping[str, Scan | str], names: Collection[str]
) -> Mapping[str, Scan | str]:
    """Return the same data in fewer statements, without names that only views read.

    Args:
        project: The project.
        bindings: What `bind_tables` returned.
        names: Tables that are read.
    """
    views = {
        name: data
        for name, data in bindings.items()
        if isinstance(data, str) and name in project.steps and project.steps[name].sql == data
    }
    if not views.keys() - set(names):
        return bindings
    folded = fold_views(views, {name: project.steps[name].reads for name in views}, names)
    kept = ((name, folded.get(name, data)) for name, data in bindings.items())
    return {name: data for name, data in kept if name in folded or name not in views}
