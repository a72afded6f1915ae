"""Connections that only read: each session sees one state of the database, and changes nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from segue.engines.postgres.failures import shorten, translated
from segue.errors import EngineError, UnsupportedError, UsageError
from segue.spec.secrets import MASK, hide_passwords

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from segue.engines.postgres.address import Address

CONNECT_SECONDS = 15
_SETTINGS = {
    "default_transaction_read_only": "on",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "client_encoding": "UTF8",
    "search_path": None,
    "statement_timeout": None,
}
"""What queries mean the same by; the last two are the user's to set."""


@dataclass(frozen=True, slots=True)
class Target:
    """A database that can be connected to.

    Attributes:
        address: Where it is.
        settings: Settings of sessions there.
    """

    address: Address
    settings: Mapping[str, str]

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.address.shown


def make_target(address: Address, options: Mapping[str, Any]) -> Target:
    """Return how to connect to a database.

    Args:
        address: Where it is.
        options: Settings that the user asks for: ``statement_timeout``, ``search_path``.

    Raises:
        UsageError: A setting is not the user's to set.
    """
    open_ = [name for name, value in _SETTINGS.items() if value is None]
    for name in options:
        if name not in open_:
            hint = f"there are: {', '.join(open_)}"
            raise UsageError(f"PostgreSQL's place has no option {name!r}", hint=hint)
    settings = {name: value for name, value in _SETTINGS.items() if value is not None}
    settings |= {name: str(value) for name, value in options.items()}
    if address.timeout:
        settings["statement_timeout"] = address.timeout
    return Target(address, settings)


class Link:
    """One connection: opened at first use, in a transaction that reads one state."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._connection: Any = None
        self._streams = 0
        self.closed = False

    def _connect(self) -> Any:
        if self.closed:
            raise EngineError("the session is closed")
        if self._connection is None:
            self._connection = _open(self.target)
        return self._connection

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        """Return all rows of a SELECT.

        Raises:
            SegueError: It failed; the next one can be asked all the same.
        """
        connection = self._connect()
        with translated("the query", self.target.shown), connection.transaction():
            rows: list[tuple[Any, ...]] = connection.execute(query.encode()).fetchall()
        return rows

    def test(self, query: str) -> None:
        """Let PostgreSQL plan a SELECT, without running it.

        Raises:
            SegueError: It can't.
        """
        self.fetch(f"explain {query}")

    def stream(self, query: str, rows: int) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a SELECT as they come, so many at a time.

        Raises:
            SegueError: It failed.
        """
        connection = self._connect()
        self._streams += 1
        name = f"segue_{self._streams}"
        with connection.cursor(name) as cursor:
            with translated("the query", self.target.shown), connection.transaction():
                pass  # the session's own transaction has begun
            with translated("the query", self.target.shown):
                cursor.execute(query.encode())
            while True:
                with translated("the query", self.target.shown):
                    found = cursor.fetchmany(rows)
                if not found:
                    return
                yield found

    def close(self) -> None:
        """Let what runs be canceled, and the connection go."""
        self.closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            import psycopg

            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=1)
            with suppress(psycopg.Error):
                connection.close()


def _open(target: Target) -> Any:
    import psycopg

    try:
        connection = psycopg.connect(
            target.address.database,
            connect_timeout=CONNECT_SECONDS,
            application_name="segue",
            autocommit=True,
        )
    except (psycopg.Error, UnicodeError) as error:
        said = shorten(_hide(str(error), target.address.database))
        raise EngineError(
            f"PostgreSQL at {target.shown} can't be reached: {said}",
            hint="is it running, and may this user read that database?",
        ) from None
    try:
        with translated("setting up the session", target.shown):
            for name, value in target.settings.items():
                connection.execute("select set_config(%s, %s, false)", (name, value))
            _refuse_encoding(connection, target)
            connection.autocommit = False
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            connection.execute("select 1")  # begins the transaction, whose state stays
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_encoding(connection: Any, target: Target) -> None:
    (encoding,) = connection.execute("show server_encoding").fetchone()
    if encoding != "UTF8":
        raise UnsupportedError(
            f"the database at {target.shown} is encoded as {encoding}",
            hint="segue reads databases in UTF8; export it as Parquet or CSV and check that",
        )


def _hide(text: str, database: str) -> str:
    """Return a message without the password of an address, in whatever form it stands there."""
    raw = database.partition("://")[2].rpartition("@")[0].partition(":")[2]
    for secret in {raw, unquote(raw)} - {""}:
        text = text.replace(secret, MASK)
    return hide_passwords(text, database)
