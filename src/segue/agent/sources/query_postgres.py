"""PostgreSQL as a database that is polled."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from segue.errors import MissingExtraError, SourceError
from segue.spec.secrets import hide_passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.agent.options import Options
    from segue.agent.sources.query_sql import Page, Poll, Question


class PostgresDatabase:
    """A connection that only reads; one that broke is made anew with the next question."""

    def __init__(self, options: Options, question: Question) -> None:
        """Connect.

        Raises:
            SourceError: The database can't be reached.
        """
        self._question = question
        self._url = options.text("url")
        self._wait = max(1, int(options.seconds("timeout")))
        self._connection: Any = None
        self._connect()

    def _connect(self) -> Any:
        try:
            import psycopg
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "reading PostgreSQL needs the library psycopg",
                hint="pip install 'segue[postgres]'",
            ) from error
        if self._connection is None or self._connection.broken:
            with self._translated():
                self._connection = psycopg.connect(
                    self._url,
                    connect_timeout=self._wait,
                    application_name="segue",
                    autocommit=True,
                    options="-c default_transaction_read_only=on "
                    f"-c statement_timeout={self._wait * 1000}",
                    tcp_user_timeout=self._wait * 1000,
                )
        return self._connection

    def fetch(self, poll: Poll) -> Page:
        """Return the rows that follow."""
        sql, values = self._question.write(poll)
        with self._translated():
            cursor = self._connect().execute(sql.encode(), values)
            rows = cursor.fetchall()
        return self._question.make_page(tuple(each.name for each in cursor.description), rows)

    def find_newest(self) -> Any:
        """Return the largest value of the rising column."""
        with self._translated():
            return self._connect().execute(self._question.write_newest().encode(), ()).fetchone()[0]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            said = hide_passwords(str(error).strip().partition("\n")[0], self._url)
            raise SourceError(f"{self._question.where}: PostgreSQL: {said}") from None

    def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            self._connection.close()
