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
    """Measure tables that are bound in an engine against their contracts."""
    from segue.judge.measure import measure_table

    contracts = workspace.project.contracts
    return tuple(
        measure_table(
            session,
            name,
            contracts[name],
            session.describe(f"select * from {quote_identifier(name)}"),
        )
        for name in names
    )
