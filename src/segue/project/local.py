"""The part of a project that runs here: what nodes send are sources to it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from segue import conductor, registry
from segue.declare.problems import REJECTS
from segue.errors import SegueError
from segue.place.edge import Cut, find_cut, keep_local
from segue.spec.edge import GAPS_SCHEMA, GAPS_SUFFIX, PROVENANCE, REJECTS_SCHEMA
from segue.spec.types import Column, TableSchema, parse_schema, parse_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.conductor.edge_columns import Described
    from segue.conductor.workspace import Workspace
    from segue.protocols import LocalSession
    from segue.spec.step import ProjectSpec

_PROVENANCE = tuple(Column(name, parse_type(text)) for name, text in PROVENANCE.items())


def localize(spec: ProjectSpec, workspace: Workspace) -> Workspace:
    """Return a workspace for the part of a project that runs here.

    Columns of tables of which nothing has arrived yet are found by binding the steps at nodes;
    what keeps that from being done is told by whoever reads such a table.

    Args:
        spec: The project as declared.
        workspace: One for all of it.
    """
    if not spec.fleets.places:
        return workspace
    there = _Lake(Path(spec.lake))
    schemas: dict[str, TableSchema] = {}

    def tell(table: str) -> str:
        if table.endswith(GAPS_SUFFIX):
            return GAPS_SCHEMA
        if table.endswith(REJECTS):
            return _add_provenance(parse_schema(REJECTS_SCHEMA))
        return _add_provenance(schemas[table]) if table in schemas else ""

    first = replace(workspace, project=keep_local(spec, there.has, tell))
    if all(source.options.get("columns", "known") for source in first.project.sources.values()):
        return first
    for fleet in spec.fleets.places:
        with open_fleet(spec, first, fleet) as opened:
            schemas |= opened.described.schemas
    return replace(workspace, project=keep_local(spec, there.has, tell))


def _add_provenance(schema: TableSchema) -> str:
    from segue.conductor.edge_columns import without_provenance

    return str(TableSchema((*without_provenance(schema).columns, *_PROVENANCE)))


@dataclass(frozen=True, slots=True)
class _Lake:
    """The lake's folder, as far as arriving tables are concerned."""

    path: Path

    def has(self, table: str) -> bool:
        """Return whether the lake has a table."""
        return (self.path / table / "_delta_log").is_dir()


@dataclass(frozen=True, slots=True)
class OpenFleet:
    """A fleet's part of a project, and an engine that knows its tables.

    Attributes:
        cut: Where the project is cut.
        session: An engine in which its reference tables are bound.
        described: Columns of its tables, and what does not fit.
        missing: Why reference tables can't be read, by name.
    """

    cut: Cut
    session: LocalSession
    described: Described
    missing: dict[str, SegueError]


@contextmanager
def open_fleet(spec: ProjectSpec, workspace: Workspace, fleet: str) -> Iterator[OpenFleet]:
    """Open the local engine for a fleet's part of a project.

    Args:
        spec: The project as declared.
        workspace: One for the part that runs here.
        fleet: Name of the fleet.
    """
    from segue.conductor.edge_columns import describe_edge

    cut = find_cut(spec, fleet)
    place = workspace.project.places["local"]
    with (
        tempfile.TemporaryDirectory(prefix="segue-") as scratch,
        registry.load_local_engine().open(place, Path(scratch)) as session,
    ):
        missing: dict[str, SegueError] = {}
        for table in cut.references:
            try:
                conductor.bind_snapshot(workspace, session, (table,), Path(scratch))
            except SegueError as error:
                missing[table] = error
        memories = workspace.ledger.memories(workspace.environment)
        described = describe_edge(spec, cut, session, memories, missing)
        yield OpenFleet(cut, session, described, missing)
