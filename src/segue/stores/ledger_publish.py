"""How a run's tables become visible in the ledger: declare, flip, withdraw, adopt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, null, or_, select, update

from segue.errors import ConflictError, LeaseLostError
from segue.spec.output import TableVersion
from segue.spec.run import RunStatus, StepStatus
from segue.stores.codec import (
    dump_json,
    encode_file,
    encode_intent,
    encode_memory,
    encode_schema,
)
from segue.stores.ledger_connect import inserted_number, upsert
from segue.stores.ledger_leases import end_lease, lost, require_live
from segue.stores.ledger_state import OVER, PENDING, VOID
from segue.stores.ledger_tables import (
    files,
    intent_tables,
    intents,
    measurements,
    memories,
    pointers,
    runs,
    snapshot_tables,
    snapshots,
    steps,
    tables,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from segue.spec.output import DataFile
    from segue.spec.run import Intent, Lease, Publication, StepOutcome

DONE = "done"
WITHDRAWN = "withdrawn"

_TRUE = (StepStatus.DONE, StepStatus.REUSED, StepStatus.JUDGED)


def declare(connection: Connection, lease: Lease, intent: Intent) -> None:
    """Record an intent, after making sure that nothing moved since the run's plan."""
    require_live(connection, lease)
    if intent.token != lease.token:
        raise ValueError("an intent belongs to the lease of its run")
    _refuse_conflicts(connection, intent)
    number = select(runs.c.number).where(runs.c.run_id == intent.run_id).scalar_subquery()
    connection.execute(
        insert(intents).values(
            run_id=intent.run_id, run_number=number, state=PENDING, payload=encode_intent(intent)
        )
    )
    parts = intent.publications
    if parts:
        connection.execute(
            insert(intent_tables),
            [{"run_id": intent.run_id, "name": p.table, "number": p.number} for p in parts],
        )
        upsert(
            connection,
            tables,
            [{"name": p.table, "last_number": p.number, "head": p.base_delta} for p in parts],
        )
    connection.execute(
        update(runs).where(runs.c.run_id == intent.run_id).values(status=str(RunStatus.PUBLISHING))
    )


def _refuse_conflicts(connection: Connection, intent: Intent) -> None:
    wanted = {publication.table: publication for publication in intent.publications}
    _refuse_pending(connection, wanted)
    known = connection.execute(select(tables.c.name, tables.c.last_number, tables.c.head))
    stands = {name: (number, head) for name, number, head in known}
    current = _current_versions(connection, intent.environment)
    for name, publication in wanted.items():
        number, head = stands.get(name, (0, None))
        base = publication.staged.base
        moved = publication.number != number + 1 or publication.base_delta != head
        if moved or (base is not None and base != current.get(name, (None,))[0]):
            raise _conflict(f"another run published the table {name!r} in the meantime")


def _current_versions(connection: Connection, environment: str) -> dict[str, tuple[int, str, str]]:
    """Return number, run and hash of each table's version that readers see."""
    same = (versions.c.name == snapshot_tables.c.name) & (
        versions.c.number == snapshot_tables.c.number
    )
    query = select(versions.c.name, versions.c.number, versions.c.run_id, versions.c.content_hash)
    found = connection.execute(
        query.join(snapshot_tables, same).where(
            snapshot_tables.c.environment == environment, snapshot_tables.c.last.is_(None)
        )
    )
    return {name: (number, run_id, rows) for name, number, run_id, rows in found}


def _refuse_pending(connection: Connection, wanted: Collection[str]) -> None:
    pending = connection.execute(
        select(intent_tables.c.name, intents.c.run_id)
        .join(intents, intents.c.run_id == intent_tables.c.run_id)
        .where(intents.c.state == PENDING)
    )
    for name, run_id in pending.all():
        if name in wanted:
            raise _conflict(f"run {run_id} is publishing the table {name!r}")


def _conflict(message: str) -> ConflictError:
    return ConflictError(message, hint="run again: it starts from what is published now")


def flip(connection: Connection, intent: Intent, at: Mapping[str, int], now: str) -> int:
    """Move the pointer to what an intent published; repeating it changes nothing."""
    row = connection.execute(select(intents).where(intents.c.run_id == intent.run_id)).one()
    if row.state == DONE:
        return int(row.snapshot)
    if row.state == WITHDRAWN:
        _raise_heads(connection, at)
        raise LeaseLostError(f"run {intent.run_id} was withdrawn: {row.reason}", hint="run again")
    number = next_snapshot(connection, intent.environment, intent.run_id, now)
    added = [_make_version(each, at[each.table], now) for each in intent.publications]
    add_versions(connection, added)
    numbers = {publication.table: publication.number for publication in intent.publications}
    move_pointer(connection, intent.environment, number, numbers, intent.removals)
    _raise_heads(connection, at)
    remember(connection, intent.environment, intent.run_id, row.run_number, intent.outcomes, now)
    _settle(connection, intent, numbers, number)
    return number


