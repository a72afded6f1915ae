"""PostgreSQL with names of its own for data: it computes, and nothing in it is changed."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from segue.engines.postgres.address import is_address, read_address
from segue.engines.postgres.catalog import Bound, bind_table
from segue.engines.postgres.driver import Link
from segue.engines.postgres.query import Query
from segue.engines.postgres.rows import bind_rows, make_batch
from segue.errors import UnsupportedError
from segue.frames.arrow_types import to_arrow
from segue.spec.closing import Closing
from segue.spec.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from segue.engines.postgres.driver import Target
    from segue.protocols import LocalSession, Work
    from segue.spec.layout import Layout
    from segue.spec.types import TableSchema


class PostgresSession(Closing):
    """Names for data, and SELECTs over them; see `segue.protocols.Session`.

    It sees one state of the database, from its first question on.
    """

    def __init__(self, target: Target, local: LocalSession, end: Callable[[], None]) -> None:
        """Keep what is shared.

        Args:
            target: The database.
            local: A session of this process, which tells what SELECTs mean.
            end: Called when the session is closed.
        """
        self._target = target
        self._local = local
        self._end = end
        self._link = Link(target)
        self._query = Query(self._link, local)

    def fork(self) -> PostgresSession:
        """Return a session with a connection of its own, and without names."""
        local = self._local.fork()
        return PostgresSession(self._target, local, local.close)

    @property
    def driver_host(self) -> str:
        """Return this machine: there are no workers that would have to reach it."""
        return "127.0.0.1"

    def facts(self) -> dict[str, Any]:
        """Return what computes."""
        ((server,),) = self._link.fetch("show server_version")
        return {
            "engine": "postgres",
            "version": str(server),
            "client": version("psycopg"),
            "address": self._target.shown,
        }

    def bind(self, name: str, data: Scan | str | pa.Table | Any) -> None:
        """Give data a name: a table of the database, a SELECT, or a few rows from elsewhere.

        Args:
            name: Any text.
            data: A SELECT; an address with ``?table=`` or ``?query=``; a connection, whose table
                of this name it is; an Arrow table or files, which are taken along in queries.

        Raises:
            SourceError: There is no such table.
            SqlError: The SELECT is wrong.
            UnsupportedError: PostgreSQL can't mean it so, or it is too large to be taken along.
        """
        if isinstance(data, str) and is_address(data):
            self._bind_address(name, data)
        elif isinstance(data, str):
            self._query.add(name, self._query.resolve(data))
        elif isinstance(data, Scan):
            with self._local.fork() as local:
                local.bind("rows", data)
                self._query.add(name, bind_rows(name, local.fetch('select * from "rows"')))
        elif isinstance(data, pa.Table):
            self._query.add(name, bind_rows(name, data))
        else:
            self._query.add(name, bind_table(self._link, name))

    def _bind_address(self, name: str, text: str) -> None:
        address = read_address(text)
        if address.database != self._target.address.database:
            raise UnsupportedError(
                f"{name!r} is in another database than {self._target.shown}",
                hint="ask one database at a time, or read both on this machine: on='local'",
            )
        if address.query:
            self._query.add(name, self._query.resolve(address.query))
        else:
            self._query.add(name, bind_table(self._link, address.table or name))

    def unbind(self, name: str) -> None:
        """Forget a name."""
        self._query.remove(name)

    def describe(self, query: str) -> TableSchema:
        """Return the columns of a SELECT, as DuckDB tells them.

        Raises:
            SqlError: It does not parse or bind.
        """
        return self._query.describe(query)

    def fetch(self, query: str) -> pa.Table:
        """Run a SELECT and return all rows, in the types that `describe` tells.

        Raises:
            SegueError: It failed.
        """
        bound = self._query.resolve(query)
        batch = make_batch(self._link.fetch(bound.query), bound.schema)
        return pa.Table.from_batches([batch])

    def stream(self, query: str, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """Run a SELECT and return rows as they come, in the types that `describe` tells.

        Raises:
            SegueError: It failed; so can each batch.
        """
        bound = self._query.resolve(query)
        batches = self._pour(bound, batch_rows)
        return pa.RecordBatchReader.from_batches(to_arrow(bound.schema), batches)

    def _pour(self, bound: Bound, batch_rows: int) -> Iterator[pa.RecordBatch]:
        for rows in self._link.stream(bound.query, batch_rows):
            yield make_batch(rows, bound.schema)

    def native(self, query: str) -> Any:
        """Return the rows of a SELECT as an Arrow table: the database has no frames.

        Raises:
            SegueError: It failed.
        """
        return self.fetch(query)

    def persist(self, query: str) -> Any:
        """Return the rows of a SELECT as an Arrow table, for nothing is kept in the database.

        Raises:
            SegueError: It failed.
        """
        return self.fetch(query)

    def apply(  # of the protocol
        self,
        name: str,  # noqa: ARG002
        inputs: Sequence[str],  # noqa: ARG002
        work: Work,  # noqa: ARG002
        layout: Layout,  # noqa: ARG002
    ) -> None:
        """Refuse: a database runs no functions.

        Raises:
            UnsupportedError: Always.
        """
        raise UnsupportedError(
            "PostgreSQL runs no Python functions",
            hint="read the table on this machine or a cluster, and let the function work there",
        )

    def close(self) -> None:
        """Interrupt what runs and free everything."""
        self._link.close()
        self._end()
