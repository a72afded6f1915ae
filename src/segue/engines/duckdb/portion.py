"""One part of the rows that a function works on, in this process or in a worker."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.engines.duckdb.types import sql_type
from segue.spec.layout import INPUT, key_name, order_terms, row_name
from segue.spec.sql import quote_identifier as quote
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from segue.engines.duckdb.session import DuckDBSession
    from segue.protocols import Work
    from segue.spec.layout import Layout
    from segue.spec.types import TableSchema

_FILES = count()


@dataclass(frozen=True, slots=True)
class PartInput:
    """The rows of one input in a part.

    Attributes:
        query: The SELECT that gives them; empty for a file.
        path: Arrow's file that holds them.
    """

    query: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What a worker process is to do.

    Attributes:
        bound: SELECTs by the names that the inputs' queries mention.
        inputs: The inputs.
        work: The work, as cloudpickle wrote it.
        layout: How rows are brought together.
        ordered: Whether rows come in order and in batches, for they may not fit in memory.
        folder: Where results are put.
        scratch: Folder for what does not fit in memory.
        memory: Most bytes that DuckDB may use.
    """

    bound: Mapping[str, str]
    inputs: tuple[PartInput, ...]
    work: bytes
    layout: Layout
    ordered: bool
    folder: str
    scratch: str
    memory: int


def do_part(part: Part) -> list[str]:
    """Do a part's work in this process; return the files that hold the results.

    Raises:
        WorkerFailure: What the work raised.
    """
    import pickle

    work = pickle.loads(part.work)  # noqa: S301  # it comes from the parent
    with _open_worker(part.memory, part.scratch).fork() as session:
        for name, query in part.bound.items():
            session.bind(name, query)
        if part.ordered:
            batches = work_in_order(
                session, [each.query for each in part.inputs], work, part.layout
            )
        else:
            batches = work.run_tables([_read(session, each) for each in part.inputs])
        return _save(batches, Path(part.folder))


def work_in_order(
    session: DuckDBSession, queries: Sequence[str], work: Work, layout: Layout
) -> Iterator[pa.RecordBatch]:
    """Work on rows that DuckDB sorts, so that one group of them is held at a time."""
    if len(queries) == 1:
        terms = [
            *order_terms(layout.keys),
            *order_terms(layout.order_of(session.describe(queries[0]))),
        ]
        ordered = f"select * from ({queries[0]}\n) order by {', '.join(terms)}"
        return work.run_stream(session.stream(ordered))
    schemas = [session.describe(query) for query in queries]
    return work.run_stream(session.stream(write_tagged(queries, schemas, layout)))


def write_tagged(queries: Sequence[str], schemas: Sequence[TableSchema], layout: Layout) -> str:
    """Return the SELECT of a tagged stream; see `segue.spec.layout`."""
    keys = [quote(key_name(number)) for number in range(len(layout.by))]
    parts, orders = [], []
    for number, (query, schema) in enumerate(zip(queries, schemas, strict=True)):
        columns = [
            f"{quote(key.name)}::{sql_type(key.type)} as {name}"
            for key, name in zip(layout.by, keys, strict=True)
        ]
        columns.append(f"{number}::integer as {quote(INPUT)}")
        for other, own in enumerate(schemas):
            packed = ", ".join(f"{quote(name)} := {quote(name)}" for name in own.names)
            row = f"struct_pack({packed})" if other == number else "null"
            columns.append(f"{row} as {quote(row_name(other))}")
        parts.append(f"select {', '.join(columns)} from ({query}\n)")
        orders += order_terms(layout.order_of(schema), f"{quote(row_name(number))}.")
    terms = [f"{key} asc nulls last" for key in keys]
    terms += [f"{quote(INPUT)} asc", *orders]
    return f"select * from ({' union all '.join(parts)}) order by {', '.join(terms)}"


def part_condition(layout: Layout, part: int, parts: int) -> str:
    """Return what is true of the rows whose keys belong to a part.

    It is the same as `segue.frames.split.split_rows` does with tables.
    """
    keys = ", ".join(f"{quote(key.name)}::{sql_type(key.type)}" for key in layout.by)
    return f"hash({keys}) % {parts} = {part}"


@cache
def _open_worker(memory: int, scratch: str) -> DuckDBSession:
    """Return the database of a worker process: it takes a while to open."""
    from segue.engines.duckdb.engine import DuckDBEngine

    place = PlaceSpec("worker", threads=1, memory=memory)
    return DuckDBEngine().open(place, Path(scratch, f"worker-{os.getpid()}"))


def _read(session: DuckDBSession, given: PartInput) -> pa.Table:
    return session.fetch(given.query) if given.query else map_file(given.path)


def map_file(path: str) -> pa.Table:
    """Return a file that segue wrote, without reading what is not used."""
    import pyarrow as pa

    with pa.memory_map(path) as source:
        return pa.ipc.open_file(source).read_all()


def save_table(table: pa.Table, path: Path) -> None:
    """Write a table so that `map_file` reads it."""
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _save(batches: Iterator[pa.RecordBatch], folder: Path) -> list[str]:
    """Write batches into files, one for each run of equal columns."""
    import pyarrow as pa

    paths: list[str] = []
    writer: Any = None
    schema: Any = None
    try:
        for batch in batches:
            if batch.schema != schema:
                if writer is not None:
                    writer.close()
                schema = batch.schema
                paths.append(str(folder / f"result-{os.getpid()}-{next(_FILES)}.arrow"))
                writer = pa.ipc.new_file(paths[-1], schema)
            writer.write_batch(batch)
    finally:
        if writer is not None:
            writer.close()
    return paths
