"""A connection to DuckDB with names of its own."""

from __future__ import annotations

import errno
import re
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb

from segue.engines.duckdb.digest import prove_hash
from segue.engines.duckdb.failures import translate_error
from segue.engines.duckdb.files import (
    copy_rows,
    copy_sql,
    describe_file,
    digest_files,
    match_columns,
    removed_on_failure,
)
from segue.engines.duckdb.scans import read_scan
from segue.engines.duckdb.types import (
    read_schema,
    refuse_case_twins,
)
from segue.engines.duckdb.watch import Watch
from segue.errors import SqlError, StepError
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import pyarrow as pa

    from segue.protocols import Tell, Work
    from segue.spec.layout import Layout
    from segue.spec.output import DataFile
    from segue.spec.types import DataType, TableSchema

_END = re.compile(r";[\s;]*(?:--[^\n]*\n\s*)*(?:--[^\n]*)?\Z")
"""The end of a statement, and comments behind it."""

_PATIENCE = 10.0
"""Seconds to wait for a query that was interrupted."""


class Database:
    """What a session and its forks share."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._connections: set[duckdb.DuckDBPyConnection] = set()
        self._proven = False
        self.watch = Watch()
        self.closed = False

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return a connection, which is ended with the database at the latest."""
        with self._lock:
            self.refuse_if_closed()
            connection = self._connection.cursor()
            self._connections.add(connection)
            return connection

    def disconnect(self, connection: duckdb.DuckDBPyConnection) -> None:
        """End a connection, and the query that it may be running in another thread."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            try:
                connection.close()
            except duckdb.ResourceInUseException:
                connection.interrupt()
                time.sleep(0.001)
            else:
                break
        with self._lock:
            self._connections.discard(connection)

    def refuse_if_closed(self) -> None:
        """Raise a `StepError` if the database was closed."""
        if self.closed:
            raise StepError("the engine was closed")

    def prove_hash(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make sure, once, that rows are hashed as they were."""
        if not self._proven:
            prove_hash(connection)
            self._proven = True

    def close(self) -> None:
        """End all connections, then the database."""
        with self._lock:
            self.closed = True
            self.watch.end()
            connections = list(self._connections)
        for connection in connections:
            self.disconnect(connection)
        self._connection.close()


