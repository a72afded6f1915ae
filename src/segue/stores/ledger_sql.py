"""The ledger in a SQL database: SQLite by default, PostgreSQL by URL.

Every method is one transaction. Writers of a SQLite ledger begin with ``BEGIN IMMEDIATE``:
two readers that turned into writers would otherwise block each other.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from segue.stores import ledger_state
from segue.stores.ledger_glance import open_glance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

    from segue.spec.alerts import Episode
    from segue.spec.history import Judged, Point
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
    from segue.stores.ledger_state import Ask

Found = TypeVar("Found")


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


class SqlLedger:
    """A ledger in a SQL database.

    What every command reads is read without SQLAlchemy where that can be; the rest loads it.

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
        self._url = url
        self._wait_seconds = wait_seconds
        self._now = now
        self._monotonic = monotonic
        self._glance = open_glance(url)
        if self._glance is None:
            _ = self._engine

    @cached_property
    def _engine(self) -> Engine:
        from segue.stores.ledger_connect import name_ledger, open_engine, prepare

        engine = open_engine(self._url, self._wait_seconds)
        self._where = name_ledger(engine)
        prepare(engine, self._where)
        return engine

    def _reading(self) -> AbstractContextManager[Connection]:
        from segue.stores.ledger_connect import reading

        return reading(self._engine, self._where)

    def _writing(self) -> AbstractContextManager[Connection]:
        from segue.stores.ledger_connect import writing

        return writing(self._engine, self._where)

    def _see(self, look: Callable[[Ask], Found]) -> Found:
        """Return what is found in one state of the ledger."""
        if (glance := self._glance) is not None:
            try:
                return glance.see(look)
            except (sqlite3.Error, ValueError):  # a lock, or damage: told below
                glance.close()
                self._glance = None
        from segue.stores.ledger_connect import asking

        with self._reading() as connection:
            return look(asking(connection))

    def open_run(self, start: RunStart, owner: Owner, lease_seconds: float) -> Lease:
        """Record that a run begins, and give it a fencing token."""
        from segue.stores import ledger_leases

        with self._writing() as connection:
            return ledger_leases.insert_run(
                connection, start, owner, lease_seconds, self._monotonic()
            )

    def beat(self, lease: Lease) -> None:
        """Renew a lease."""
        from segue.stores import ledger_leases

        with self._writing() as connection:
            ledger_leases.beat(connection, lease, self._monotonic())

    def note(self, lease: Lease, outcomes: Sequence[StepOutcome]) -> None:
        """Record what became of steps, and what was measured."""
        from segue.stores import ledger_leases, ledger_notes

        with self._writing() as connection:
            ledger_leases.require_live(connection, lease)
            ledger_notes.note(connection, lease, outcomes, self._now())

    def note_checks(self, judged: Sequence[Judged], environment: str = "production") -> None:
        """Record what was measured outside of runs, or what a lost ledger knew."""
        from segue.stores import ledger_notes

        with self._writing() as connection:
            ledger_notes.keep_judged(connection, judged, environment, self._now())

    def history(
        self,
        table: str,
        check: str | None = None,
        *,
        environment: str = "production",
        limit: int = 1000,
    ) -> tuple[Point, ...]:
        """Return the newest measurements of a table or of one check of it, oldest first."""
        from segue.stores import ledger_history

        with self._reading() as connection:
            return ledger_history.find_points(connection, table, check, environment, limit)

    def episodes(self, environment: str = "production") -> tuple[Episode, ...]:
        """Return which checks somebody was told of, or is still to be told of."""
        from segue.stores import ledger_alerts

        with self._reading() as connection:
            return ledger_alerts.find_episodes(connection, environment)

    def keep_episodes(
        self,
        kept: Sequence[Episode],
        ended: Sequence[Episode] = (),
        environment: str = "production",
    ) -> None:
        """Remember episodes as they stand now, and forget those that are over."""
        from segue.stores import ledger_alerts
        from segue.stores.ledger_connect import upsert
        from segue.stores.ledger_tables import alerts

        with self._writing() as connection:
            ledger_alerts.remove_episodes(connection, ended, environment)
            upsert(connection, alerts, [ledger_alerts.episode_row(e, environment) for e in kept])

    def declare(self, lease: Lease, intent: Intent) -> None:
        """Record what the run will publish: the commit point."""
        from segue.stores import ledger_publish

        with self._writing() as connection:
            ledger_publish.declare(connection, lease, intent)

    def pending(self, *, dead_only: bool = False) -> tuple[Intent, ...]:
        """Return intents that are declared and not yet flipped, oldest first."""
        return self._see(lambda ask: ledger_state.find_pending(ask, dead_only=dead_only))

    def flip(self, intent: Intent, versions: Mapping[str, int]) -> int:
        """Move the pointer to what an intent published; repeating it changes nothing."""
        from segue.stores import ledger_publish

        with self._writing() as connection:
            return ledger_publish.flip(connection, intent, versions, self._now())

    def withdraw(self, intent: Intent, committed: Mapping[str, int], reason: str) -> None:
        """Give an intent up that a foreign commit made impossible."""
        from segue.stores import ledger_publish

        with self._writing() as connection:
            ledger_publish.withdraw(connection, intent, committed, reason)

    def adopt(self, version: TableVersion, environment: str = "production") -> int:
        """Take a foreign commit's files as a table's current version."""
        from segue.stores import ledger_publish

        with self._writing() as connection:
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
        from segue.stores import ledger_publish

        with self._writing() as connection:
            ledger_publish.close_run(
                connection, lease, status, seconds, error, outcomes, self._now()
            )

    def lose_dead_runs(self, observer: Owner, alive: Callable[[Owner], bool]) -> tuple[str, ...]:
        """Mark running runs whose lease is over as lost and void their tokens."""
        if ledger_state.LIVE not in self._see(ledger_state.find_lease_states):
            return ()
        from segue.stores import ledger_leases

        now = self._monotonic()
        with self._reading() as connection:
            if not ledger_leases.find_doubtful(connection, observer, alive, now):
                return ()
        with self._writing() as connection:
            return ledger_leases.lose_dead(connection, observer, alive, now)

    def unsettled(self) -> tuple[RunSummary, ...]:
        """Return dead runs without a pending intent whose records nobody has completed yet."""
        if ledger_state.VOID not in self._see(ledger_state.find_lease_states):
            return ()
        from segue.stores import ledger_read

        with self._reading() as connection:
            return ledger_read.find_unsettled(connection)

    def settle(self, run_ids: Sequence[str]) -> None:
        """Note that nothing is left to do for these dead runs."""
        from segue.stores import ledger_leases

        with self._writing() as connection:
            ledger_leases.end_void_leases(connection, run_ids)

    def published(self, run_id: str) -> Mapping[str, int]:
        """Return the number of each table version that a run published."""
        from segue.stores import ledger_read

        with self._reading() as connection:
            return ledger_read.find_published(connection, run_id)

    def live_runs(self) -> tuple[str, ...]:
        """Return the ids of runs that are not over."""
        from segue.stores import ledger_read

        with self._reading() as connection:
            return ledger_read.find_live_runs(connection)

    def snapshot(self, environment: str = "production", number: int | None = None) -> Snapshot:
        """Return what the environment's readers see, or an older snapshot of it."""
        return self._see(lambda ask: ledger_state.find_snapshot(ask, environment, number))

    def heads(self) -> Mapping[str, int]:
        """Return the Delta version at which each table's log must stand."""
        return self._see(ledger_state.find_heads)

    def numbers(self) -> Mapping[str, int]:
        """Return the last version number given to each table."""
        return self._see(ledger_state.find_numbers)

    def versions(self, table: str) -> tuple[TableVersion, ...]:
        """Return all published versions of a table, oldest first."""
        from segue.stores import ledger_read

        with self._reading() as connection:
            return ledger_read.find_versions(connection, table)

    def memories(self, environment: str = "production") -> Mapping[str, StepMemory]:
        """Return each step's last success that became true."""
        return self._see(lambda ask: ledger_state.find_memories(ask, environment))

    def staged(self) -> Mapping[str, StepMemory]:
        """Return each step's last staged and unpublished success of a run that is over."""
        return self._see(ledger_state.find_staged)

    def protected_files(self, keep_snapshots: int) -> Mapping[str, frozenset[str]]:
        """Return by table the files that kept snapshots, intents or live runs need."""
        from segue.stores import ledger_read

        with self._reading() as connection:
            needed = ledger_read.find_protected(connection, keep_snapshots)
        return {table: frozenset(paths) for table, paths in needed.items()}

    def runs(self, limit: int = 20) -> tuple[RunSummary, ...]:
        """Return the newest runs, newest first."""
        from segue.stores import ledger_read

        with self._reading() as connection:
            return ledger_read.find_runs(connection, limit)

    def run(self, prefix: str) -> RunSummary:
        """Return the run whose id begins with `prefix`; ``last`` is the newest."""
        from segue.stores import ledger_read

        with self._reading() as connection:
            return ledger_read.find_run(connection, prefix)

    def measurements(self, table: str, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        """Return the newest measurements of a table, newest first."""
        from segue.stores import ledger_read

        with self._reading() as connection:
            return ledger_read.find_measurements(connection, table, limit)

    def restore(self, histories: Sequence[TableHistory], runs: Sequence[RunStart]) -> None:
        """Fill an empty ledger with what the lake's logs tell."""
        from segue.stores.ledger_restore import restore

        with self._writing() as connection:
            restore(connection, histories, runs, self._now())

    def is_empty(self) -> bool:
        """Return whether no run was ever recorded."""
        return self._see(ledger_state.is_empty)

    @staticmethod
    def set_aside(url: str) -> str:
        """Rename a damaged ledger; the next one of its URL begins empty."""
        from segue.stores.ledger_connect import set_aside

        return set_aside(url)

    def check_integrity(self) -> None:
        """Read all of the ledger for damage."""
        from segue.stores.ledger_connect import check_integrity

        check_integrity(self._engine, self._where)

    def close(self) -> None:
        """Close connections."""
        if self._glance is not None:
            self._glance.close()
            self._glance = None
        if "_engine" in vars(self):
            self._engine.dispose()
