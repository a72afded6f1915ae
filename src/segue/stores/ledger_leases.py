"""Runs and their leases: who may publish, and who is taken for lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from segue.errors import ConflictError, LeaseLostError
from segue.spec.run import Lease, RunStatus
from segue.stores.codec import decode_owner, dump_json, encode_owner
from segue.stores.ledger_connect import inserted_number
from segue.stores.ledger_state import LIVE, OVER, VOID
from segue.stores.ledger_tables import intents, leases, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Row

    from segue.spec.run import Owner, RunStart

_UNFINISHED = (str(RunStatus.RUNNING), str(RunStatus.PUBLISHING))


def insert_run(
    connection: Connection, start: RunStart, owner: Owner, seconds: float, monotonic: float
) -> Lease:
    """Record a run and its lease."""
    taken = select(runs.c.number).where(runs.c.run_id == start.run_id)
    if connection.execute(taken).first() is not None:
        raise ConflictError(f"there is a run {start.run_id} already", hint="run again")
    made = connection.execute(
        insert(runs).values(
            run_id=start.run_id,
            project=start.project,
            environment=start.environment,
            command=start.command,
            tables=dump_json(start.tables),
            started_at=start.started_at,
            status=str(RunStatus.RUNNING),
            error="",
            user=owner.user,
            host=owner.host,
        )
    )
    token = inserted_number(made)
    connection.execute(
        insert(leases).values(
            run_id=start.run_id,
            token=token,
            state=LIVE,
            seconds=seconds,
            owner=encode_owner(owner),
            beats=0,
            beat_at=monotonic,
        )
    )
    return Lease(start.run_id, token, seconds, owner)


def beat(connection: Connection, lease: Lease, monotonic: float) -> None:
    """Renew a lease, or say that it is lost."""
    renewed = connection.execute(
        update(leases)
        .where(leases.c.run_id == lease.run_id, leases.c.token == lease.token)
        .where(leases.c.state == LIVE)
        .values(beats=leases.c.beats + 1, beat_at=monotonic)
    )
    if renewed.rowcount != 1:
        raise lost(lease)


def require_live(connection: Connection, lease: Lease) -> None:
    """Say so if a lease is lost."""
    state = connection.execute(
        select(leases.c.state).where(leases.c.run_id == lease.run_id, leases.c.token == lease.token)
    ).scalar()
    if state != LIVE:
        raise lost(lease)


def lost(lease: Lease) -> LeaseLostError:
    """Return the error of a run that was fenced off."""
    return LeaseLostError(
        f"run {lease.run_id} did not answer for {lease.seconds:g} s and was taken for lost; "
        "it published nothing",
        hint="run again: what it staged is reused",
    )


def end_lease(connection: Connection, run_id: str, state: str = OVER) -> None:
    """Take a lease from its run."""
    connection.execute(update(leases).where(leases.c.run_id == run_id).values(state=state))


def end_void_leases(connection: Connection, run_ids: Sequence[str]) -> None:
    """End the leases of dead runs that others brought to their end."""
    void = update(leases).where(leases.c.run_id.in_(run_ids), leases.c.state == VOID)
    connection.execute(void.values(state=OVER))


def find_doubtful(
    connection: Connection, observer: Owner, alive: Callable[[Owner], bool], monotonic: float
) -> list[Row[tuple[object, ...]]]:
    """Return live leases whose owners don't clearly live, with their runs' status."""
    query = select(leases, runs.c.status).join(runs, runs.c.run_id == leases.c.run_id)
    found = connection.execute(query.where(leases.c.state == LIVE)).all()
    return [row for row in found if not _is_living(row, observer, alive, monotonic)]


def lose_dead(
    connection: Connection, observer: Owner, alive: Callable[[Owner], bool], monotonic: float
) -> tuple[str, ...]:
    """Fence off dead runs; those without a declared intent are marked lost and returned."""
    found = []
    for row in find_doubtful(connection, observer, alive, monotonic):
        if not _is_dead(connection, row, observer, monotonic):
            continue
        run_id = str(row.run_id)
        declared = connection.execute(
            select(intents.c.state).where(intents.c.run_id == run_id)
        ).scalar()
        end_lease(connection, run_id, VOID)
        if declared is None and row.status in _UNFINISHED:
            values = {"status": str(RunStatus.LOST), "error": "its process ended without a word"}
            connection.execute(update(runs).where(runs.c.run_id == run_id).values(values))
            found.append(run_id)
    return tuple(found)


def _is_living(
    row: Row[tuple[object, ...]],
    observer: Owner,
    alive: Callable[[Owner], bool],
    monotonic: float,
) -> bool:
    owner = decode_owner(row.owner)
    if owner.boot_id != observer.boot_id:
        return False
    # Containers share the machine's clock and not its process ids.
    here = owner.host == observer.host
    return bool(monotonic - row.beat_at <= row.seconds) and (not here or alive(owner))


def _is_dead(
    connection: Connection, row: Row[tuple[object, ...]], observer: Owner, monotonic: float
) -> bool:
    """Tell of a doubtful owner whether it is dead; one of another machine has to be watched."""
    owner = decode_owner(row.owner)
    if owner.boot_id == observer.boot_id or owner.host == observer.host:
        return True
    watched = row.watch_boot == observer.boot_id and row.watch_beats == row.beats
    if watched:
        return bool(monotonic - row.watch_at > row.seconds)
    connection.execute(
        update(leases)
        .where(leases.c.run_id == row.run_id)
        .values(watch_boot=observer.boot_id, watch_beats=row.beats, watch_at=monotonic)
    )
    return False
