"""The ledger in a SQL database: SQLite by default, PostgreSQL by URL.

Every method is one transaction. Writers of a SQLite ledger begin with ``BEGIN IMMEDIATE``:
two readers that turned into writers would otherwise block each other.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from segue.spec.history import Judged
from segue.spec.run import StepStatus
from segue.stores import ledger_alerts, ledger_history, ledger_leases, ledger_publish, ledger_read
from segue.stores.codec import dump_json, encode_failure, encode_memory
from segue.stores.ledger_connect import (
    check_integrity,
    name_ledger,
    open_engine,
    prepare,
    reading,
    set_aside,
    upsert,
    writing,
)
from segue.stores.ledger_restore import restore
from segue.stores.ledger_tables import alerts, measurements, runs, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from segue.spec.alerts import Episode
    from segue.spec.history import Point
    from segue.spec.output import StepMemory, TableHistory, TableVersion
    from segue.spec.run import (
        Intent,
        Lease,
        Owner,
        RunStart,
        RunStatus,
        RunSummary,
        Snapshot,
        StepOutcome,
    )


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


class SqlLedger:
    """A ledger in a SQL database.

    Args:
        url: ``sqlite:///path`` or a URL of PostgreSQL, as SQLAlchemy writes them.
        wait_seconds: Longest wait for another program's lock.
        now: UTC time as ISO text; for people only.
        monotonic: Seconds that never go back, comparable within one start of the machine.

    Raises:
        LedgerDamagedError: The file is not a ledger.
        StorageError: It was made by a newer segue, or can't be opened.
    """

    def __init__(
        self,
        url: str,
        *,
        wait_seconds: float = 10.0,
        now: Callable[[], str] = _utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = open_engine(url, wait_seconds)
        self._where = name_ledger(self._engine)
        self._now = now
        self._monotonic = monotonic
        prepare(self._engine, self._where)

    def open_run(self, start: RunStart, owner: Owner, lease_seconds: float) -> Lease:
        """Record that a run begins, and give it a fencing token."""
        with writing(self._engine, self._where) as connection:
            return ledger_leases.insert_run(
                connection, start, owner, lease_seconds, self._monotonic()
            )

    def beat(self, lease: Lease) -> None:
        """Renew a lease."""
        with writing(self._engine, self._where) as connection:
            ledger_leases.beat(connection, lease, self._monotonic())

    def note(self, lease: Lease, outcomes: Sequence[StepOutcome]) -> None:
        """Record what became of steps, and what was measured."""
        with writing(self._engine, self._where) as connection:
            ledger_leases.require_live(connection, lease)
            self._note(connection, lease, outcomes)

    def _note(self, connection: Connection, lease: Lease, outcomes: Sequence[StepOutcome]) -> None:
        now = self._now()
        upsert(connection, steps, [_step_row(lease, outcome, now) for outcome in outcomes])
        judged = [_find_judged(outcome, lease.run_id) for outcome in outcomes]
        found = [each for each in judged if each is not None and each.report.measurements]
        if found:
            again = measurements.c.name.in_({each.report.table for each in found})
            mine = measurements.c.run_id == lease.run_id
            connection.execute(delete(measurements).where(mine, again))
            of_run = select(runs.c.environment).where(runs.c.run_id == lease.run_id)
            environment = connection.execute(of_run).scalar_one()
            self._keep(connection, found, environment)

    def note_checks(self, judged: Sequence[Judged], environment: str = "production") -> None:
        """Record what was measured outside of runs, or what a lost ledger knew."""
        with writing(self._engine, self._where) as connection:
            self._keep(connection, judged, environment)

    def _keep(self, connection: Connection, judged: Sequence[Judged], environment: str) -> None:
        now = self._now()
        rows = [ledger_history.measurement_rows(each, environment, now) for each in judged]
        ledger_history.insert_measurements(connection, [row for some in rows for row in some])

    def history(
        self,
        table: str,
        check: str | None = None,
        *,
        environment: str = "production",
        limit: int = 1000,
    ) -> tuple[Point, ...]:
        """Return the newest measurements of a table or of one check of it, oldest first."""
        with reading(self._engine, self._where) as connection:
            return ledger_history.find_points(connection, table, check, environment, limit)

    def episodes(self, environment: str = "production") -> tuple[Episode, ...]:
        """Return which checks somebody was told of, or is still to be told of."""
        with reading(self._engine, self._where) as connection:
            return ledger_alerts.find_episodes(connection, environment)

    def keep_episodes(
        self,
        kept: Sequence[Episode],
        ended: Sequence[Episode] = (),
        environment: str = "production",
    ) -> None:
        """Remember episodes as they stand now, and forget those that are over."""
        with writing(self._engine, self._where) as connection:
            ledger_alerts.remove_episodes(connection, ended, environment)
            upsert(connection, alerts, [ledger_alerts.episode_row(e, environment) for e in kept])

    def declare(self, lease: Lease, intent: Intent) -> None:
        """Record what the run will publish: the commit point."""
        with writing(self._engine, self._where) as connection:
            ledger_publish.declare(connection, lease, intent)

    def pending(self, *, dead_only: bool = False) -> tuple[Intent, ...]:
        """Return intents that are declared and not yet flipped, oldest first."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_pending(connection, dead_only=dead_only)

    def flip(self, intent: Intent, versions: Mapping[str, int]) -> int:
        """Move the pointer to what an intent published; repeating it changes nothing."""
        with writing(self._engine, self._where) as connection:
            return ledger_publish.flip(connection, intent, versions, self._now())

    def withdraw(self, intent: Intent, committed: Mapping[str, int], reason: str) -> None:
        """Give an intent up that a foreign commit made impossible."""
        with writing(self._engine, self._where) as connection:
            ledger_publish.withdraw(connection, intent, committed, reason)

    def adopt(self, version: TableVersion, environment: str = "production") -> int:
        """Take a foreign commit's files as a table's current version."""
        with writing(self._engine, self._where) as connection:
            return ledger_publish.adopt(connection, version, environment, self._now())

    def close_run(
        self,
        lease: Lease,
        status: RunStatus,
        seconds: float,
        error: str = "",
        outcomes: Sequence[StepOutcome] = (),
    ) -> None:
        """Record how a run ended; what it left in doubt stays for `recover`."""
        with writing(self._engine, self._where) as connection:
            ledger_publish.close_run(
                connection, lease, status, seconds, error, outcomes, self._now()
            )

    def lose_dead_runs(self, observer: Owner, alive: Callable[[Owner], bool]) -> tuple[str, ...]:
        """Mark running runs whose lease is over as lost and void their tokens."""
        now = self._monotonic()
        with reading(self._engine, self._where) as connection:
            if not ledger_leases.find_doubtful(connection, observer, alive, now):
                return ()
        with writing(self._engine, self._where) as connection:
            return ledger_leases.lose_dead(connection, observer, alive, now)

    def unsettled(self) -> tuple[RunSummary, ...]:
        """Return dead runs without a pending intent whose records nobody has completed yet."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_unsettled(connection)

    def settle(self, run_ids: Sequence[str]) -> None:
        """Note that nothing is left to do for these dead runs."""
        with writing(self._engine, self._where) as connection:
            ledger_leases.end_void_leases(connection, run_ids)

    def published(self, run_id: str) -> Mapping[str, int]:
        """Return the number of each table version that a run published."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_published(connection, run_id)

    def live_runs(self) -> tuple[str, ...]:
        """Return the ids of runs that are not over."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_live_runs(connection)

    def snapshot(self, environment: str = "production", number: int | None = None) -> Snapshot:
        """Return what the environment's readers see, or an older snapshot of it."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_snapshot(connection, environment, number)

    def heads(self) -> Mapping[str, int]:
        """Return the Delta version at which each table's log must stand."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_heads(connection)

    def numbers(self) -> Mapping[str, int]:
        """Return the last version number given to each table."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_numbers(connection)

    def versions(self, table: str) -> tuple[TableVersion, ...]:
        """Return all published versions of a table, oldest first."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_versions(connection, table)

    def memories(self, environment: str = "production") -> Mapping[str, StepMemory]:
        """Return each step's last success that became true."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_memories(connection, environment)

    def staged(self) -> Mapping[str, StepMemory]:
        """Return each step's last staged and unpublished success of a run that is over."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_staged(connection)

    def protected_files(self, keep_snapshots: int) -> Mapping[str, frozenset[str]]:
        """Return by table the files that kept snapshots, intents or live runs need."""
        with reading(self._engine, self._where) as connection:
            needed = ledger_read.find_protected(connection, keep_snapshots)
        return {table: frozenset(paths) for table, paths in needed.items()}

    def runs(self, limit: int = 20) -> tuple[RunSummary, ...]:
        """Return the newest runs, newest first."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_runs(connection, limit)

    def run(self, prefix: str) -> RunSummary:
        """Return the run whose id begins with `prefix`; ``last`` is the newest."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_run(connection, prefix)

    def measurements(self, table: str, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        """Return the newest measurements of a table, newest first."""
        with reading(self._engine, self._where) as connection:
            return ledger_read.find_measurements(connection, table, limit)

    def restore(self, histories: Sequence[TableHistory], runs: Sequence[RunStart]) -> None:
        """Fill an empty ledger with what the lake's logs tell."""
        with writing(self._engine, self._where) as connection:
            restore(connection, histories, runs, self._now())

    def is_empty(self) -> bool:
        """Return whether no run was ever recorded."""
        with reading(self._engine, self._where) as connection:
            return connection.execute(select(runs.c.number).limit(1)).first() is None

    @staticmethod
    def set_aside(url: str) -> str:
        """Rename a damaged ledger; the next one of its URL begins empty."""
        return set_aside(url)

    def check_integrity(self) -> None:
        """Read all of the ledger for damage."""
        check_integrity(self._engine, self._where)

    def close(self) -> None:
        """Close connections."""
        self._engine.dispose()


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
