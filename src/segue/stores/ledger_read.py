"""What a ledger tells beside how it stands: all versions, runs, what is needed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from segue.errors import UnknownNameError
from segue.spec.output import DataFile, TableVersion
from segue.spec.run import RunStatus, RunSummary
from segue.stores.codec import decode_memory
from segue.stores.ledger_connect import asking
from segue.stores.ledger_state import LIVE, PENDING, VOID, find_pending, make_version
from segue.stores.ledger_tables import (
    files,
    intents,
    leases,
    measurements,
    pointers,
    runs,
    snapshot_tables,
    snapshots,
    steps,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row


_FILE = (
    files.c.name,
    files.c.path,
    files.c.rows,
    files.c.bytes,
    files.c.digest,
    files.c.stats,
)


def _spans(table: Any, number: Any) -> ColumnElement[bool]:
    return and_(table.c.first <= number, or_(table.c.last.is_(None), table.c.last >= number))


def find_versions(connection: Connection, table: str) -> tuple[TableVersion, ...]:
    """Return all published versions of a table, oldest first."""
    query = select(versions).where(versions.c.name == table).order_by(versions.c.number)
    spans = connection.execute(
        select(*_FILE, files.c.first, files.c.last)
        .where(files.c.name == table)
        .order_by(files.c.first, files.c.path)
    ).all()
    listed = [
        (first, last, DataFile(path, count, size, digest, json.loads(stats)))
        for _, path, count, size, digest, stats, first, last in spans
    ]
    return tuple(
        make_version(
            row,
            (
                file
                for first, last, file in listed
                if first <= row.number and (last is None or last >= row.number)
            ),
        )
        for row in connection.execute(query)
    )


def find_protected(connection: Connection, keep: int) -> dict[str, set[str]]:
    """Return by table the files that kept snapshots, intents or live runs need."""
    needed: dict[str, set[str]] = {}
    oldest_run = 0
    for environment in connection.execute(select(pointers.c.environment)).scalars().all():
        newest = select(snapshots.c.number).where(snapshots.c.environment == environment)
        kept = connection.execute(newest.order_by(snapshots.c.number.desc()).limit(max(keep, 1)))
        oldest = min(kept.scalars())
        query = (
            select(files.c.name, files.c.path)
            .join(snapshot_tables, snapshot_tables.c.name == files.c.name)
            .where(
                snapshot_tables.c.environment == environment,
                or_(snapshot_tables.c.last.is_(None), snapshot_tables.c.last >= oldest),
                _spans(files, snapshot_tables.c.number),
            )
        )
        for name, path in connection.execute(query):
            needed.setdefault(name, set()).add(path)
        made = select(runs.c.number).join(snapshots, snapshots.c.run_id == runs.c.run_id)
        number = connection.execute(made.where(snapshots.c.number == oldest)).scalar()
        oldest_run = min(filter(None, (oldest_run, number)), default=0)
    _protect_staged(connection, oldest_run, needed)
    return needed


def _protect_staged(connection: Connection, oldest_run: int, needed: dict[str, set[str]]) -> None:
    # Any run that goes on, and what failed since the oldest kept snapshot: it may be reused.
    query = (
        select(steps.c.memory)
        .join(leases, leases.c.run_id == steps.c.run_id)
        .where(
            steps.c.memory.is_not(None),
            or_(
                leases.c.state == LIVE,
                and_(steps.c.reusable == 1, steps.c.run_number >= oldest_run),
            ),
        )
    )
    for text in connection.execute(query).scalars():
        memory = decode_memory(json.loads(text))
        for staged in filter(None, (memory.staged, memory.rejects)):
            needed.setdefault(staged.table, set()).update(file.path for file in staged.files)
    for intent in find_pending(asking(connection), dead_only=False):
        for part in intent.publications:
            needed.setdefault(part.table, set()).update(file.path for file in part.staged.files)


def find_runs(connection: Connection, limit: int) -> tuple[RunSummary, ...]:
    """Return the newest runs, newest first."""
    rows = connection.execute(select(runs).order_by(runs.c.number.desc()).limit(limit)).all()
    return _summaries(connection, rows)


def find_live_runs(connection: Connection) -> tuple[str, ...]:
    """Return the ids of runs that are not over."""
    query = select(leases.c.run_id).where(leases.c.state.in_((LIVE, VOID)))
    return tuple(connection.execute(query).scalars())


def find_unsettled(connection: Connection) -> tuple[RunSummary, ...]:
    """Return dead runs without a pending intent whose records nobody has completed yet."""
    pending = select(intents.c.run_id).where(intents.c.state == PENDING)
    query = select(runs).join(leases, leases.c.run_id == runs.c.run_id)
    query = query.where(leases.c.state == VOID, runs.c.run_id.not_in(pending))
    rows = connection.execute(query.order_by(runs.c.number)).all()
    return _summaries(connection, rows) if rows else ()


def find_published(connection: Connection, run_id: str) -> dict[str, int]:
    """Return the number of each table version that a run published."""
    query = select(versions.c.name, versions.c.number).where(versions.c.run_id == run_id)
    return dict(connection.execute(query).all())


def find_run(connection: Connection, prefix: str) -> RunSummary:
    """Return the run whose id begins with `prefix`; ``last`` is the newest."""
    query = select(runs).order_by(runs.c.number.desc()).limit(2)
    if prefix == "last":
        rows = connection.execute(query.limit(1)).all()
    else:
        rows = connection.execute(
            query.where(runs.c.run_id.startswith(prefix, autoescape=True))
        ).all()
    if not rows:
        raise UnknownNameError(f"there is no run {prefix!r}", hint="segue runs lists them")
    exact = [row for row in rows if row.run_id == prefix]
    if len(rows) > 1 and not exact:
        raise UnknownNameError(
            f"several runs begin with {prefix!r}, such as {rows[0].run_id} and {rows[1].run_id}",
            hint="give more of its id",
        )
    return _summaries(connection, exact or rows)[0]


def _summaries(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[RunSummary, ...]:
    counted = connection.execute(
        select(steps.c.run_id, steps.c.status, func.count())
        .where(steps.c.run_id.in_([row.run_id for row in rows]))
        .group_by(steps.c.run_id, steps.c.status)
    )
    counts: dict[str, dict[str, int]] = {}
    for run_id, status, count in counted:
        counts.setdefault(run_id, {})[status] = count
    return tuple(
        RunSummary(
            run_id=row.run_id,
            number=row.number,
            status=RunStatus(row.status),
            environment=row.environment,
            command=row.command,
            started_at=row.started_at,
            seconds=row.seconds,
            steps=counts.get(row.run_id, {}),
            snapshot=row.snapshot,
            error=row.error,
            user=row.user,
            host=row.host,
        )
        for row in rows
    )


def find_measurements(
    connection: Connection, table: str, limit: int
) -> tuple[Mapping[str, Any], ...]:
    """Return the newest measurements of a table, newest first."""
    query = select(measurements).where(measurements.c.name == table)
    rows = connection.execute(query.order_by(measurements.c.id.desc()).limit(limit))
    return tuple(
        {
            **json.loads(row.measurement),
            "run_id": row.run_id,
            "number": row.number,
            "measured_at": row.measured_at,
        }
        for row in rows
    )
