"""A Python step's results into staged files of one schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from segue.frames.arrow_types import conform, to_arrow
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from segue.execute.agree import SchemaAgreement
    from segue.execute.blame import Blame
    from segue.execute.inputs import StepInputs
    from segue.protocols import Lake, LocalSession
    from segue.spec.output import DataFile
    from segue.spec.types import TableSchema

FILE_BYTES = 128 * 2**20
"""Size in memory of the rows that go into one file."""

_PART = "segue: part of the result"


@dataclass(frozen=True, slots=True)
class Staging:
    """Where files are staged, and who writes them."""

    inputs: StepInputs
    lake: Lake
    folder: Path
    stem: str

    @property
    def session(self) -> LocalSession:
        """The session that writes."""
        return self.inputs.writer

    def save(self, table: pa.Table, schema: TableSchema, number: int) -> tuple[DataFile, ...]:
        """Write a table as files that are safe on disk."""
        self.session.bind(_PART, table)
        query, storage = f"select * from {quote_identifier(_PART)}", self.lake.storage_type
        stem = f"{self.stem}-{number}"
        try:
            return self.session.write(query, self.folder, stem, schema, storage)
        finally:
            self.session.unbind(_PART)

    def load(self, table: str, schema: TableSchema, files: Sequence[DataFile]) -> pa.Table:
        """Read files back and remove them."""
        self.session.bind(_PART, self.lake.scan(schema, table, files))
        try:
            rows = self.session.fetch(f"select * from {quote_identifier(_PART)}")
        finally:
            self.session.unbind(_PART)
        for file in files:
            (self.folder / file.path).unlink()
        return rows


@dataclass(slots=True)
class Collector:
    """Takes tables, holds as many as make a file, and writes them.

    Attributes:
        blame: Tells errors.
        agreement: Finds the schema.
        staging: Writes files.
        progress: Hears of the rows so far.
        rows: Rows so far.
    """

    blame: Blame
    agreement: SchemaAgreement
    staging: Staging
    progress: Callable[[int], None] | None = None
    rows: int = 0
    _tables: list[pa.Table] = field(default_factory=list)
    _bytes: int = 0
    _files: list[tuple[TableSchema, tuple[DataFile, ...]]] = field(default_factory=list)

    def keep(self, table: pa.Table) -> None:
        """Take a table in the schema so far."""
        self.rows += table.num_rows
        self._tables.append(table)
        self._bytes += table.nbytes
        if self._bytes >= FILE_BYTES and self.agreement.schema is not None:
            self._write(self.agreement.schema)
        if self.progress is not None:
            self.progress(self.rows)

    def close(self) -> tuple[TableSchema, tuple[DataFile, ...]]:
        """Write what is held; return the schema and the files of all results.

        Raises:
            OutputError: Not one column is known.
        """
        schema = self.agreement.schema
        if schema is None or not schema.columns:
            what = (
                "its result has no columns" if schema else "it returned nothing to tell columns by"
            )
            raise self.blame.refuse(what, hint='declare them: @step(schema="name: type, ...")')
        if self._tables or not self._files:
            self._write(schema)
        files: list[DataFile] = []
        for number, (written, parts) in enumerate(self._files):
            files += parts if written == schema else self._rewrite(number, written, schema, parts)
        return schema, tuple(files)

    def _write(self, schema: TableSchema) -> None:
        """Write what is held into files of its own."""
        import pyarrow as pa

        try:
            tables = [conform(table, schema) for table in self._tables]
        except ValueError as error:
            raise self.blame.refuse(str(error)) from None
        table = pa.concat_tables(tables) if tables else to_arrow(schema).empty_table()
        self._tables, self._bytes = [], 0
        self._files.append((schema, self.staging.save(table, schema, len(self._files))))

    def _rewrite(
        self, number: int, written: TableSchema, schema: TableSchema, parts: Sequence[DataFile]
    ) -> tuple[DataFile, ...]:
        """Write rows once more whose columns turned out to need wider types."""
        try:
            table = conform(self.staging.load(self.blame.step, written, parts), schema)
        except ValueError as error:
            raise self.blame.refuse(str(error)) from None
        return self.staging.save(table, schema, len(self._files) + number)
