"""What became of a run's steps, noted while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from segue.spec.history import Judged
from segue.spec.run import StepStatus
from segue.stores.codec import dump_json, encode_failure, encode_memory
from segue.stores.ledger_connect import upsert
from segue.stores.ledger_history import insert_measurements, measurement_rows
from segue.stores.ledger_tables import measurements, runs, steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from segue.spec.run import Lease, StepOutcome


def note(connection: Connection, lease: Lease, outcomes: Sequence[StepOutcome], now: str) -> None:
    """Record what became of steps, and what was measured."""
    upsert(connection, steps, [_step_row(lease, outcome, now) for outcome in outcomes])
    judged = [_find_judged(outcome, lease.run_id) for outcome in outcomes]
    found = [each for each in judged if each is not None and each.report.measurements]
    if found:
        again = measurements.c.name.in_({each.report.table for each in found})
        mine = measurements.c.run_id == lease.run_id
        connection.execute(delete(measurements).where(mine, again))
        of_run = select(runs.c.environment).where(runs.c.run_id == lease.run_id)
        keep_judged(connection, found, connection.execute(of_run).scalar_one(), now)


def keep_judged(
    connection: Connection, judged: Sequence[Judged], environment: str, now: str
) -> None:
    """Keep what was measured."""
    rows = [measurement_rows(each, environment, now) for each in judged]
    insert_measurements(connection, [row for some in rows for row in some])


def _find_judged(outcome: StepOutcome, run_id: str) -> Judged | None:
    if outcome.report is None:
        return None
    # published rows that are judged again are a version already
    version = outcome.staged.base if outcome.renews and outcome.staged else None
    return Judged(outcome.report, version, outcome.fingerprint, run_id)


def _step_row(lease: Lease, outcome: StepOutcome, now: str) -> dict[str, Any]:
    made = outcome.staged is not None and outcome.status in (StepStatus.DONE, StepStatus.REUSED)
    memory = encode_memory(outcome.remember(lease.run_id, now, staged=True)) if made else None
    return {
        "run_id": lease.run_id,
        "step": outcome.step,
        "run_number": lease.token,
        "status": str(outcome.status),
        "seconds": outcome.seconds,
        "attempts": outcome.attempts,
        "started_at": outcome.started_at,
        "failure": dump_json(encode_failure(outcome.failure)) if outcome.failure else None,
        "memory": dump_json(memory) if memory else None,
        "reusable": int(made),
    }