def _make_version(publication: Publication, delta_version: int, now: str) -> TableVersion:
    staged = publication.staged
    return TableVersion(
        table=publication.table,
        number=publication.number,
        delta_version=delta_version,
        schema=staged.schema,
        files=staged.files,
        content_hash=staged.content_hash,
        run_id=publication.run_id,
        fingerprint=publication.fingerprint,
        published_at=now,
    )


def _settle(
    connection: Connection, intent: Intent, numbers: Mapping[str, int], snapshot: int
) -> None:
    run_id = intent.run_id
    connection.execute(
        update(intents)
        .where(intents.c.run_id == run_id)
        .values(state=DONE, snapshot=snapshot, payload="")
    )
    connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id)
        .values(status=str(RunStatus.DONE), snapshot=snapshot)
    )
    mine = measurements.c.run_id == run_id
    measured = connection.execute(select(measurements.c.name).where(mine).distinct()).scalars()
    for name in numbers.keys() & set(measured):
        told = update(measurements).where(mine, measurements.c.name == name)
        connection.execute(told.values(number=numbers[name]))


def next_snapshot(connection: Connection, environment: str, run_id: str, now: str) -> int:
    """Insert a snapshot and return its number."""
    made = connection.execute(
        insert(snapshots).values(environment=environment, run_id=run_id, created_at=now)
    )
    return inserted_number(made)


def move_pointer(
    connection: Connection,
    environment: str,
    snapshot: int,
    numbers: Mapping[str, int],
    removals: Mapping[str, int] | None = None,
) -> None:
    """Let an environment's readers see a new snapshot, with these tables changed or taken away."""
    here = snapshot_tables.c.environment == environment
    named = snapshot_tables.c.name == bindparam("ended")
    ended = update(snapshot_tables).where(here, named, snapshot_tables.c.last.is_(None))
    ended = ended.values(last=snapshot - 1)
    if removals:
        # what another run has published meanwhile stays
        same = snapshot_tables.c.number == bindparam("seen")
        gone = [{"ended": name, "seen": number} for name, number in removals.items()]
        connection.execute(ended.where(same), gone)
    if numbers:
        connection.execute(ended, [{"ended": name} for name in numbers])
        connection.execute(
            insert(snapshot_tables),
            [
                {"environment": environment, "name": name, "first": snapshot, "number": number}
                for name, number in numbers.items()
            ],
        )
    upsert(connection, pointers, [{"environment": environment, "snapshot": snapshot}])


def add_versions(connection: Connection, added: Sequence[TableVersion]) -> None:
    """Insert the next versions of some tables, and begin and end the spans of their files."""
    if not added:
        return
    connection.execute(insert(versions), [_version_row(version) for version in added])
    before: dict[str, set[str]] = {version.table: set() for version in added}
    goes_on = files.c.last.is_(None)
    held = select(files.c.name, files.c.path).where(goes_on, files.c.name.in_(before))
    for name, path in connection.execute(held):
        before[name].add(path)
    gone, fresh = [], []
    for version in added:
        known, after = before[version.table], {file.path for file in version.files}
        last = version.number - 1
        gone += [{"of": version.table, "gone": path, "at": last} for path in known - after]
        fresh += [_file_row(version, file) for file in version.files if file.path not in known]
    if gone:
        named = (files.c.name == bindparam("of")) & (files.c.path == bindparam("gone"))
        connection.execute(update(files).where(named, goes_on).values(last=bindparam("at")), gone)
    if fresh:
        connection.execute(insert(files), fresh)


def _version_row(version: TableVersion) -> dict[str, Any]:
    return {
        "name": version.table,
        "number": version.number,
        "delta_version": version.delta_version,
        "schema": encode_schema(version.schema),
        "content_hash": version.content_hash,
        "run_id": version.run_id,
        "fingerprint": version.fingerprint,
        "published_at": version.published_at,
    }


