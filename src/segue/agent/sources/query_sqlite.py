"""SQLite as a database that is polled."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from segue.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segue.agent.options import Options
    from segue.agent.sources.query_sql import Page, Poll, Question


class SqliteDatabase:
    """A file that is open to read."""

    def __init__(self, options: Options, question: Question) -> None:
        """Open the file.

        Raises:
            SourceError: It is not there, or is no database.
        """
        path = options.text("url").removeprefix("sqlite:///")
        self._question = question
        with self._translated():
            self._connection = sqlite3.connect(
                f"file:{quote(path)}?mode=ro",
                uri=True,
                timeout=options.seconds("timeout"),
                isolation_level=None,
                check_same_thread=False,
            )

    def fetch(self, poll: Poll) -> Page:
        """Return the rows that follow."""
        with self._translated():
            cursor = self._connection.execute(*self._question.write(poll))
            rows = cursor.fetchall()
        return self._question.make_page(tuple(each[0] for each in cursor.description), rows)

    def find_newest(self) -> Any:
        """Return the largest value of the rising column."""
        with self._translated():
            return self._connection.execute(self._question.write_newest()).fetchone()[0]

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise SourceError(f"{self._question.where}: SQLite: {error}") from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
