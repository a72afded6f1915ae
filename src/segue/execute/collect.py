"""A Python step's results, part by part, into staged files of one schema."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.errors import OutputError
from segue.frames.arrow_types import conform, to_arrow
from segue.frames.convert import from_frame, is_frame, join_frames, name_type, refuse_other
from segue.spec.sql import quote_identifier
from segue.spec.step import FrameKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from segue.execute.agree import SchemaAgreement
    from segue.protocols import Lake, LocalSession
    from segue.spec.output import DataFile
    from segue.spec.step import FrameSpec, StepSpec
    from segue.spec.types import TableSchema

FILE_BYTES = 128 * 2**20
"""Size in memory of the rows that go into one file."""

_JOINED_FRAMES = 1_000
_JOINED_ROWS = 100_000
_PART = "segue: part of the result"


@dataclass(frozen=True, slots=True)
class Staging:
    """Where files are staged, and who writes them."""

    session: LocalSession
    lake: Lake
    folder: Path
    stem: str

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
    """Takes frames, holds as many as make a file, and writes them.

    Attributes:
        step: The step.
        returns: What its function returns.
        agreement: Finds the schema.
        staging: Writes files.
        progress: Hears of the rows so far.
        rows: Rows so far.
    """

    step: StepSpec
    returns: FrameSpec
    agreement: SchemaAgreement
    staging: Staging
    progress: Callable[[int], None] | None = None
    rows: int = 0
    _frames: list[tuple[Any, str]] = field(default_factory=list)
    _frame_rows: int = 0
    _tables: list[pa.Table] = field(default_factory=list)
    _bytes: int = 0
    _files: list[tuple[TableSchema, tuple[DataFile, ...]]] = field(default_factory=list)

    def add(self, frame: Any, part: str = "") -> None:
        """Take a result, or one of an iterator.

        Args:
            frame: The frame.
            part: Which of the results it is, for errors.

        Raises:
            OutputError: A column can't be stored, or does not fit what came before.
        """
        try:
            self._add_table(from_frame(frame, self.returns.kind, self.agreement.hints))
        except ValueError as error:
            raise self._error(str(error), part) from None

    def add_computed(self, table: pa.Table, part: str = "") -> None:
        """Take a result that was lazy and is a table now.

        Raises:
            OutputError: It does not fit what came before.
        """
        try:
            self._add_table(table)
        except ValueError as error:
            raise self._error(str(error), part) from None

    def add_group(self, frame: Any, part: str) -> None:
        """Take the result of one group; many small ones are converted together.

        Raises:
            OutputError: As `add`.
        """
        self._frames.append((frame, part))
        self._frame_rows += len(frame) if isinstance(frame, Sized) else 0
        if len(self._frames) >= _JOINED_FRAMES or self._frame_rows >= _JOINED_ROWS:
            self._join()

    def refuse_other(self, frame: Any, part: str = "") -> None:
        """Raise if a result is not what the annotation announces.

        Raises:
            OutputError: It is something else.
        """
        try:
            refuse_other(frame, self.returns.kind)
        except TypeError as error:
            raise self._other(str(error), part) from None

    def refuse_single(self, result: Any, part: str = "") -> None:
        """Raise if a result that is announced as an iterator is none.

        Raises:
            OutputError: It is a frame, or nothing to go through.
        """
        kind = self.returns.kind
        if is_frame(result, kind) and kind is not FrameKind.ROWS:
            raise self._other(f"a single {kind}", part)
        if not isinstance(result, Iterable):
            raise self._other(name_type(result), part)

    def close(self) -> tuple[TableSchema, tuple[DataFile, ...]]:
        """Write what is held; return the schema and the files of all results.

        Raises:
            OutputError: Not one column is known.
        """
        self._join()
        schema = self.agreement.schema
        if schema is None or not schema.columns:
            what = (
                "its result has no columns" if schema else "it returned nothing to tell columns by"
            )
            raise self._error(what, hint='declare them: @step(schema="name: type, ...")')
        if self._tables or not self._files:
            self._write(schema)
        files: list[DataFile] = []
        for number, (written, parts) in enumerate(self._files):
            files += parts if written == schema else self._rewrite(number, written, schema, parts)
        return schema, tuple(files)

    def _join(self) -> None:
        frames, self._frames, self._frame_rows = self._frames, [], 0
        joined = join_frames([frame for frame, _ in frames], self.returns.kind) if frames else None
        if joined is not None:
            try:
                self._add_table(from_frame(joined, self.returns.kind, self.agreement.hints))
            except ValueError:
                pass  # one by one they tell which of them is odd
            else:
                return
        for frame, part in frames:
            self.add(frame, part)

    def _add_table(self, table: pa.Table) -> None:
        if not table.num_columns and not table.num_rows:
            return  # an empty frame is a common way to say: nothing
        table = self.agreement.fit(table)
        self.rows += table.num_rows
        self._tables.append(table)
        self._bytes += table.nbytes
        if self._bytes >= FILE_BYTES and self.agreement.schema is not None:
            self._write(self.agreement.schema)
        if self.progress is not None:
            self.progress(self.rows)

    def _write(self, schema: TableSchema) -> None:
        """Write what is held into files of its own."""
        import pyarrow as pa

        try:
            tables = [conform(table, schema) for table in self._tables]
        except ValueError as error:
            raise self._error(str(error)) from None
        table = pa.concat_tables(tables) if tables else to_arrow(schema).empty_table()
        self._tables, self._bytes = [], 0
        self._files.append((schema, self.staging.save(table, schema, len(self._files))))

    def _rewrite(
        self, number: int, written: TableSchema, schema: TableSchema, parts: Sequence[DataFile]
    ) -> tuple[DataFile, ...]:
        """Write rows once more whose columns turned out to need wider types."""
        try:
            table = conform(self.staging.load(self.step.name, written, parts), schema)
        except ValueError as error:
            raise self._error(str(error)) from None
        return self.staging.save(table, schema, len(self._files) + number)

    def _other(self, found: str, part: str) -> OutputError:
        return self._error(
            f"it returned {found}, where {self.returns} is announced",
            part,
            hint="return what the annotation says, or change the annotation",
        )

    def _error(self, message: str, part: str = "", hint: str = "") -> OutputError:
        return OutputError(
            f"step {self.step.name!r}: {message}",
            step=self.step.name,
            location=self.step.location,
            group=part,
            hint=hint,
        )
