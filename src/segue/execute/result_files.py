"""Result files that workers of an engine write, wherever they are."""

from __future__ import annotations

import glob
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from segue import registry
from segue.errors import OutputError, SegueError
from segue.frames.arrow_types import to_arrow
from segue.spec.failure import seal
from segue.spec.layout import Layout
from segue.spec.output import DataFile
from segue.spec.sql import quote_identifier
from segue.spec.step import LOCAL, PlaceSpec
from segue.spec.types import TableSchema, parse_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pyarrow as pa

    from segue.protocols import Session
    from segue.spec.types import DataType

FILES = parse_schema("path: string, rows: int64, bytes: int64, digest: string, stats: string")
"""Columns of what the work of writing returns: one row for each file."""

FILE_BYTES = 128 * 2**20
"""Size in memory of the rows that go into one file."""

_ROWS, _WRITTEN = "segue: rows to write", "segue: files"


@dataclass(frozen=True, slots=True)
class WriteFiles:
    """The work of writing rows into a folder, hashed and measured where they are.

    Workers write with the local engine, so that files are the same whichever engine made the
    rows. The folder has to be the same place for all of them.

    Attributes:
        storage: Gives the type in which a logical type is stored.
        folder: Existing folder.
        stem: Beginning of the files' names; the rest is drawn, for workers don't know each other.
        columns: Logical columns of the rows.
        step: Name of the step, for errors.
        hint: What to do if a worker does not see the folder.
    """

    storage: Callable[[DataType], DataType]
    folder: Path
    stem: str
    columns: TableSchema
    step: str = ""
    hint: str = "put the lake where all workers can write: [lake] path in segue.toml"

    @property
    def schema(self) -> TableSchema:
        """Columns of the list of files."""
        return FILES

    def run_tables(self, tables: Sequence[pa.Table]) -> Iterator[pa.RecordBatch]:
        """Write a part that is in memory."""
        return self.run_stream(batch for table in tables for batch in table.to_batches())

    def run_stream(self, rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Write rows as they come, and list the files; one without rows if there are none."""
        import pyarrow as pa

        try:
            files = self._write(rows)
        except SegueError as error:
            raise seal(error) from None
        told = [
            [each.path, each.rows, each.bytes, each.digest, json.dumps(dict(each.stats))]
            for each in files
        ]
        values = [dict(zip(FILES.names, row, strict=True)) for row in told]
        yield pa.RecordBatch.from_pylist(values, schema=to_arrow(FILES))

    def _write(self, rows: Iterable[pa.RecordBatch]) -> list[DataFile]:
        if not self.folder.is_dir():
            raise OutputError(
                f"a worker does not see the folder {str(self.folder)!r}",
                step=self.step,
                hint=self.hint,
            )
        files: list[DataFile] = []
        with tempfile.TemporaryDirectory(prefix="segue-") as scratch:
            local = registry.load_local_engine()
            with local.open(PlaceSpec(LOCAL, threads=1), Path(scratch)) as session:
                for table in _gather(rows, to_arrow(self.columns)):
                    session.bind(_ROWS, table)
                    files += session.write(
                        f"select * from {quote_identifier(_ROWS)}",
                        self.folder,
                        f"{self.stem}-{uuid4().hex[:12]}",
                        self.columns,
                        self.storage,
                    )
                    session.unbind(_ROWS)
        return files


def _gather(rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Return rows in tables as large as a file; one table at least."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    size = sent = 0
    for batch in rows:
        held.append(batch)
        size += batch.nbytes
        if size >= FILE_BYTES:
            yield pa.Table.from_batches(held, schema)
            held, size, sent = [], 0, sent + 1
    if size or not sent:
        yield pa.Table.from_batches(held, schema)


def write_result(session: Session, name: str, work: WriteFiles) -> tuple[DataFile, ...]:
    """Let workers write a bound result; files without rows go, but for one if all are.

    Args:
        session: Where the result is bound.
        name: Its name.
        work: Where and how to write.
    """
    session.apply(_WRITTEN, [name], work, Layout(loose=True))
    listed = session.fetch(f"select * from {quote_identifier(_WRITTEN)}").to_pylist()
    files = [
        DataFile(row["path"], row["rows"], row["bytes"], row["digest"], json.loads(row["stats"]))
        for row in listed
    ]
    full = [file for file in files if file.rows] or files[:1]
    _remove_others(work, {file.path for file in full})
    return tuple(sorted(full, key=lambda file: file.path))


def _remove_others(work: WriteFiles, kept: set[str]) -> None:
    """Remove files without rows, and those of tasks that the engine has repeated."""
    for path in work.folder.glob(f"{glob.escape(work.stem)}-*"):
        if path.name not in kept:
            path.unlink()
