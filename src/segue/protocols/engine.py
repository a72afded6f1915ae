"""What segue asks of software that computes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import pyarrow as pa

    from segue.protocols.work import Work
    from segue.spec.layout import Layout
    from segue.spec.output import DataFile
    from segue.spec.scan import Scan
    from segue.spec.step import PlaceSpec
    from segue.spec.types import DataType, TableSchema


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do, as data that plans read.

    Attributes:
        dialect: SQL dialect, as sqlglot names it.
        scans: Formats that it reads by itself.
        functions: Whether it runs Python functions where the data is.
        distributed: Whether its workers are other processes, maybe on other machines.
        sql_workers: How many workers share the work of one SELECT: ``all`` of them, or ``one``
            that runs DuckDB on all of the rows.
        extra: Extra of segue that installs it; empty if it is part of the core.
        requires: Modules that must be there for it.
        schemes: Beginnings of the addresses that mean this engine, such as ``ray://``.
        start_seconds: What it takes to start it on one machine, roughly; `auto` weighs it.
        row_hash: Identity of the hash by which it tells rows apart; empty if it has none.
        gaps: What it can't do, each with the reason: ``never: ...`` (it can't be), ``upstream:
            ...`` (not yet possible with today's release of the engine) or ``open: ...`` (not yet
            written). The keys are names of conformance cases, or patterns of them.
    """

    dialect: str
    scans: frozenset[str]
    functions: bool
    distributed: bool
    sql_workers: str = "all"
    extra: str = ""
    requires: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    start_seconds: float = 0.0
    row_hash: str = ""
    gaps: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """Software that computes."""

    @property
    def name(self) -> str:
        """Name of the engine, and of its entry point."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    def open(self, place: PlaceSpec, scratch: Path) -> Session:
        """Start or reach the engine.

        What this process has started already is used again; closing the session stops only
        what opening it has started.

        Args:
            place: Address, limits and options.
            scratch: Folder for what does not fit in memory; the caller removes it.

        Raises:
            EngineError: It can't be started or reached.
            VersionClashError: Workers run another Python, segue or Arrow than this process.
        """
        ...

    def owns(self, thing: Any) -> bool:
        """Return whether a thing is one of the engine's live frames, or a live handle of it.

        It is asked about anything, so it must not import the engine's library.
        """
        ...

    def attach(self, thing: Any, scratch: Path) -> Session:
        """Return a session on the engine that a live frame or handle belongs to.

        Closing it leaves the engine running.
        """
        ...


class Tell(Protocol):
    """Hears how far a step has come."""

    def __call__(self, rows: int, share: float | None = None, /) -> None:
        """Hear of progress.

        Args:
            rows: Rows so far; 0 where only the share is known.
            share: What part of the work is done, from 0 to 1; None where nothing tells.
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

    @property
    def driver_host(self) -> str:
        """Host name or address by which workers reach this process."""
        ...

    def facts(self) -> Mapping[str, Any]:
        """Return what computes, for the record: name, version, address, workers, threads."""
        ...

    def bind(self, name: str, data: Scan | str | pa.Table | Any) -> None:
        """Give data a name that queries can use.

        Args:
            name: Any text; it is quoted in queries where need be.
            data: Files, a SELECT, an Arrow table, or one of the engine's own frames.

        Raises:
            SourceError: A file can't be read.
            SqlError: The SELECT is wrong.
        """
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

    def persist(self, query: str) -> Any:
        """Run a SELECT once, and return its rows as the engine's own frame.

        They stay where workers have them, and go with the frame, or as the engine's own users
        let them go.

        Raises:
            SegueError: It failed.
        """
        ...

    def apply(self, name: str, inputs: Sequence[str], work: Work, layout: Layout) -> None:
        """Let workers do work on bound data, and give the result a name.

        The result has exactly the columns and types of ``work.schema``. It may be computed
        now or when it is asked for; an error that a worker raised arrives as the `SegueError`
        that it was there (see `segue.spec.failure`).

        Args:
            name: Name of the result.
            inputs: Names that are bound.
            work: What to do; cloudpickle takes it to workers.
            layout: How rows are brought together for each call of it.
        """
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


class LocalSession(Session, Protocol):
    """The session of the engine that defines the meaning: it also writes and hashes files."""

    def compute(
        self, inputs: Sequence[str | pa.Table], work: Work, layout: Layout
    ) -> Iterator[pa.RecordBatch]:
        """Do work on data, here or in processes beside this one; yield what comes of it.

        Unlike what `apply` makes, it passes through no engine's types: batches are as the work
        made them, each with columns of its own if ``work.schema`` does not tell them.

        Args:
            inputs: Names of bound data, or tables.
            work: What to do.
            layout: How rows are brought together for each call of it.

        Raises:
            SegueError: What the work raised.
        """
        ...

    def fork(self) -> LocalSession:
        """Return a session that shares this one's memory and threads, and none of its names."""
        ...

    def write(
        self,
        query: str,
        folder: Path,
        stem: str,
        schema: TableSchema,
        storage: Callable[[DataType], DataType],
        progress: Tell | None = None,
    ) -> tuple[DataFile, ...]:
        """Run a SELECT and write its rows as Parquet files that are safe on disk (fsync).

        Args:
            query: A SELECT.
            folder: Existing folder.
            stem: Beginning of the files' names: ``<stem>-0.parquet``, ...
            schema: Logical columns, to which results are cast by name order.
            storage: Gives the type in which a logical type is stored.
            progress: Called now and then, also from another thread.

        Returns:
            The files with rows, bytes, digest and stats; none is written for zero rows
            but one empty file with the schema.
        """
        ...

    def digest(self, scan: Scan) -> tuple[DataFile, ...]:
        """Return each file's rows, bytes and row digest; paths are the scan's base names."""
        ...

    def fetch_row(self, query: str) -> tuple[Any, ...] | None:
        """Run a SELECT of one row; return Python's own values, at less cost than `fetch`.

        Returns:
            None, and nothing was run, if a value is a date or another that Python may not have.
        """
        ...

    def read_footers(self, name: str) -> tuple[DataFile, ...] | None:
        """Return the files of a bound scan with rows and statistics; no row is looked at.

        Returns:
            None where the files don't tell. Bounds may be wider than the values; Delta Lake's
            ``tightBounds`` is false then.
        """
        ...


class LocalEngine(Engine, Protocol):
    """The engine that defines the meaning, and that workers of others may use as well."""

    def open(self, place: PlaceSpec, scratch: Path) -> LocalSession:
        """Start it in this process; see `Engine.open`."""
        ...
