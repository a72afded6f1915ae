"""What a run has judged already, and nothing has changed since: no need to measure it again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from segue.registry import load_check
from segue.spec.contract import Measurement, Report, Segment, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.conductor.workspace import Workspace
    from segue.spec.contract import Check, Contract
    from segue.spec.run import Snapshot

_MOVING = re.compile(
    r"\b(now|today|current_\w+|localtime\w*|age|random|uuid|get_current_\w+)\b", re.IGNORECASE
)
"""Words of SQL that mean something else at another time."""
_NEWEST = 2000
"""Kept measurements that are looked through."""


def recall_report(workspace: Workspace, contract: Contract, seen: Snapshot) -> Report | None:
    """Return what the run that published a table measured, if it would be the same now.

    It is if the table is that run's version, the contract is the same, and no check depends on
    more than the table's rows: the time, its own history, other tables. Rows that were set
    aside then are not in the table now. Nothing is recalled of tables with sensitive columns.

    Args:
        workspace: Has the ledger.
        contract: The table's contract.
        seen: The snapshot that is looked at.
    """
    table = contract.table
    version, step = seen.versions.get(table), workspace.project.steps.get(table)
    if version is None or step is None or any(map(is_moving, contract.checks)):
        return None
    memory = workspace.ledger.memories(workspace.environment).get(table)
    if memory is None or memory.run_id != version.run_id or contract.references:
        return None
    if contract.sensitive:  # it may be said since then, and what was kept may show values
        return None
    if ("contract", contract.digest) not in memory.parts:
        return None
    kept = workspace.ledger.measurements(table, limit=_NEWEST)
    judged = [_read(each) for each in kept if each["run_id"] == version.run_id]
    found = {each.check: each for each in judged}
    if any(each.rejected for each in judged) or {*found} != {c.name for c in contract.checks}:
        return None
    measurements = tuple(found[check.name] for check in contract.checks)
    return Report(table, version.rows, measurements, run_id=version.run_id)


def _read(plain: Mapping[str, Any]) -> Measurement:
    """Return a measurement as it was kept."""
    names = Measurement.__dataclass_fields__.keys() & plain.keys()
    segments = (
        Segment(**{**each, "verdict": Verdict(each["verdict"])})
        for each in plain.get("segments", ())
    )
    told = {
        "columns": tuple(plain["columns"]),
        "verdict": Verdict(plain["verdict"]),
        "sample": tuple(plain["sample"]),
        "shared": tuple(plain.get("shared", ())),
        "segments": tuple(segments),
    }
    return Measurement(**{**{name: plain[name] for name in names}, **told})


def is_moving(check: Check) -> bool:
    """Return whether a check may come to something else though no row has changed."""
    from segue.judge.compile import inspects

    kind = load_check(check.kind)
    asks = hasattr(kind, "complete") or inspects(check, kind) or check.anomaly is not None
    texts = [check.slice.where, *(str(each) for each in check.arguments.values())]
    return asks or any(_MOVING.search(text) for text in texts)
