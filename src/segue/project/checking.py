"""A project's tables against their contracts: measured, or as a run has judged them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue import conductor, registry
from segue.errors import UnknownNameError
from segue.judge.selection import refuse_unmatched, select_checks
from segue.project.reading import open_session
from segue.project.views import Reports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segue.conductor import Workspace
    from segue.spec.contract import Contract, Report


def check_published(
    workspace: Workspace, tables: Sequence[str], select: Sequence[str], *, force: bool
) -> Reports:
    """Check published tables, views and sources.

    Args:
        workspace: The project at work.
        tables: Names of tables with a contract; all that have one if none is given.
        select: Checks to measure; all if none is named.
        force: Whether to measure again what was judged and has not changed.

    Raises:
        UnknownNameError: There is no such table, contract or check.
    """
    contracts = _choose(workspace, tables)
    refuse_unmatched(contracts, select)
    seen = workspace.ledger.snapshot(workspace.environment)
    known: dict[str, Report] = {}
    for contract in () if force or select else contracts:
        if (report := conductor.recall_report(workspace, contract, seen)) is not None:
            known[contract.table] = report
    asked = [select_checks(each, select) for each in contracts if each.table not in known]
    asked = [each for each in asked if each.checks]
    if asked:
        needed = {name for each in asked for name in (each.table, *each.references)}
        with open_session(workspace, tuple(sorted(needed)), seen.number or None) as session:
            for report in conductor.check_tables(workspace, session, asked, seen):
                known[report.table] = report
    return Reports(known[each.table] for each in contracts if each.table in known)


def _choose(workspace: Workspace, tables: Sequence[str]) -> tuple[Contract, ...]:
    """Return the contracts of tables.

    Raises:
        UnknownNameError: A table has none.
    """
    known = workspace.project.contracts
    for table in tables:
        if table not in known:
            hint = registry.nearest(table, list(known), noun="contract")
            raise UnknownNameError(f"{table!r} has no contract", hint=hint)
    return tuple(known[name] for name in tables or known)
