"""Reading and checking what is published, outside a run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from segue.spec.sql import quote_identifier
from segue.spec.step import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from segue.conductor.workspace import Workspace
    from segue.protocols import LocalSession
    from segue.spec.contract import Contract, Report
    from segue.spec.output import DataFile
    from segue.spec.run import Snapshot


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
    workspace: Workspace, session: LocalSession, contracts: Sequence[Contract], seen: Snapshot
) -> tuple[Report, ...]:
    """Measure tables that are bound in an engine against their contracts, and keep what came of it.

    What counts as new is what the published version added to the one before it.

    Args:
        workspace: The project at work.
        session: The engine.
        contracts: Contracts of the tables.
        seen: The snapshot whose tables are bound.
    """
    from segue.conductor.context import find_grown, make_context
    from segue.conductor.history import note_checks
    from segue.judge.answers import trust_files
    from segue.judge.measure import measure_table

    reports = []
    for contract in contracts:
        name = contract.table
        grown = find_grown(workspace, contract)
        version = seen.versions.get(name)
        tested = version.number if version else None
        context = make_context(workspace, session, contract, *grown, tested)
        files = trust_files(_find_files(workspace, seen, name)) or session.read_footers(name)
        context = replace(context, files=files)
        schema = session.describe(f"select * from {quote_identifier(name)}")
        reports.append(measure_table(session, name, contract, schema, context=context))
    return note_checks(workspace, reports, seen)


def _find_files(workspace: Workspace, seen: Snapshot, table: str) -> tuple[DataFile, ...]:
    """Return the files of a published table; nothing for a source, and for a view."""
    step = workspace.project.steps.get(table)
    version = seen.versions.get(table)
    stored = table not in workspace.project.sources and (step is None or step.mode is not Mode.VIEW)
    return version.files if stored and version is not None else ()
