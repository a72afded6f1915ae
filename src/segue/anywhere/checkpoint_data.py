"""Data written to files once, and read from there since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any

from segue.anywhere.data import Data, read_data
from segue.anywhere.inputs import open_data
from segue.anywhere.new_folder import SUFFIX, new_folder, read_folder
from segue.anywhere.persist_data import DATA, is_eager, is_spread
from segue.anywhere.sessions import SESSIONS, open_session
from segue.errors import UsageError
from segue.execute.result_files import FILE_BYTES, WriteFiles, write_result
from segue.frames.arrow_types import conform, conform_batch, from_arrow, to_arrow
from segue.frames.convert import to_frame
from segue.spec.nearest import find_storage
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier as quote
from segue.spec.step import FrameKind, FrameSpec

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from segue.protocols import LocalSession, Session
    from segue.spec.types import TableSchema

_ALL = f"select * from {quote(DATA)}"
_HINT = "take a path where all workers can write, such as one on a shared drive"


def checkpoint(
    data: Any, path: str | PathLike[str], *, on: Any = None, overwrite: bool = False
) -> Any:
    """Write data to Parquet files, and return a frame that reads from there.

    What led to the data is forgotten: a lazy frame is computed once, and a later failure does
    not compute it again. The files are there when they are all complete and safe on disk.
    On an engine its workers write them. Columns of types that Parquet's other readers lack,
    such as durations, lie in the nearest type; the frame that is returned has their own.

    Args:
        data: A frame of any kind, an iterator of frames, an engine's own frame, or the path of
            files.
        path: A folder that is made; on an engine, one that all its workers see.
        on: Where to work: None for where the data is, the name of an engine, an address, or
            a live session of an engine.
        overwrite: Whether to take the place of an earlier checkpoint. It is there until the new
            one is complete, so that the data may come from it.

    Returns:
        A frame of the same kind: lazy ones read the files when they need them, an iterator reads
        them bit by bit, and a frame in memory is the one that was given. A path gives the
        path of the folder. With ``on`` an engine it is the engine's own frame.

    Raises:
        UsageError: The path exists, there is no such engine, or the data can't be read.
        SegueError: It can't be computed or written; nothing is left of it.

    Example:
        >>> import polars as pl
        >>> folder = getfixture("tmp_path") / "doubled"
        >>> doubled = pl.LazyFrame({"n": [1, 2]}).with_columns(pl.col("n") * 2)
        >>> checkpoint(doubled, folder).collect()["n"].to_list()
        [2, 4]
    """
    folder = read_folder(path)
    with open_session(on, [data]) as opened:
        given = read_data(data, DATA, live=opened.is_live(data))
        with new_folder(folder, overwrite=overwrite) as staged:
            if is_spread(opened):
                schema = _write_there(opened.session, given.hold(), staged)
            else:
                schema = _write_here(given, staged)
        scan = Scan("parquet", tuple(sorted(map(str, folder.glob(f"*{SUFFIX}")))), schema=schema)
        if is_spread(opened):
            opened.session.bind(DATA, scan)
            frame = opened.session.native(_ALL)
            opened.keep()
            return frame
    if is_eager(data):
        return data
    return type(data)(folder) if given.path else _read_here(scan, given.frame)


def _write_there(session: Session, given: Data, folder: Path) -> TableSchema:
    """Let an engine's workers write; return the columns."""
    session.bind(DATA, open_data(given))
    schema = session.describe(_ALL)
    write_result(session, DATA, WriteFiles(find_storage, folder, "part", schema, hint=_HINT))
    session.unbind(DATA)
    return schema


def _write_here(given: Data, folder: Path) -> TableSchema:
    """Write with the local engine, an iterator's frames bit by bit; return the columns."""
    with SESSIONS.open_local() as session:
        if given.batches is None:
            session.bind(DATA, open_data(given))
            known = None if given.table is None else from_arrow(given.table.schema)
            schema = known or session.describe(_ALL)
            session.write(_ALL, folder, "part", schema, find_storage)
            return schema
        return _write_stream(session, given.batches, folder)


def _write_stream(session: LocalSession, tables: Iterator[pa.Table], folder: Path) -> TableSchema:
    schema: TableSchema | None = None
    for number, table in enumerate(_gather(tables)):
        schema = schema or from_arrow(table.schema)
        try:
            session.bind(DATA, conform(table, schema))
        except ValueError as error:
            raise UsageError(f"the frames of {DATA} don't go together: {error}") from None
        session.write(_ALL, folder, f"part-{number:05}", schema, find_storage)
        session.unbind(DATA)
    if schema is None:
        raise UsageError(f"{DATA} has no frames that tell its columns", hint="give a frame")
    return schema


def _gather(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield frames in tables as large as a file."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(each.nbytes for each in held) >= FILE_BYTES:
            yield _join(held)
            held = []
    if held:
        yield _join(held)


def _join(tables: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise UsageError(f"the frames of {DATA} don't go together: {error}") from None


def _read_here(scan: Scan, frame: FrameSpec | None) -> Any:
    """Return files as a frame that reads them when it needs them."""
    assert frame is not None and scan.schema is not None  # noqa: S101, PT018  # `read_data` found its kind
    kind = frame.over or frame.kind
    if kind is FrameKind.POLARS_LAZY:
        from segue.frames.polars_ import scan_parquet

        lazy = scan_parquet(scan.paths, scan.schema)
        if lazy is not None:
            return _wrap(lazy, frame)
    session = SESSIONS.open_local()  # what reads from it needs it
    session.bind(DATA, scan)
    if kind is FrameKind.DUCKDB:
        return _wrap(session.native(_ALL), frame)
    if not frame.iterator:
        return to_frame(session.fetch(_ALL), frame, scan.schema)
    reader = session.stream(_ALL)
    if frame.kind is FrameKind.ARROW_BATCH:
        return _restore(reader, scan.schema)
    return to_frame(reader, frame, scan.schema)


def _restore(reader: pa.RecordBatchReader, schema: TableSchema) -> pa.RecordBatchReader:
    """Return rows in their own types, where SQL has others."""
    import pyarrow as pa

    batches = (conform_batch(batch, schema) for batch in reader)
    return pa.RecordBatchReader.from_batches(to_arrow(schema), batches)


def _wrap(native: Any, frame: FrameSpec) -> Any:
    if frame.over is None:
        return native
    from segue.frames.narwhals_ import wrap_lazy

    return wrap_lazy(native)
