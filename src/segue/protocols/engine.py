"""What segue asks of software that computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import pyarrow as pa

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
