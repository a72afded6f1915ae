"""Reading and checking what is published, outside a run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segue.conductor.workspace import Workspace
    from segue.protocols import LocalSession
    from segue.spec.contract import Report


def bind_snapshot(
    workspace: Workspace,
    session: LocalSession,
    names: Sequence[str],
    scratch: Path,
    snapshot: int | None = None,
) -> None:
    """Bind published tables, views and sources in an engine, for reading.

    Raises:
        UnknownNameError: There is no such table or snapshot, or it was never published.
    """
    from segue.execute.published import bind_published

    seen = workspace.ledger.snapshot(workspace.environment, snapshot)
    recall = partial(workspace.ledger.memories, workspace.environment)
    bind_published(workspace.project, workspace.lake, seen, session, names, scratch, recall)


def check_tables(
    workspace: Workspace, session: LocalSession, names: Sequence[str]
) -> tuple[Report, ...]:
    """Measure tables that are bound in an engine against their contracts.

    What counts as new is what the published version added to the one before it.
    """
    from segue.conductor.context import find_grown, make_context
    from segue.judge.measure import measure_table

    reports = []
    for name in names:
        contract = workspace.project.contracts[name]
        grown = find_grown(workspace, contract)
        context = make_context(workspace, session, contract, *grown)
        schema = session.describe(f"select * from {quote_identifier(name)}")
        reports.append(measure_table(session, name, contract, schema, context=context))
    return tuple(reports)
