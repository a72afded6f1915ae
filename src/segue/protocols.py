"""What segue asks of an engine, a source kind, a lake, a ledger and a check kind.

Each is found by entry point (`segue.registry`), so that one more is a package
of its own. Implementations know nothing of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import pyarrow as pa

    from segue.spec.contract import Check, Measurement
    from segue.spec.output import DataFile, StepMemory, TableHistory, TableVersion
    from segue.spec.run import (
        Intent,
        Lease,
        Owner,
        Publication,
        RunStart,
        RunStatus,
        RunSummary,
        Snapshot,
        StepOutcome,
    )
    from segue.spec.scan import Scan, SourceState
    from segue.spec.step import PlaceSpec, SourceSpec
    from segue.spec.types import DataType, TableSchema


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do, as data that plans read.

    Attributes:
        dialect: SQL dialect, as sqlglot names it.
        scans: Formats that it reads by itself.
        functions: Whether it runs Python functions where the data is.
        distributed: Whether its workers are other machines.
        extra: Extra of segue that installs it; empty if it is part of the core.
        row_hash: Identity of the hash by which it tells rows apart.
    """

    dialect: str
    scans: frozenset[str]
    functions: bool
    distributed: bool
    extra: str = ""
    row_hash: str = ""


class Engine(Protocol):
    """Software that computes."""

    name: str
    capabilities: Capabilities

    def open(self, place: PlaceSpec, scratch: Path) -> Session:
        """Start or reach the engine.

        Args:
            place: Address and limits.
            scratch: Folder for what does not fit in memory; the caller removes it.
        """
        ...


