"""What is asked of a database, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from segue.errors import SourceError
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from segue.agent.options import Options


@dataclass(frozen=True, slots=True)
class Poll:
    """A question for rows.

    Attributes:
        last: Value of the rising column, and of the key, of the last row; empty for none.
        bound: Largest value of the rising column; None for no bound.
        limit: Rows.
    """

    last: tuple[Any, ...]
    bound: Any
    limit: int


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in their order.

    Attributes:
        names: Names of the columns.
        rising: Place of the rising column.
        key: Places of the key's columns.
        rows: The rows.
    """

    names: tuple[str, ...]
    rising: int
    key: tuple[int, ...]
    rows: list[tuple[Any, ...]]


class Database(Protocol):
    """A connection that only reads."""

    def fetch(self, poll: Poll) -> Page:
        """Return the rows that follow.

        Raises:
            SourceError: They can't be read.
        """
        ...

    def find_newest(self) -> Any:
        """Return the largest value of the rising column; None if there is no row."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """The SELECT of a source.

    Attributes:
        where: Whose it is, for errors.
        select: Rows, as what stands behind ``from``.
        rising: The rising column.
        key: Columns that tell rows with the same value apart.
        mark: How the driver writes a parameter.

    Example:
        >>> question = Question("table 'a'", '"orders"', "at", ("id",), "?")
        >>> question.write(Poll((5, 7), None, 10))[0]
        'select * from "orders" as q where ("at", "id") > (?, ?) order by "at", "id" limit 10'
    """

    where: str
    select: str
    rising: str
    key: tuple[str, ...]
    mark: str

    def write(self, poll: Poll) -> tuple[str, tuple[Any, ...]]:
        """Return the SELECT of a poll, and its parameters."""
        columns = [quote_identifier(each) for each in (self.rising, *self.key)]
        conditions, values = [], list(poll.last)
        if poll.last and self.key:
            marks = ", ".join([self.mark] * len(columns))
            conditions.append(f"({', '.join(columns)}) > ({marks})")
        elif poll.last:
            conditions.append(f"{columns[0]} >= {self.mark}")
        else:
            conditions.append(f"{columns[0]} is not null")
        if poll.bound is not None:
            conditions.append(f"{columns[0]} <= {self.mark}")
            values.append(poll.bound)
        sql = f"select * from {self.select} as q where {' and '.join(conditions)}"
        return f"{sql} order by {', '.join(columns)} limit {poll.limit}", tuple(values)

    def write_newest(self) -> str:
        """Return the SELECT of the largest value."""
        return f"select max({quote_identifier(self.rising)}) from {self.select} as q"

    def make_page(self, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Page:
        """Return rows that were answered.

        Raises:
            SourceError: A column that orders them is not among theirs.
        """
        for name in (self.rising, *self.key):
            if name not in names:
                raise SourceError(f"{self.where}: the rows have no column {name!r}")
        key = tuple(names.index(each) for each in self.key)
        return Page(names, names.index(self.rising), key, rows)


def open_database(options: Options) -> Database:
    """Connect to the database of an address.

    Raises:
        SourceError: It can't be reached, or there is no driver for it.
    """
    scheme = urlsplit(options.text("url")).scheme
    if scheme == "sqlite":
        from segue.agent.sources.query_sqlite import SqliteDatabase

        return SqliteDatabase(options, make_question(options, "?"))
    if scheme in ("postgresql", "postgres"):
        from segue.agent.sources.query_postgres import PostgresDatabase

        return PostgresDatabase(options, make_question(options, "%s"))
    raise options.wrong("url", "sqlite:///file.db or postgresql://user@host/database")


def make_question(options: Options, mark: str) -> Question:
    """Return the SELECT that options state."""
    query = options.text("query").strip().rstrip(";")
    if query:
        select = f"({query}\n)"  # a comment may end it
    else:
        select = ".".join(map(quote_identifier, options.text("table").split(".")))
    if mark == "%s":
        select = select.replace("%", "%%")
    return Question(options.where, select, options.text("rising"), options.texts("key"), mark)
