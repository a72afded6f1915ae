"""The edge part of a project, with all that a bundle of it needs."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.conductor.edge import cut_edge
from segue.declare.edge_files import find_imported
from segue.errors import UnknownNameError
from segue.place.edge import ARRIVING
from segue.project.facade import Project, load
from segue.project.local import open_fleet
from segue.registry import load_source, nearest
from segue.spec.edge import ReferenceTable
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from segue.place.edge import Cut
    from segue.protocols import LocalSession
    from segue.spec.edge import EdgePart
    from segue.spec.step import ProjectSpec

TABLES = "tables"
"""Folder of the reference tables in a bundle."""


@dataclass(frozen=True, slots=True)
class CutPart:
    """A fleet's part of a project.

    Attributes:
        part: What its nodes run.
        root: The project's folder.
        files: Files of the project that the part needs, relative to the folder: modules of its
            Python steps, what they import, and models.
        tables: Reference tables as Arrow IPC files, by their path in the bundle.
        lock: The project's lock file, relative to its folder; empty if there is none.
    """

    part: EdgePart
    root: Path
    files: tuple[str, ...]
    tables: dict[str, bytes]
    lock: str = ""


def cut(project: Project | ProjectSpec | Path | str, fleet: str) -> CutPart:
    """Cut the part out of a project that runs at the nodes of a fleet.

    Args:
        project: The project, what it declares, or its folder.
        fleet: Name of the fleet.

    Raises:
        UnknownNameError: There is no such fleet, or a reference table was never published.
        ProjectError: The project's files are wrong, or a step does not fit its columns.
        StorageError: The lake has a table of the name of one that crosses, made here.
    """
    if isinstance(project, Project):
        return _cut(project, fleet)
    with load(project) if isinstance(project, Path | str) else Project(project) as opened:
        return _cut(opened, fleet)


def _cut(project: Project, fleet: str) -> CutPart:
    spec = project.spec
    if fleet not in spec.fleets.places:
        hint = nearest(fleet, list(spec.fleets.places), noun="fleet")
        raise UnknownNameError(f"there is no fleet called {fleet!r}", hint=hint)
    workspace = project.workspace
    with open_fleet(spec, workspace, fleet) as opened:
        if opened.missing:
            raise next(iter(opened.missing.values()))
        opened.described.check()
        _refuse_taken(spec, opened.cut)
        written = [_write_reference(opened.session, name) for name in opened.cut.references]
        part = cut_edge(spec, opened.cut, opened.described.schemas, [told for told, _ in written])
    tables = {told.file: data for told, data in written}
    return CutPart(part, spec.root, find_files(spec, part), tables, _find_lock(spec.root))


def _refuse_taken(spec: ProjectSpec, cut: Cut) -> None:
    """Refuse tables that something else than nodes has written, where the lake can be seen.

    Raises:
        StorageError: There is one; the hub would refuse its rows.
    """
    kind: Any = load_source(ARRIVING)
    for table in cut.crossing:
        kind.measure(Path(spec.lake) / table)


def find_files(spec: ProjectSpec, part: EdgePart) -> tuple[str, ...]:
    """Return the files of the project that its edge part needs, relative to its folder."""
    python: list[str] = []
    for step in part.steps:
        if step.function is not None:
            python += (spec.steps[step.name].location.path, step.function.path)
    models = (spec.steps[step.name].model for step in part.steps)
    return tuple(sorted({*find_imported(spec.root, python), *filter(None, models)}))


def _find_lock(root: Path) -> str:
    from segue.declare.discover import LOCKS

    return next((name for name in LOCKS if (root / name).is_file()), "")


def _write_reference(session: LocalSession, table: str) -> tuple[ReferenceTable, bytes]:
    """Return a reference table as a file; equal rows give equal bytes."""
    import pyarrow as pa

    rows = session.fetch(f"select * from {quote_identifier(table)} order by all")
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, rows.schema, options=options) as writer:
        writer.write_table(rows.combine_chunks())
    data: bytes = sink.getvalue().to_pybytes()
    schema = session.describe(f"select * from {quote_identifier(table)}")
    file = f"{TABLES}/{table}.arrow"
    return ReferenceTable(table, file, schema, sha256(data).hexdigest()), data
