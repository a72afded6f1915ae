"""PostgreSQL: rows, and the place up to which they stand there, in one transaction."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from segue.agent.destinations.postgres_types import sql_type, write_csv
from segue.agent.options import CheckedKind
from segue.errors import DestinationError, MissingExtraError, ParcelRefusedError
from segue.spec.secrets import hide_passwords
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from segue.agent.options import Options
    from segue.protocols.edge import Parcel
    from segue.spec.edge import DestinationSpec

CURSORS = "segue_cursors"
_LOCK = 0x5E6CE
"""Number of the lock under which tables are made: several nodes may want to at once."""
_REFUSALS = ("22", "23")
"""Classes of errors of the rows themselves: values and constraints.

A table, column or right that is missing may be there one day: rows wait for that.
"""


class PostgresDestination(CheckedKind):
    """Adds rows to a table per stream, made if it is missing. A parcel stands there once."""

    exact = True
    required = ("url",)
    optional: Mapping[str, Any] = {
        "schema": "public",
        "table": "{stream}",
        "create": True,
        "timeout": "30s",
    }
    shapes: Mapping[str, tuple[str, ...]] = {"timeout": ("seconds",)}

    def open(self, destination: DestinationSpec) -> PostgresTarget:
        """Connect; see `segue.protocols.edge`."""
        return PostgresTarget(self.fill_destination(destination))


class PostgresTarget:
    """A connection."""

    def __init__(self, options: Options) -> None:
        """Connect, and make the table of cursors.

        Raises:
            DestinationError: The database can't be reached, or refuses.
        """
        try:
            import psycopg
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "the destination 'postgres' needs the library psycopg",
                hint="pip install 'segue[postgres]'",
            ) from error
        self._where = options.where
        self._schema = options.text("schema")
        self._table = options.text("table")
        self._create = options.flag("create")
        self._url = options.text("url")
        self._made: dict[str, pa.Schema] = {}
        wait = max(1, int(options.seconds("timeout")))
        with self._translated():
            self._connection = psycopg.connect(
                self._url,
                connect_timeout=wait,
                application_name="segue",
                options=f"-c statement_timeout={wait * 1000}",
                keepalives_idle=wait,
                tcp_user_timeout=wait * 1000,
            )
        try:
            self._make_cursors()
        except BaseException:
            self._connection.close()
            raise

    def _make_cursors(self) -> None:
        with self._translated(), self._connection.transaction():
            found = self._connection.execute(
                "select to_regclass(%s)", (self._name(CURSORS),)
            ).fetchone()
            if found and found[0] is None:
                self._connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
                self._connection.execute(
                    f"create table if not exists {self._name(CURSORS)} (node text, stream text, "
                    "epoch text, last bigint not null, primary key (node, stream, epoch))"
                )

    def deliver(self, parcel: Parcel) -> None:
        """Add the rows that do not stand there yet."""
        key = (parcel.node, parcel.stream, parcel.epoch)
        table = self._table.replace("{stream}", parcel.stream)
        with self._translated(), self._connection.transaction():
            if self._create and self._made.get(table) != parcel.table.schema:
                self._make_table(table, parcel.table.schema)
            cursors = self._name(CURSORS)
            self._connection.execute(
                f"insert into {cursors} values (%s, %s, %s, 0) on conflict do nothing", key
            )
            row = self._connection.execute(
                f"select last from {cursors} where node = %s and stream = %s and epoch = %s "
                "for update",
                key,
            ).fetchone()
            committed = int(row[0]) if row else 0
            if committed < parcel.last:
                self._copy(table, _leave_out(parcel, committed))
                self._connection.execute(
                    f"update {cursors} set last = %s "
                    "where node = %s and stream = %s and epoch = %s",
                    (parcel.last, *key),
                )
        self._made[table] = parcel.table.schema

    def _make_table(self, name: str, schema: pa.Schema) -> None:
        """Make a table, and columns that it lacks."""
        self._connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        columns = [f"{quote_identifier(each.name)} {sql_type(each.type)}" for each in schema]
        there = f"create table if not exists {self._name(name)} ({', '.join(columns)})"
        self._connection.execute(there)
        found = self._connection.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 "
            "and not attisdropped",
            (self._name(name),),
        )
        known = {each for (each,) in found}
        missing = [
            f"add column {text}"
            for each, text in zip(schema, columns, strict=True)
            if each.name not in known
        ]
        if missing:
            self._connection.execute(f"alter table {self._name(name)} {', '.join(missing)}")

    def _copy(self, name: str, table: pa.Table) -> None:
        names = ", ".join(quote_identifier(each) for each in table.column_names)
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"copy {self._name(name)} ({names}) from stdin (format csv)") as copy,
        ):
            for lines in write_csv(table):
                copy.write(lines)

    def _name(self, table: str) -> str:
        return f"{quote_identifier(self._schema)}.{quote_identifier(table)}"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raise the driver's errors as ours, without the password."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            state = error.sqlstate or ""
            refused = state.startswith(_REFUSALS)
            # what psycopg itself can't write, such as a text with a zero byte, has no state
            refused = refused or (not state and isinstance(error, psycopg.DataError))
            kind = ParcelRefusedError if refused else DestinationError
            said = hide_passwords(str(error).strip().partition("\n")[0], self._url)
            raise kind(f"{self._where}: PostgreSQL: {said}") from None

    def close(self) -> None:
        """Close the connection; what was not committed is undone."""
        self._connection.close()


def _leave_out(parcel: Parcel, committed: int) -> Any:
    """Return the rows of a parcel without those that stand there."""
    if committed < parcel.first or "_sequence" not in parcel.table.column_names:
        return parcel.table
    import pyarrow.compute as pc

    return parcel.table.filter(pc.greater(parcel.table.column("_sequence"), committed))
