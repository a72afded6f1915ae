"""A connection to DuckDB with names of its own."""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from segue.engines.duckdb.failures import translate_error
from segue.engines.duckdb.files import (
    copy_rows,
    copy_sql,
    describe_file,
    digest_files,
    match_columns,
    removed_on_failure,
)
from segue.engines.duckdb.footers import read_footers
from segue.engines.duckdb.row import read_row
from segue.engines.duckdb.scans import read_scan
from segue.engines.duckdb.seen import Outgoing
from segue.engines.duckdb.sizes import guess_bytes, read_bytes
from segue.engines.duckdb.types import read_schema, refuse_case_twins
from segue.errors import SqlError, StepError
from segue.spec.closing import Closing
from segue.spec.scan import Located, Scan
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    import pyarrow as pa

    from segue.engines.duckdb.database import Database
    from segue.protocols import Tell, Work
    from segue.spec.layout import Layout
    from segue.spec.output import DataFile
    from segue.spec.types import DataType, TableSchema

_END = re.compile(r";[\s;]*(?:--[^\n]*\n\s*)*(?:--[^\n]*)?\Z")
"""The end of a statement, and comments behind it."""


class DuckDBSession(Closing):
    """Names for data, and SELECTs over them; see `segue.protocols.Session`."""

    def __init__(self, database: Database, *, owner: bool = False) -> None:
        self._database = database
        self._owner = owner
        self._connection = database.connect()
        self._bound: dict[str, str | pa.Table] = {}
        self._files: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._scans: dict[str, Scan] = {}
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
            self._sizes[name] = guess_bytes(data)
            self._scans[name] = data
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
        self._sizes.pop(name, None)
        self._scans.pop(name, None)
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

        seen = self._database.seen.find(query, self._bound)
        if seen is not None:
            relation = self._relate(seen.text)
            if relation.columns == seen.columns and relation.types == seen.types:
                with self._translate(seen.query, seen.skip):
                    return arrive_table(relation.to_arrow_table(), seen.schema)
        given, query = query, self._parse(query)
        relation = self._relate(query)
        schema = self._schema_of(relation)
        text, skip = write_outgoing(query, relation, schema)
        with self._translate(query, skip):
            if text != query:
                relation = self._connection.sql(text)
            table = relation.to_arrow_table()
        outgoing = Outgoing(query, text, skip, schema, relation.columns, relation.types)
        self._database.seen.keep(given, self._bound, outgoing)
        return arrive_table(table, schema)

    def fetch_row(self, query: str) -> tuple[Any, ...] | None:
        """Run a SELECT of one row, and return Python's own values; None if one is not plain.

        Raises:
            SegueError: It failed.
        """
        with self._translate(query := self._parse(query)):
            return read_row(self._relate(query))

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
        threads = int(self._setting("threads") or 1)
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
        self, inputs: Sequence[str | pa.Table], work: Work, layout: Layout
    ) -> Iterator[pa.RecordBatch]:
        """Do work on bound data or tables; yield what comes of it.

        Raises:
            SegueError: What the work raised.
        """
        from segue.engines.duckdb.apply import work_on_bound

        return work_on_bound(self, inputs, work, layout)

    def locate(self, name: str) -> Located | None:
        """Bind a table's rows once more, with the places in files that they come from."""
        from segue.engines.duckdb.located import bind_located

        return bind_located(self, name, self._scans.get(name), self._files)

    def bound_queries(self) -> dict[str, str]:
        """Return the SELECTs that names stand for, in the order in which they were bound."""
        return {name: data for name, data in self._bound.items() if isinstance(data, str)}

    def measure(self, name: str) -> int | None:
        """Return the size in memory of what a name stands for, roughly.

        Returns:
            None if it may be made of tables that only this process has.
        """
        if name in self._sizes:
            return self._sizes[name]
        if all(isinstance(data, str) for data in self._bound.values()):
            return sum(self._sizes.values())
        return None

    def memory(self) -> int:
        """Return how many bytes all work may use."""
        return read_bytes(self._setting("memory_limit"))

    def scratch(self) -> Path:
        """Return the folder for what does not fit in memory."""
        folder = Path(self._setting("temp_directory"))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _setting(self, name: str) -> str:
        rows = self._connection.execute(f"select current_setting('{name}')").fetchall()
        return str(rows[0][0])

    def native(self, query: str) -> duckdb.DuckDBPyRelation:
        """Return a SELECT as a relation, unevaluated.

        Raises:
            SqlError: It does not parse or bind.
        """
        return self._relate(self._parse(query))

    def persist(self, query: str) -> duckdb.DuckDBPyRelation:
        """Run a SELECT once, and return its rows as a relation; they are in memory.

        Raises:
            SegueError: It failed.
        """
        from segue.frames.duckdb_ import to_relation

        return to_relation(self.fetch(query))

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

    def read_footers(self, name: str) -> tuple[DataFile, ...] | None:
        """Return a scan's files with what their footers tell; None where these are no help."""
        scan = self._scans.get(name)
        if scan is None:
            return None
        schema = self.describe(f"select * from {quote_identifier(name)}")
        with self._translate():
            return read_footers(self._connection, scan, schema)

    def close(self) -> None:
        """Interrupt what runs and free everything; the first session ends all its forks."""
        if self._owner:
            self._database.close()
        else:
            self._database.disconnect(self._connection)

    def _parse(self, query: str) -> str:
        """Return a query without what follows it, or refuse it if it is not one SELECT."""
        known = self._database.seen.statements
        if (select := known.find(query)) is None:
            with self._translate(query):
                statements = self._connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise SqlError("this is not one SELECT", hint="write a single SELECT statement")
            select = _END.sub("", query.rstrip())
            known.keep(query, select)
        return select

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
