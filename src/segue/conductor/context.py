"""What a measurement knows beside its table: the time, what is new, what was before.

One place makes it for every table that is judged, in a run or outside of one. The names
that it binds begin with the table's own, so that tables can share a session.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segue.conductor.history import recall_points
from segue.protocols import Context
from segue.registry import load_check
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from segue.conductor.workspace import Workspace
    from segue.protocols import Lake, Session
    from segue.spec.contract import Contract
    from segue.spec.output import StagedTable, TableVersion
    from segue.spec.scan import Scan
    from segue.spec.step import ProjectSpec


def looks_back(contract: Contract) -> bool:
    """Return whether a check may ask which rows are new, or what was published before.

    Only kinds that are given a `Context` can.
    """
    kinds = {check.kind: load_check(check.kind) for check in contract.checks}
    asks = any(hasattr(kind, "complete") or hasattr(kind, "inspect") for kind in kinds.values())
    return asks or any(check.slice.new for check in contract.checks)


def make_context(
    workspace: Workspace,
    session: Session,
    contract: Contract,
    added: Scan | str | None = None,
    before: TableVersion | None = None,
    tested: int | None = None,
) -> Context:
    """Return what a measurement of a table knows beside it, and bind what that names.

    Args:
        workspace: Has the clock, the project's folder and the lake.
        session: Where the table is measured.
        contract: The table's contract; nothing is bound unless one of its checks looks back.
        added: Rows that came since the table was last judged; None if all count as new.
        before: The published version before the one that is judged.
        tested: Number of the version that is judged, if it is published.
    """
    table = contract.table
    bound = {"added": "", "before": ""}
    rows: dict[str, Scan | str | None] = {"added": added}
    if before is not None:
        rows["before"] = workspace.lake.scan(before.schema, table, before.files)
    for part, data in rows.items() if looks_back(contract) else ():
        if data is not None:
            bound[part] = f"{table}__{part}"
            session.bind(bound[part], data)
    return Context(
        now=datetime.fromisoformat(workspace.clock.now()),
        past=recall_points(workspace, table, tested),
        added=bound["added"],
        before=bound["before"],
        folder=str(workspace.project.root),
        sensitive=find_hidden(workspace.project, session, contract),
    )


def find_hidden(
    project: ProjectSpec, session: Session, contract: Contract
) -> dict[str, tuple[str, ...]]:
    """Return the sensitive columns of the tables that a contract looks into.

    Args:
        project: Knows which they are.
        session: Where the tables are bound: it tells their columns.
        contract: The contract.
    """
    hidden = {}
    for name in contract.references:
        if found := project.hidden(name):
            names = session.describe(f"select * from {quote_identifier(name)}").names
            hidden[name] = found.among(names)
    return hidden


def stage_context(
    workspace: Workspace,
    session: Session,
    contract: Contract,
    staged: StagedTable,
    lake: Lake,
    before: TableVersion | None = None,
    *,
    again: bool = False,
) -> Context:
    """Return the context of rows that are staged: those of new files are new.

    Args:
        workspace: As for `make_context`.
        session: As for `make_context`; the table is bound in it.
        contract: As for `make_context`.
        staged: What is judged.
        lake: Where it is staged.
        before: The version that is published now.
        again: Whether it is that version, which is judged again: what was new then is new now.
    """
    if again:
        return make_context(
            workspace, session, contract, *find_grown(workspace, contract), staged.base
        )
    table = staged.table
    added: Scan | str | None = None
    if staged.keeps and staged.adds:
        added = lake.scan(staged.schema, table, staged.adds)
    elif staged.keeps:
        added = f"select * from {quote_identifier(table)} where false"
    return make_context(workspace, session, contract, added, before)


def find_grown(workspace: Workspace, contract: Contract) -> tuple[Scan | None, TableVersion | None]:
    """Return what the published version of a table added to the one before, and that one.

    The rows are None where nothing of the earlier version is left: all of them are new.

    Args:
        workspace: Has the ledger and the lake.
        contract: The table's contract; nothing is looked for unless one of its checks looks back.
    """
    table = contract.table
    current = workspace.ledger.snapshot(workspace.environment).versions.get(table)
    if current is None or not looks_back(contract):
        return None, None
    earlier = [each for each in workspace.ledger.versions(table) if each.number < current.number]
    if not earlier:
        return None, None
    before = max(earlier, key=lambda each: each.number)
    kept, there = ({file.path for file in each.files} for each in (before, current))
    folder = workspace.lake.folder(table)
    gone = any(not (folder / path).exists() for path in kept - there)
    adds = [file for file in current.files if file.path not in kept]
    added = workspace.lake.scan(current.schema, table, adds) if len(adds) < len(there) else None
    return added, None if gone else before  # vacuum may have taken what only it had