class Session(Protocol):
    """An engine at work: names for data, and SELECTs over them.

    A session is used by one thread at a time; `fork` gives another thread its own.
    """

    def fork(self) -> Session:
        """Return a session that shares this one's memory and threads, and none of its names.

        Closing a fork leaves the others as they are; closing the first one ends all.
        """
        ...

    def bind(self, name: str, data: Scan | str | pa.Table) -> None:
        """Give data a name that queries can use: files, a SELECT, or an Arrow table."""
        ...

    def unbind(self, name: str) -> None:
        """Forget a name."""
        ...

    def describe(self, query: str) -> TableSchema:
        """Return the columns of a SELECT in segue's types, without running it.

        Raises:
            SqlError: It does not parse or bind; the location's line counts from the
                query's first line and its path is empty.
        """
        ...

    def fetch(self, query: str) -> pa.Table:
        """Run a SELECT and return all rows, in the types that `describe` tells."""
        ...

    def stream(self, query: str, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """Run a SELECT and return rows as they come, in the types that `describe` tells."""
        ...

    def native(self, query: str) -> Any:
        """Return a SELECT as the engine's own frame, unevaluated."""
        ...

    def write(
        self,
        query: str,
        folder: Path,
        stem: str,
        schema: TableSchema,
        storage: Callable[[DataType], DataType],
        progress: Callable[[int], None] | None = None,
    ) -> tuple[DataFile, ...]:
        """Run a SELECT and write its rows as Parquet files that are safe on disk (fsync).

        Args:
            query: A SELECT.
            folder: Existing folder.
            stem: Beginning of the files' names: ``<stem>-0.parquet``, ...
            schema: Logical columns, to which results are cast by name order.
            storage: Gives the type in which a logical type is stored.
            progress: Called now and then with the rows so far.

        Returns:
            The files with rows, bytes, digest and stats; none is written for zero rows
            but one empty file with the schema.
        """
        ...

    def digest(self, scan: Scan) -> tuple[DataFile, ...]:
        """Return each file's rows, bytes and row digest; paths are the scan's base names."""
        ...

    def close(self) -> None:
        """Interrupt what runs and free everything."""
        ...

    def __enter__(self) -> Self:
        """Return the session."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        ...


class SourceKind(Protocol):
    """A way to read source tables; one small file each.

    Attributes:
        suffixes: Endings of file names that mean this kind, such as ``.csv``.
        options: Pydantic model of ``[tables.<name>]`` for this kind; unknown keys are refused.
    """

    suffixes: tuple[str, ...]
    options: type[Any]

    def observe(self, source: SourceSpec, root: Path) -> SourceState:
        """Look at the source without reading its rows.

        Raises:
            SourceError: There is nothing to read, or it can't be reached.
        """
        ...

    def scan(self, source: SourceSpec, root: Path, scratch: Path, only: Sequence[str] = ()) -> Scan:
        """Return how to read it; `only` limits it to these files of its state.

        Raises:
            SourceError: It can't be read.
        """
        ...


class Lake(Protocol):
    """Where tables are stored."""

    def folder(self, table: str) -> Path:
        """Return the folder of a table, made if need be: files are staged there."""
        ...

    def storage_type(self, type_: DataType) -> DataType:
        """Return the nearest type that the lake can store."""
        ...

    def scan(self, schema: TableSchema, table: str, files: Sequence[DataFile]) -> Scan:
        """Return how to read files of a table, published or staged."""
        ...

    def head(self, table: str) -> int | None:
        """Return the newest version in the table's log, None if there is no log; cheap."""
        ...

    def commit(self, publication: Publication) -> int:
        """Make a table's staged files its newest version; repeating it changes nothing.

        Returns:
            The version in the table's log.

        Raises:
            ForeignCommitError: The log does not stand at the expected version.
        """
        ...

    def history(self, table: str) -> tuple[Mapping[str, Any], ...]:
        """Return segue's own commits found in the table's log, oldest first, for a rebuild.

        Each has: number, delta_version, run_id, fingerprint, environment, run_tables (how many
        tables the run published together), schema (expression), files (tuple of DataFile),
        content_hash, memory (of the step, its `seen_files` only the new ones; None for rejects),
        committed_at.
        """
        ...

    def tables(self) -> tuple[str, ...]:
        """Return the names of all tables that have a log."""
        ...

    def folders(self) -> tuple[str, ...]:
        """Return the names of all tables that have a folder, published or not."""
        ...

    def current(self, table: str) -> tuple[int, TableSchema, tuple[DataFile, ...]]:
        """Return version, columns and files at the head of a table's log, whoever wrote it.

        The files that another writer made have no digest.

        Raises:
            StorageError: The other writer used what segue can't read by file list.
        """
        ...

    def held_files(self, table: str) -> frozenset[str]:
        """Return the paths of the files at the head of a table's log."""
        ...

    def loose_files(self, table: str) -> tuple[Path, ...]:
        """Return data files in the table's folder, whether or not a version holds them."""
        ...


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


class CheckKind(Protocol):
    """A kind of check; one small file each.

    Attributes:
        name: The word in contracts.
        scope: ``column`` for one that stands below a column, ``table`` for one beside the
            columns, ``both`` for one that can be either.
        row_level: Whether single rows break it, so that they can be set aside.
    """

    name: str
    scope: str
    row_level: bool

    def read(self, value: Any) -> Mapping[str, Any]:
        """Turn what stands in a contract into the check's arguments.

        Raises:
            ValueError: It makes no sense; the message says what was expected.
        """
        ...

    def failing(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the SQL predicate (never null) that is true for rows that break the check.

        It may use window functions or subqueries over `table` only where `row_level` is
        true for them as well. For whole-table checks: an empty string.
        """
        ...

    def measure(self, check: Check, types: Mapping[str, DataType], table: str) -> str:
        """Return the aggregate SQL expression that `judge` reads.

        A count of failing rows for a row-level check, the measured value otherwise. The
        expressions of all checks share one scan; a measure that needs a query of its own
        is a whole SELECT of one value, beginning with ``select``.
        """
        ...

    def judge(self, check: Check, value: Any, rows: int) -> Measurement:
        """Turn what was measured into a verdict with a sentence for people."""
        ...


class Clock(Protocol):
    """Time, injected so that tests can say what it is."""

    def now(self) -> str:
        """Return UTC time as ISO text with microseconds; for people, never for decisions."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, comparable within one start of the machine."""
        ...
