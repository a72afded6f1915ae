"""What is in a project's tables, and what may be asked of them."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from segue import conductor
from segue.errors import SegueError
from segue.project.reading import open_session
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from segue.protocols import LocalSession
    from segue.spec.profile import Profile
    from segue.spec.step import ProjectSpec
    from segue.spec.types import TableSchema

_COLUMNAR = ("parquet", "delta")
_MOST_ROWS = 5_000_000
_MOST_BYTES = 200_000_000
"""Size of a source up to which it is read to find what refers to it."""


@contextmanager
def open_profile(
    workspace: conductor.Workspace, table: str, sensitive: Iterable[str] = ()
) -> Iterator[tuple[LocalSession, TableSchema, Profile]]:
    """Open the local engine with a table of a project, and describe it.

    Args:
        workspace: The lake and the ledger.
        table: Name of the table.
        sensitive: Columns whose values are kept out, beside those of the project.

    Returns:
        The engine, in which the table and those that it may refer to are bound, the columns of
        the table, and what is in it.
    """
    from segue.judge.profiling.describe import profile_table
    from segue.judge.profiling.references import find_references
    from segue.judge.profiling.spool import spool_rows

    project = workspace.project
    with (
        tempfile.TemporaryDirectory(prefix="segue-") as scratch,
        open_session(workspace, (table,)) as session,
    ):
        schema = _describe(session, table)
        if not _is_columnar(workspace, table):
            spool_rows(session, table, schema, Path(scratch))
        hidden = {*sensitive, *project.hidden(table).among(schema.names)}
        profile = profile_table(session, table, schema, hidden)
        others = _bind_others(workspace, session, table, Path(scratch))
        references = find_references(session, profile, others)
        yield session, schema, replace(profile, references=references)


def suggest_for(workspace: conductor.Workspace, table: str, sensitive: Iterable[str] = ()) -> str:
    """Return a contract for a table as YAML text.

    Args:
        workspace: The lake and the ledger.
        table: Name of the table.
        sensitive: As for `open_profile`.
    """
    from segue.judge.suggesting.suggest import Past, suggest_contract

    ledger, environment = workspace.ledger, workspace.environment
    past = Past(
        tuple(version.rows for version in ledger.versions(table)),
        lambda check: ledger.history(table, check, environment=environment),
    )
    with open_profile(workspace, table, sensitive) as (session, schema, profile):
        return suggest_contract(session, schema, profile, past)


def _describe(session: LocalSession, table: str) -> TableSchema:
    return session.describe(f"select * from {quote_identifier(table)}")


def _is_columnar(workspace: conductor.Workspace, table: str) -> bool:
    """Return whether a table lies in files of which each column is read by itself."""
    source = workspace.project.sources.get(table)
    if source is not None:
        return source.kind in _COLUMNAR
    return table in workspace.ledger.snapshot(workspace.environment).versions


def _bind_others(
    workspace: conductor.Workspace, session: LocalSession, table: str, scratch: Path
) -> dict[str, TableSchema]:
    """Bind the other tables that are not too large to be looked at, and return their columns."""
    found: dict[str, TableSchema] = {}
    for name in _choose_others(workspace, table):
        try:
            conductor.bind_snapshot(workspace, session, (name,), scratch)
            found[name] = _describe(session, name)
        except SegueError:  # what can't be read now is nothing that this table is told of
            continue
    return found


def _choose_others(workspace: conductor.Workspace, table: str) -> Iterator[str]:
    """Go through the tables that a table may refer to: none that is made from it."""
    from segue import registry

    versions = workspace.ledger.snapshot(workspace.environment).versions
    made = _find_made(workspace.project, table)
    for name, version in versions.items():
        if version.rows <= _MOST_ROWS and name not in made and name in workspace.project.steps:
            yield name
    for name, source in workspace.project.sources.items():
        if name == table:
            continue
        try:
            state = registry.load_source(source.kind).observe(source, Path(workspace.project.root))
        except SegueError:
            continue
        if state.bytes <= _MOST_BYTES:
            yield name


def _find_made(project: ProjectSpec, table: str) -> set[str]:
    """Return a table and all that are made from it, near or far."""
    found = {table}
    for step in project.steps.values():  # in the order of the graph
        if not found.isdisjoint(step.reads):
            found.add(step.name)
    return found
