"""Giving an engine the tables that a snapshot holds, for reading and checking outside a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue import registry
from segue.errors import UnknownNameError
from segue.execute.bindings import bind_tables
from segue.execute.sources import scan_source
from segue.execute.tables import RunTables, TableState
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from segue.protocols import Lake, LocalSession
    from segue.spec.output import StepMemory
    from segue.spec.run import Snapshot
    from segue.spec.step import ProjectSpec


def bind_published(
    project: ProjectSpec,
    lake: Lake,
    snapshot: Snapshot,
    session: LocalSession,
    names: Iterable[str],
    scratch: Path,
    recall: Callable[[], Mapping[str, StepMemory]],
) -> None:
    """Bind tables of a snapshot, views, and sources as they are now.

    Args:
        project: The project.
        lake: Where tables are stored.
        snapshot: The versions to read.
        session: Where to bind them.
        names: What is to be read.
        scratch: Folder for sources that have to be unpacked.
        recall: Tells what is remembered of sources and steps; called if a source is read.

    Raises:
        UnknownNameError: There is no such table, or it was never published.
        SourceError: A source can't be read.
    """
    wanted = tuple(names)
    tables = RunTables(lake, snapshot.versions)
    for name in _find_stored(project, wanted):
        if name in project.sources:
            scan = scan_source(project, name, scratch, recall())
            tables.made[name] = TableState("", scan)
        elif name not in snapshot.versions:
            raise _unknown(project, snapshot, name)
    for name, data in bind_tables(project, wanted, tables).items():
        session.bind(name, data)


def _find_stored(project: ProjectSpec, names: Iterable[str]) -> dict[str, None]:
    """Return the tables behind `names`, through views, in a stable order."""
    found: dict[str, None] = {}
    for name in names:
        step = project.steps.get(name)
        if step is not None and step.mode is Mode.VIEW:
            found |= _find_stored(project, step.reads)
        else:
            found[name] = None
    return found


def _unknown(project: ProjectSpec, snapshot: Snapshot, name: str) -> UnknownNameError:
    step = project.steps.get(name)
    if step is not None and step.mode is Mode.EFFECT:
        return UnknownNameError(
            f"{name!r} makes no table: its function returns None", location=step.location
        )
    if step is not None:
        return UnknownNameError(
            f"table {name!r} was never published",
            hint=f"segue run +{name}",
            location=step.location,
        )
    known = [*project.sources, *project.steps, *snapshot.versions]
    return UnknownNameError(
        f"there is no table called {name!r}",
        hint=registry.nearest(name, list(dict.fromkeys(known)), noun="table"),
    )