def _file_row(version: TableVersion, file: DataFile) -> dict[str, Any]:
    path, rows, size, digest, stats = encode_file(file)
    return {
        "name": version.table,
        "path": path,
        "first": version.number,
        "last": None,
        "rows": rows,
        "bytes": size,
        "digest": digest,
        "stats": dump_json(stats),
    }


def _raise_heads(connection: Connection, at: Mapping[str, int]) -> None:
    if not at:
        return
    named = tables.c.name == bindparam("of")
    behind = or_(tables.c.head.is_(None), tables.c.head < bindparam("at"))
    raised = update(tables).where(named, behind).values(head=bindparam("at"))
    connection.execute(raised, [{"of": name, "at": head} for name, head in at.items()])


def remember(
    connection: Connection,
    environment: str,
    run_id: str,
    run_number: int,
    outcomes: Sequence[StepOutcome],
    now: str,
) -> None:
    """Make successes true, and forget what was staged for them until now.

    A result that equals what is published has no version of its own: its memory is only
    true while the version that it was compared with is still what readers see.
    """
    current = _current_versions(connection, environment)
    made = [
        outcome
        for outcome in outcomes
        if outcome.status in _TRUE and _is_true(outcome, current, run_id)
    ]
    upsert(
        connection,
        memories,
        [
            {
                "environment": environment,
                "step": outcome.step,
                "run_number": run_number,
                "memory": dump_json(encode_memory(outcome.remember(run_id, now))),
            }
            for outcome in made
        ],
    )
    kept = (steps.c.run_number <= run_number, steps.c.reusable == 1)
    reusable = {*connection.execute(select(steps.c.step).where(*kept)).scalars()}
    if spent := [{"spent": each.step} for each in made if each.step in reusable]:
        over = update(steps).where(steps.c.step == bindparam("spent"), *kept)
        connection.execute(over.values(reusable=0, memory=null()), spent)


def _is_true(
    outcome: StepOutcome, current: Mapping[str, tuple[int, str, str]], run_id: str
) -> bool:
    staged = outcome.staged
    if staged is None:
        return True
    number, publisher, content = current.get(staged.table, (None, "", ""))
    # what started over has no base
    same = content == staged.content_hash if staged.base is None else number == staged.base
    return same or publisher == run_id


def withdraw(
    connection: Connection, intent: Intent, committed: Mapping[str, int], reason: str
) -> None:
    """Give an intent up; the heads of what was committed are kept."""
    state = connection.execute(
        select(intents.c.state).where(intents.c.run_id == intent.run_id)
    ).scalar_one()
    _raise_heads(connection, committed)
    if state != PENDING:
        return
    connection.execute(
        update(intents)
        .where(intents.c.run_id == intent.run_id)
        .values(state=WITHDRAWN, payload="", reason=reason)
    )
    connection.execute(
        update(runs)
        .where(runs.c.run_id == intent.run_id)
        .values(status=str(RunStatus.FAILED), error=reason)
    )


def adopt(connection: Connection, version: TableVersion, environment: str, now: str) -> int:
    """Make a version that another writer committed the table's current one."""
    _refuse_pending(connection, {version.table})
    last = connection.execute(
        select(tables.c.last_number).where(tables.c.name == version.table)
    ).scalar()
    number = (last or 0) + 1
    snapshot = next_snapshot(connection, environment, version.run_id, now)
    add_versions(connection, [replace(version, number=number, published_at=now)])
    head = {"name": version.table, "last_number": number, "head": version.delta_version}
    upsert(connection, tables, [head])
    move_pointer(connection, environment, snapshot, {version.table: number})
    return snapshot


def close_run(
    connection: Connection,
    lease: Lease,
    status: RunStatus,
    seconds: float,
    error: str,
    outcomes: Sequence[StepOutcome],
    now: str,
) -> None:
    """Record how a run ended; while its intent is pending, that is for others to say."""
    run = connection.execute(select(runs).where(runs.c.run_id == lease.run_id)).one()
    if run.status == RunStatus.LOST:
        if status == RunStatus.DONE:
            raise lost(lease)
        return
    values: dict[str, Any] = {"seconds": seconds}
    if run.status == RunStatus.RUNNING:
        require_live(connection, lease)
        values |= {"status": str(status), "error": error}
        if status == RunStatus.DONE:
            remember(connection, run.environment, lease.run_id, lease.token, outcomes, now)
    elif run.status == RunStatus.FAILED:
        values |= {"error": error or run.error}
    connection.execute(update(runs).where(runs.c.run_id == lease.run_id).values(values))
    end_lease(connection, lease.run_id, VOID if run.status == RunStatus.PUBLISHING else OVER)
