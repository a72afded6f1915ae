"""What each table is while a run goes on: published, or just made and judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segue.protocols import Lake
    from segue.spec.output import DataFile, StagedTable, TableVersion
    from segue.spec.scan import Scan
    from segue.spec.types import TableSchema


@dataclass(frozen=True, slots=True)
class TableState:
    """A table that steps can read now.

    Attributes:
        identity: What a reader depends on; changes with columns and rows only.
        scan: How to read it.
        rows: Number of rows, None for a source that was not counted.
        schema: Columns, None for a source that was not looked into.
        files: Its files, for a table of the lake.
    """

    identity: str
    scan: Scan
    rows: int | None = None
    schema: TableSchema | None = None
    files: tuple[DataFile, ...] = ()


@dataclass(slots=True)
class RunTables:
    """The tables that a run's steps can read, by name.

    Attributes:
        lake: Where tables are stored.
        versions: The published versions that the run began with.
        made: What the run has made, judged, or landed so far.
    """

    lake: Lake
    versions: Mapping[str, TableVersion]
    made: dict[str, TableState] = field(default_factory=dict)

    def add_staged(self, staged: StagedTable) -> None:
        """Let readers see a step's judged result."""
        self.made[staged.table] = TableState(
            f"{staged.content_hash}:{staged.schema}",
            self.lake.scan(staged.schema, staged.table, staged.files),
            staged.rows,
            staged.schema,
            staged.files,
        )

    def find(self, table: str) -> TableState | None:
        """Return what a table is now: what the run made, else what is published."""
        state = self.made.get(table)
        version = self.versions.get(table)
        if state is None and version is not None:
            state = TableState(
                version.identity,
                self.lake.scan(version.schema, table, version.files),
                version.rows,
                version.schema,
                version.files,
            )
            self.made[table] = state
        return state
