"""What segue asks of the database of runs, snapshots, lineage and measurements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


class Ledger(Protocol):
    """The database of runs, snapshots, lineage and measurements."""

    def open_run(self, start: RunStart, owner: Owner, lease_seconds: float) -> Lease:
        """Record that a run begins, and give it a fencing token."""
        ...

    def beat(self, lease: Lease) -> None:
        """Renew a lease.

        Raises:
            LeaseLostError: The run was taken for lost.
        """
        ...

    def note(self, lease: Lease, outcomes: Sequence[StepOutcome]) -> None:
        """Record what became of steps: one transaction for all of them."""
        ...

    def note_checks(self, judged: Sequence[Judged], environment: str = "production") -> None:
        """Record what was measured outside of runs, or what a lost ledger knew.

        It needs no lease, as it changes no table.
        """
        ...

    def history(
        self,
        table: str,
        check: str | None = None,
        *,
        environment: str = "production",
        limit: int = 1000,
    ) -> tuple[Point, ...]:
        """Return the newest measurements of a table or of one check of it, oldest first.

        Args:
            table: Name of the table.
            check: Name of the check; None for all of them.
            environment: Where it was measured.
            limit: Most measurements.
        """
        ...

    def episodes(self, environment: str = "production") -> tuple[Episode, ...]:
        """Return which checks somebody was told of, or is still to be told of."""
        ...

    def keep_episodes(
        self,
        kept: Sequence[Episode],
        ended: Sequence[Episode] = (),
        environment: str = "production",
    ) -> None:
        """Remember episodes as they stand now, and forget those that are over.

        Args:
            kept: Episodes that go on; each replaces what was known of it.
            ended: Episodes that are over.
            environment: Where the checks were measured.
        """
        ...

    def declare(self, lease: Lease, intent: Intent) -> None:
        """Record what the run will publish: the commit point.

        Raises:
            LeaseLostError: The run was taken for lost.
            ConflictError: A table has moved on since the run's plan, or another run's
                intent for it is pending.
        """
        ...

    def pending(self, *, dead_only: bool = False) -> tuple[Intent, ...]:
        """Return intents that are declared and not yet flipped, oldest first.

        Args:
            dead_only: Only those whose run is dead, and that others have to finish.
        """
        ...

    def flip(self, intent: Intent, versions: Mapping[str, int]) -> int:
        """Move the pointer to what an intent published; repeating it changes nothing.

        Args:
            intent: The intent.
            versions: Delta version of each of its tables.

        Returns:
            The number of the snapshot.
        """
        ...

    def withdraw(self, intent: Intent, committed: Mapping[str, int], reason: str) -> None:
        """Give an intent up that a foreign commit made impossible.

        Args:
            intent: The intent.
            committed: Delta versions of its tables that were committed already; readers never
                see them, and the next publication of such a table replaces them.
            reason: What made it impossible.
        """
        ...

    def adopt(self, version: TableVersion, environment: str = "production") -> int:
        """Take a foreign commit's files as a table's current version.

        Args:
            version: What was found; its number is given by the ledger.
            environment: Whose pointer is moved.

        Returns:
            The number of the snapshot.

        Raises:
            ConflictError: A run is publishing the table.
        """
        ...

    def restore(self, histories: Sequence[TableHistory], runs: Sequence[RunStart]) -> None:
        """Fill an empty ledger with what the lake's logs tell.

        Args:
            histories: What was found, one per table.
            runs: The runs that published it, oldest first.
        """
        ...

    def is_empty(self) -> bool:
        """Return whether no run was ever recorded."""
        ...

    def check_integrity(self) -> None:
        """Read all of the ledger for damage.

        Raises:
            LedgerDamagedError: It is damaged.
        """
        ...

    @staticmethod
    def set_aside(url: str) -> str:
        """Rename a damaged ledger; the next one of its URL begins empty.

        Returns:
            Where it now lies; empty if there was none.

        Raises:
            StorageError: It is in a database that segue does not rename.
        """
        ...

    def live_runs(self) -> tuple[str, ...]:
        """Return the ids of runs that are not over."""
        ...

    def close_run(
        self,
        lease: Lease,
        status: RunStatus,
        seconds: float,
        error: str = "",
        outcomes: Sequence[StepOutcome] = (),
    ) -> None:
        """Record how a run ended."""
        ...

    def lose_dead_runs(self, observer: Owner, alive: Callable[[Owner], bool]) -> tuple[str, ...]:
        """Mark running runs whose lease is over as lost and void their tokens.

        A run is dead if its machine has restarted, if its process on this machine is gone
        (`alive`), or if its heartbeat has stood still for longer than its lease by the
        monotonic clock of the same boot; on other machines, by watching the count of beats.

        Returns:
            The runs that were marked lost.
        """
        ...

    def unsettled(self) -> tuple[RunSummary, ...]:
        """Return dead runs without a pending intent whose records nobody has completed yet."""
        ...

    def settle(self, run_ids: Sequence[str]) -> None:
        """Note that nothing is left to do for these dead runs."""
        ...

    def published(self, run_id: str) -> Mapping[str, int]:
        """Return the number of each table version that a run published."""
        ...

    def snapshot(self, environment: str = "production", number: int | None = None) -> Snapshot:
        """Return what the environment's readers see, or an older snapshot of it."""
        ...

    def heads(self) -> Mapping[str, int]:
        """Return the Delta version at which each table's log must stand."""
        ...

    def numbers(self) -> Mapping[str, int]:
        """Return the last version number given to each table."""
        ...

    def versions(self, table: str) -> tuple[TableVersion, ...]:
        """Return all published versions of a table, oldest first."""
        ...

    def memories(self, environment: str = "production") -> Mapping[str, StepMemory]:
        """Return each step's last success that became true."""
        ...

    def staged(self) -> Mapping[str, StepMemory]:
        """Return each step's last staged and unpublished success of a run that is over."""
        ...

    def protected_files(self, keep_snapshots: int) -> Mapping[str, frozenset[str]]:
        """Return by table the files that kept snapshots, intents or live runs need."""
        ...

    def runs(self, limit: int = 20) -> tuple[RunSummary, ...]:
        """Return the newest runs, newest first."""
        ...

    def run(self, prefix: str) -> RunSummary:
        """Return the run whose id begins with `prefix`; ``last`` is the newest.

        Raises:
            UnknownNameError: None or several do.
        """
        ...

    def measurements(self, table: str, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        """Return the newest measurements of a table, newest first."""
        ...

    def close(self) -> None:
        """Close connections."""
        ...
