"""What a measurement knows beside its table: the time, what is new, what was before.

One place makes it for every table that is judged, in a run or outside of one. The names
that it binds begin with the table's own, so that tables can share a session.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segue.protocols import Context

if TYPE_CHECKING:
    from segue.conductor.workspace import Workspace
    from segue.protocols import Lake, Session
    from segue.spec.output import StagedTable, TableVersion
    from segue.spec.scan import Scan


def make_context(
    workspace: Workspace,
    session: Session,
    table: str,
    added: Scan | None = None,
    before: TableVersion | None = None,
) -> Context:
    """Return what a measurement of a table knows beside it, and bind what that names.

    Args:
        workspace: Has the clock, the project's folder and the lake.
        session: Where the table is measured.
        table: Name of the table.
        added: Rows that came since the table was last judged; None if all count as new.
        before: The published version before the one that is judged.
    """
    bound = {"added": "", "before": ""}
    rows: dict[str, Scan | None] = {"added": added}
    if before is not None:
        rows["before"] = workspace.lake.scan(before.schema, table, before.files)
    for part, scan in rows.items():
        if scan is not None:
            bound[part] = f"{table}__{part}"
            session.bind(bound[part], scan)
    return Context(
        now=datetime.fromisoformat(workspace.clock.now()),
        added=bound["added"],
        before=bound["before"],
        folder=str(workspace.project.root),
    )


def stage_context(
    workspace: Workspace,
    session: Session,
    staged: StagedTable,
    lake: Lake,
    before: TableVersion | None = None,
) -> Context:
    """Return the context of rows that are staged: those of its new files are new.

    Args:
        workspace: As for `make_context`.
        session: As for `make_context`.
        staged: What is judged.
        lake: Where it is staged.
        before: The version that is published now.
    """
    grown = bool(staged.keeps)
    added = lake.scan(staged.schema, staged.table, staged.adds) if grown else None
    return make_context(workspace, session, staged.table, added, before)


def find_grown(workspace: Workspace, table: str) -> tuple[Scan | None, TableVersion | None]:
    """Return what the published version of a table added to the one before, and that one.

    The rows are None where nothing of the earlier version is left: all of them are new.
    """
    current = workspace.ledger.snapshot(workspace.environment).versions.get(table)
    if current is None:
        return None, None
    earlier = [each for each in workspace.ledger.versions(table) if each.number < current.number]
    if not earlier:
        return None, None
    before = max(earlier, key=lambda each: each.number)
    there = {file.path for file in current.files}
    folder = workspace.lake.folder(table)
    gone = any(f.path not in there and not (folder / f.path).exists() for f in before.files)
    kept = {file.path for file in before.files}
    adds = [file for file in current.files if file.path not in kept]
    added = workspace.lake.scan(current.schema, table, adds) if len(adds) < len(there) else None
    return added, None if gone else before  # vacuum may have taken what only it had
