"""Table versions: what a step staged, and what a run published."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from segue.spec.step import Mode
    from segue.spec.types import TableSchema

HASH_MODULUS = 1 << 128


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of a table.

    Attributes:
        path: Path relative to the table's folder.
        rows: Number of rows.
        bytes: Size in bytes.
        digest: Sum of the hashes of its rows modulo 2**128, as 32 hex digits.
        stats: Delta Lake's statistics of the file: ``minValues``, ``maxValues``, ``nullCount``.
    """

    path: str
    rows: int
    bytes: int
    digest: str = ""
    stats: Mapping[str, Any] = field(default_factory=dict)

    def hide_bounds(self, columns: Collection[str]) -> DataFile:
        """Return the file without the smallest and the largest values of some columns.

        Example:
            >>> file = DataFile("a", 1, 10, stats={"minValues": {"x": 7}, "nullCount": {"x": 0}})
            >>> file.hide_bounds(["x"]).stats
            {'minValues': {}, 'nullCount': {'x': 0}}
        """
        stats = {
            name: {key: value for key, value in told.items() if key not in columns}
            if name in ("minValues", "maxValues")
            else told
            for name, told in self.stats.items()
        }
        return replace(self, stats=stats)


@dataclass(frozen=True, slots=True)
class StagedTable:
    """A step's result, written and not yet published.

    Attributes:
        table: Name of the table.
        schema: Logical columns, before the lake's storage types.
        mode: How it becomes the table.
        adds: Files that are new.
        keeps: Files of the base version that stay (append, merge).
        base: Version of the table that it builds on; None if there was none. (Ledger's number.)
    """

    table: str
    schema: TableSchema
    mode: Mode
    adds: tuple[DataFile, ...]
    keeps: tuple[DataFile, ...] = ()
    base: int | None = None

    @property
    def files(self) -> tuple[DataFile, ...]:
        """All files of the table as it will be."""
        return self.keeps + self.adds

    @property
    def rows(self) -> int:
        """Rows of the table as it will be."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """Bytes of the table as it will be."""
        return sum(file.bytes for file in self.files)

    @property
    def content_hash(self) -> str:
        """Hash of the rows, free of their order and of how they lie in files."""
        return sum_digests(self.files)

    def hide_bounds(self, columns: Collection[str]) -> StagedTable:
        """Return the table with new files that tell no values of some columns."""
        adds = tuple(file.hide_bounds(columns) for file in self.adds)
        return replace(self, adds=adds) if columns and adds else self


@dataclass(frozen=True, slots=True)
class TableVersion:
    """A published version of a table.

    Attributes:
        table: Name of the table.
        number: Ledger's number of the version: 1, 2, … without gaps; also the version of the
            application transaction ``segue`` in the table's Delta log.
        delta_version: Version of the Delta table that holds it.
        schema: Logical columns.
        files: Its files.
        content_hash: Hash of the rows.
        run_id: Run that published it.
        fingerprint: Digest of the code that made it.
        published_at: UTC time as ISO text; for people, never for decisions.
    """

    table: str
    number: int
    delta_version: int
    schema: TableSchema
    files: tuple[DataFile, ...]
    content_hash: str
    run_id: str
    fingerprint: str
    published_at: str

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """Size of the files in bytes."""
        return sum(file.bytes for file in self.files)

    @property
    def identity(self) -> str:
        """What a reader of the table depends on: its columns and rows, not who made them."""
        return f"{self.content_hash}:{self.schema}"


@dataclass(frozen=True, slots=True)
class StepMemory:
    """What is remembered of a step's last success, to decide whether it must run again.

    Attributes:
        step: Name of the step.
        fingerprint: Digest of its code then.
        parts: Parts of the fingerprint then.
        inputs: Identity of each table it read.
        parameters: Values of its settings, as JSON text by name.
        schema: Schema of its result (declared, bound or inferred), or of a source whose
            format does not state it; None for an effect.
        run_id: The run.
        finished_at: UTC time as ISO text.
        seen_files: Files of each growing input that an append step has used up.
        rows: Rows it made, for estimates.
        seconds: How long it took, for estimates.
        staged: Its unpublished result, if the run did not publish.
        rejects: Its unpublished rejects, likewise.
        report: Measurements of that result, as JSON-ready mappings.
        references: Identity of each table that contracts looked into for its verdict.
    """

    step: str
    fingerprint: str
    parts: tuple[tuple[str, str], ...]
    inputs: Mapping[str, str]
    parameters: Mapping[str, str]
    schema: TableSchema | None
    run_id: str
    finished_at: str
    seen_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: int = 0
    seconds: float = 0.0
    staged: StagedTable | None = None
    rejects: StagedTable | None = None
    report: tuple[Mapping[str, Any], ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableHistory:
    """What a table's log tells, for a ledger that is made anew.

    Attributes:
        table: Name of the table.
        environment: Whose readers see it.
        versions: Versions that were visible, oldest first; readers see the last one.
        last_number: Last number given to a version, visible or not.
        head: Version at which its log stands.
        memory: What is remembered of its step; None if nothing is known.
    """

    table: str
    environment: str
    versions: tuple[TableVersion, ...]
    last_number: int
    head: int
    memory: StepMemory | None = None


def sum_digests(files: tuple[DataFile, ...]) -> str:
    """Return the sum of the files' row hashes modulo 2**128, as 32 hex digits.

    Example:
        >>> sum_digests((DataFile("a", 1, 10, "ff"), DataFile("b", 1, 10, "1")))
        '00000000000000000000000000000100'
    """
    total = sum(int(file.digest or "0", 16) for file in files) % HASH_MODULUS
    return f"{total:032x}"
