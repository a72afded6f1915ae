"""Rows of a project's tables: all at once as a frame, or batch by batch."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue import conductor, registry
from segue.errors import UsageError
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.protocols import LocalSession
    from segue.spec.step import ProjectSpec
    from segue.spec.types import TableSchema

FRAMES = {
    "arrow": "pyarrow.Table",
    "pandas": "pandas.DataFrame",
    "polars": "polars.DataFrame",
    "rows": "list[dict]",
}
"""Short words for `returns=`."""


def read_schemas(workspace: conductor.Workspace, spec: ProjectSpec) -> dict[str, TableSchema]:
    """Return the columns of all published tables, of sources, and of what nodes read.

    Args:
        workspace: One for the part of the project that runs here.
        spec: All of the project.
    """
    versions = workspace.ledger.snapshot(workspace.environment).versions
    schemas = {name: version.schema for name, version in versions.items()}
    sources = tuple(workspace.project.sources)
    with open_session(workspace, sources) as session:
        for name in sources:
            schemas[name] = session.describe(f"select * from {quote_identifier(name)}")
    edges = (source.edge for source in spec.sources.values() if source.edge is not None)
    return {edge.name: edge.schema for edge in edges} | schemas


@contextmanager
def open_session(
    workspace: conductor.Workspace, tables: Sequence[str], snapshot: int | None = None
) -> Iterator[LocalSession]:
    """Open the local engine with `tables` bound."""
    with tempfile.TemporaryDirectory(prefix="segue-") as scratch:
        place = workspace.project.places["local"]
        with registry.load_local_engine().open(place, Path(scratch)) as session:
            conductor.bind_snapshot(workspace, session, tuple(tables), Path(scratch), snapshot)
            yield session


@contextmanager
def open_rows(
    workspace: conductor.Workspace,
    table: str = "",
    sql: str = "",
    snapshot: int | None = None,
    limit: int | None = None,
) -> Iterator[tuple[LocalSession, str]]:
    """Open the local engine for a SELECT, or for one of all rows of a table.

    Args:
        workspace: The lake and the ledger.
        table: Name of the table; empty for a SELECT.
        sql: The SELECT.
        snapshot: Number of an older snapshot to read.
        limit: Most rows.

    Returns:
        The engine and the SELECT.
    """
    query = f"select * from {quote_identifier(table)}"
    tables: tuple[str, ...] = (table,)
    if not table:
        from segue.declare.sql import read_query

        query, tables = read_query(sql)
    if limit is not None:
        # the line end closes a comment
        query = f"select * from ({query}\n) limit {limit:d}"
    with open_session(workspace, tables, snapshot) as session:
        yield session, query


def fetch_frame(session: LocalSession, query: str, returns: str) -> Any:
    """Return the rows of a SELECT as the frame that is asked for.

    Raises:
        UsageError: There is no such frame.
    """
    from segue.frames.convert import to_frame
    from segue.spec.step import FrameKind, FrameSpec

    name = FRAMES.get(returns, returns)
    part = (FrameKind.NOTHING, FrameKind.ARROW_BATCH)
    served = [str(kind) for kind in FrameKind if kind not in part]
    if name not in served:
        hint = registry.nearest(returns, [*FRAMES, *served])
        raise UsageError(f"rows can't be returned as {returns!r}", hint=hint)
    return to_frame(session.fetch(query), FrameSpec(FrameKind(name)), session.describe(query))