class DuckDBSession:
    """Names for data, and SELECTs over them; see `segue.protocols.Session`."""

    def __init__(self, database: Database, *, owner: bool = False) -> None:
        self._database = database
        self._owner = owner
        self._connection = database.connect()
        self._bound: dict[str, str | pa.Table] = {}
        self._files: dict[str, str] = {}
        self._described: tuple[str, TableSchema] | None = None

    def fork(self) -> DuckDBSession:
        """Return a session with the same memory and threads, and no names."""
        return DuckDBSession(self._database)

    def bind(self, name: str, data: Scan | str | pa.Table) -> None:
        """Give data a name: files, a SELECT, or an Arrow table.

        Raises:
            SourceError: A file can't be read.
            SqlError: The SELECT is wrong, or two columns differ only by case.
        """
        if isinstance(data, Scan):
            self._files |= {path: path for path in data.paths} | data.options.get("shown", {})
            refuse_case_twins(f"table {name!r}", data.schema.names if data.schema else ())
            with self._translate():
                self._define(name, read_scan(self._connection, data))
        elif isinstance(data, str):
            self._define(name, self._parse(data))
        else:
            from segue.engines.duckdb.arrow_files import prepare_table

            self._define(name, prepare_table(name, data))

    def _define(self, name: str, data: str | pa.Table) -> None:
        self.unbind(name)
        if isinstance(data, str):
            view = f"create temp view {quote_identifier(name)} as "
            with self._translate(data, len(view.encode())):
                self._connection.execute(view + data)
        else:
            self._connection.register(name, data)
        self._bound[name] = data

    def unbind(self, name: str) -> None:
        """Forget a name."""
        self._described = None
        data = self._bound.pop(name, None)
        with self._translate():
            if isinstance(data, str):
                self._connection.execute(f"drop view {quote_identifier(name)}")
            elif data is not None:
                self._connection.unregister(name)

    def describe(self, query: str) -> TableSchema:
        """Return the columns of a SELECT, without running it.

        Raises:
            SqlError: It does not parse or bind, or a column has a type that segue lacks.
        """
        return self._describe(self._parse(query))

    def _describe(self, query: str) -> TableSchema:
        # What is described is mostly written next, and binding costs as much as a small step.
        if self._described is None or self._described[0] != query:
            self._described = query, self._schema_of(self._relate(query))
        return self._described[1]

    def fetch(self, query: str) -> pa.Table:
        """Run a SELECT and return all rows, in the types that `describe` tells.

        Raises:
            SegueError: It failed.
        """
        from segue.engines.duckdb.outgoing import arrive_table, write_outgoing

        query = self._parse(query)
        relation = self._relate(query)
        schema = self._schema_of(relation)
        text, skip = write_outgoing(query, relation, schema)
        with self._translate(query, skip):
            if text != query:
                relation = self._connection.sql(text)
            table = relation.to_arrow_table()
        return arrive_table(table, schema)

    def stream(self, query: str, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """Run a SELECT and return rows as they come, in the types that `describe` tells.

        The rows flow through a connection of their own, so that the session stays free.

        Raises:
            SegueError: It failed; so can each batch.
        """
        from segue.engines.duckdb.outgoing import write_outgoing

        query = self._parse(query)
        relation = self._relate(query)
        schema = self._schema_of(relation)
        text, skip = write_outgoing(query, relation, schema)
        child = self.fork()
        child.adopt(self._bound, self._files)
        return child.pour(text, schema, batch_rows, query, skip)

    def adopt(self, bound: Mapping[str, str | pa.Table], files: Mapping[str, str]) -> None:
        """Take over names from another session of the same database."""
        self._files = dict(files)
        for name, data in bound.items():
            self._define(name, data)

    def pour(
        self, text: str, schema: TableSchema, batch_rows: int, query: str, skip: int
    ) -> pa.RecordBatchReader:
        """Return the rows of a query as they come; the session closes behind the last."""
        from segue.engines.duckdb.outgoing import read_on

        with self._translate(query, skip):
            reader = self._connection.sql(text).to_arrow_reader(batch_rows)
        return read_on(self._read_batches(reader, query, skip), schema)

    def _read_batches(
        self, reader: pa.RecordBatchReader, query: str, skip: int
    ) -> Generator[pa.RecordBatch, None, None]:
        try:
            while True:
                with self._translate(query, skip):
                    self._database.refuse_if_closed()
                    try:
                        batch = reader.read_next_batch()
                    except StopIteration:
                        return
                yield batch
        finally:
            self.close()

    @property
    def driver_host(self) -> str:
        """Return this machine's own name for itself: workers are processes beside this one."""
        return "127.0.0.1"

    def facts(self) -> dict[str, Any]:
        """Return what computes."""
        (threads,) = self._connection.execute("select current_setting('threads')").fetchone() or (
            1,
        )
        return {"engine": "duckdb", "version": duckdb.__version__, "threads": threads}

    def apply(self, name: str, inputs: Sequence[str], work: Work, layout: Layout) -> None:
        """Do work on bound data, and give the result a name.

        Raises:
            SegueError: What the work raised.
        """
        import pyarrow as pa

        from segue.frames.arrow_types import to_arrow

        batches = self.compute(inputs, work, layout)
        self.bind(name, pa.Table.from_batches(batches, to_arrow(work.schema)))

    def compute(
        self, inputs: Sequence[str], work: Work, layout: Layout
    ) -> Iterator[pa.RecordBatch]:
        """Do work on bound data; yield what comes of it.

        Raises:
            SegueError: What the work raised.
        """
        from segue.engines.duckdb.apply import work_on_bound

        return work_on_bound(self, inputs, work, layout)

    def native(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return a SELECT as a relation, unevaluated.

        Raises:
            SqlError: It does not parse or bind.
        """
        return self._relate(self._parse(query))

    def write(
        self,
        query: str,
        folder: Path,
        stem: str,
        schema: TableSchema,
        storage: Callable[[DataType], DataType],
        progress: Tell | None = None,
    ) -> tuple[DataFile, ...]:
        """Run a SELECT and write its rows as one Parquet file that is safe on disk.

        Raises:
            OutputError: The columns are not those of the schema.
            SegueError: It failed; no file is left.
        """
        query = self._parse(query)
        found = self._describe(query)
        match_columns(found, schema)
        refuse_case_twins("the result", schema.names)
        self._database.prove_hash(self._connection)
        path = folder / f"{stem}-0.parquet"
        text, skip = copy_sql(query, path, found, schema, storage)
        share = None if progress is None else partial(progress, 0)
        with self._translate(query, skip), removed_on_failure(path):
            with self._database.watch.follow(self._connection, share):
                row = copy_rows(self._connection, text, path)
            file = describe_file(self._connection, row, path, schema, storage)
        if progress is not None:
            progress(file.rows)
        return (file,)

    def digest(self, scan: Scan) -> tuple[DataFile, ...]:
        """Return each file's rows, bytes, row digest and statistics.

        Raises:
            SourceError: A file can't be read.
        """
        self._files |= {path: path for path in scan.paths}
        self._database.prove_hash(self._connection)
        with self._translate():
            return digest_files(self._connection, scan)

    def close(self) -> None:
        """Interrupt what runs and free everything; the first session ends all its forks."""
        if self._owner:
            self._database.close()
        else:
            self._database.disconnect(self._connection)

    def __enter__(self) -> Self:
        """Return the session."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        self.close()

    def _parse(self, query: str) -> str:
        """Return a query without what follows it, or refuse it if it is not one SELECT."""
        with self._translate(query):
            statements = self._connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise SqlError("this is not one SELECT", hint="write a single SELECT statement")
        return _END.sub("", query.rstrip())

    def _relate(self, query: str) -> duckdb.DuckDBPyRelation:
        try:
            return self._connection.sql(query)
        except duckdb.Error as error:
            # a relation does not say where in the query it failed; a statement does
            asked = "describe "
            with self._translate(query, len(asked)):
                self._connection.execute(asked + query).fetchall()
            raise translate_error(error, query, 0, self._files, list(self._bound)) from None

    def _schema_of(self, relation: duckdb.DuckDBPyRelation) -> TableSchema:
        try:
            return read_schema(relation.columns, relation.types)
        except ValueError as error:
            raise SqlError(str(error)) from None

    @contextmanager
    def _translate(self, query: str = "", skip: int = 0) -> Iterator[None]:
        try:
            yield
        except _faults() as error:
            # pyarrow raises an OSError without a number for whatever fails behind a reader
            if isinstance(error, OSError) and error.errno not in (None, errno.ENOSPC):
                raise
            if self._database.closed:
                raise StepError("the query was stopped") from None
            raise translate_error(error, query, skip, self._files, list(self._bound)) from None


def _faults() -> tuple[type[Exception], ...]:
    """Return what DuckDB and what it reads Arrow with raise; asked for only once something is."""
    import pyarrow as pa

    return duckdb.Error, pa.ArrowException, OSError
