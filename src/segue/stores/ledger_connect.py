"""Connections of a SQL ledger: how it is opened, migrated, and how its faults are named."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from segue.errors import (
    LedgerDamagedError,
    MissingExtraError,
    StorageError,
    name_disk_fault,
)
from segue.settings import expand_secrets
from segue.stores.ledger_faults import REBUILD_HINT, naming_faults
from segue.stores.ledger_glance import QUICK_CHECK_BYTES
from segue.stores.ledger_history import fill_points
from segue.stores.ledger_readonly import connect_to_read, may_only_read, seen_unchanged
from segue.stores.ledger_state import SCHEMA_VERSION
from segue.stores.ledger_tables import alerts, meta, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import URL, Connection, CursorResult, Engine, Table

    from segue.stores.ledger_state import Ask

MIGRATIONS: Mapping[int, tuple[str | Callable[[Connection], None], ...]] = {
    1: (
        "alter table segue_measurements add column environment varchar(120)",
        "alter table segue_measurements add column check_name text",
        "alter table segue_measurements add column series varchar(32)",
        "alter table segue_measurements add column verdict varchar(8)",
        "alter table segue_measurements add column rows bigint",
        "alter table segue_measurements add column failing bigint",
        "alter table segue_measurements add column value float",
        "alter table segue_measurements add column seconds float",
        "alter table segue_measurements add column code varchar(80)",
        "alter table segue_measurements add column segments text",
        fill_points,
        "create index segue_measurements_series on segue_measurements (series, id)",
    ),
    2: (partial(alerts.create, checkfirst=True),),
}
"""What brings a ledger from the version in the key to the next one: statements and functions."""

_WRITES = "segue_writes"
_READ_ONLY = "segue_read_only"
_MAKING = 5_072_931_447_012
"""Key of PostgreSQL's lock for whoever makes a ledger's tables: any number that is ours."""


WAL_ATTEMPTS = 20
"""How often the switch to WAL is tried: for two seconds, waits growing."""


def open_engine(url: str, wait_seconds: float) -> Engine:
    """Return an engine for a ledger's URL; no connection is made yet.

    Args:
        url: As SQLAlchemy writes it; ``sqlite:///path`` for a file, whose folder is made. Secrets
            may stand in it as ``${NAME}``.
        wait_seconds: Longest wait for another program's lock.

    Raises:
        StorageError: The URL can't be read.
        MissingExtraError: The database's driver is not installed.
    """
    try:
        parsed = make_url(expand_secrets(url, os.environ))
    except KeyError as error:
        name = error.args[0]
        raise StorageError(
            f"the ledger's address needs the environment variable {name}, which is not set",
            hint=f"export {name}=... and try again",
        ) from None
    except ArgumentError:  # whose text may hold a password
        raise StorageError(
            "the ledger's address can't be read",
            hint="write [lake] ledger = 'postgresql://user:${PASSWORD}@host/database'",
        ) from None
    if parsed.get_backend_name() != "sqlite":
        if parsed.drivername in (
            "postgresql",
            "postgres",
        ):  # the driver that segue[postgres] brings
            parsed = parsed.set(drivername="postgresql+psycopg")
        try:
            return create_engine(parsed, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            extra = "segue[postgres]" if error.name == "psycopg" else error.name
            raise MissingExtraError(
                f"the driver of the ledger's database is not installed: {error.name}",
                hint=f"pip install '{extra}'",
            ) from error
    if parsed.database:
        folder = Path(parsed.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise name_disk_fault(error, folder) from None
        if may_only_read(parsed.database):
            return _open_to_read(parsed, wait_seconds)
    engine = create_engine(parsed, connect_args={"timeout": wait_seconds})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _open_to_read(url: URL, wait_seconds: float) -> Engine:
    path = str(url.database)
    engine = create_engine(
        url,
        creator=partial(connect_to_read, path, wait_seconds),
        poolclass=NullPool,  # without locks, what a connection has kept may be old
        execution_options={_READ_ONLY: True},
    )
    event.listen(engine, "begin", _begin)
    return engine


def _seen_whole(engine: Engine, where: str) -> AbstractContextManager[None]:
    """Return what makes sure that a ledger without locks is not written while it is read."""
    return (
        seen_unchanged(where) if engine.get_execution_options().get(_READ_ONLY) else nullcontext()
    )


def name_ledger(engine: Engine) -> str:
    """Return how messages name a ledger: its file, or its address without the password."""
    if engine.dialect.name == "sqlite":
        return engine.url.database or str(engine.url)
    plain = engine.url.set(drivername=engine.url.get_backend_name(), password=None)
    return plain.render_as_string()


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own BEGIN comes late and is never IMMEDIATE, so transactions are ours.
    connection.isolation_level = None
    _switch_to_wal(connection)
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # SQLite's own wait for locks does not cover this switch, when several make a ledger at once.
    for attempt in range(WAL_ATTEMPTS):
        try:
            if connection.execute("pragma journal_mode").fetchone() != ("wal",):
                connection.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError:
            if attempt == WAL_ATTEMPTS - 1:
                raise
            time.sleep(0.01 * (attempt + 1))
        else:
            return


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("begin immediate" if writes else "begin")


@contextmanager
def reading(engine: Engine, where: str) -> Iterator[Connection]:
    """Give a connection that sees one state of the ledger for as long as it is open."""
    with (
        _seen_whole(engine, where),
        naming_faults(where),
        _connecting(engine) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def writing(engine: Engine, where: str) -> Iterator[Connection]:
    """Give the one connection that may write; all of it is kept, or nothing."""
    with naming_faults(where), _connecting(engine) as connection:
        # SQLite locks the whole file; others lock one row that every writer asks for first.
        options: dict[str, Any] = {_WRITES: True}
        with connection.execution_options(**options).begin():
            if connection.dialect.name != "sqlite":
                row = select(meta.c.value).where(meta.c.name == "version").with_for_update()
                connection.execute(row)
            yield connection


@contextmanager
def _connecting(engine: Engine) -> Iterator[Connection]:
    """Give a connection that goes back to the pool only if all went well.

    A result that an error left half read keeps its lock, and the next writer that got the
    connection would be refused at once, without the wait.
    """
    with engine.connect() as connection:
        try:
            yield connection
        except BaseException:  # an interrupt leaves a result half read, too
            connection.invalidate()
            raise


def prepare(engine: Engine, where: str) -> None:
    """Make a new ledger's tables, or bring an older one's up to date.

    Raises:
        StorageError: The ledger was made by a newer segue.
        LedgerDamagedError: It is not a ledger.
    """
    with _seen_whole(engine, where):
        if engine.dialect.name == "sqlite" and 0 < _file_bytes(where) < QUICK_CHECK_BYTES:
            _check(engine, where, "pragma quick_check(1)")
        version = _read_version(engine, where)
    if version == SCHEMA_VERSION:
        return
    if version is not None and version > SCHEMA_VERSION:
        raise StorageError(
            f"the ledger {where} was made by a newer segue "
            f"(its version is {version}, this segue knows {SCHEMA_VERSION})",
            hint="pip install --upgrade segue",
        )
    with naming_faults(where), engine.connect() as connection:
        options: dict[str, Any] = {_WRITES: True}
        with connection.execution_options(**options).begin():
            if connection.dialect.name == "postgresql":  # which has no row to lock yet
                connection.exec_driver_sql(f"select pg_advisory_xact_lock({_MAKING})")
            # another process may have made or changed it between our look and our lock
            _migrate(connection, _find_version(connection))


def _file_bytes(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except FileNotFoundError:
        return 0


def _read_version(engine: Engine, where: str) -> int | None:
    with naming_faults(where), engine.connect() as connection:
        row = select(meta.c.value).where(meta.c.name == "version")
        try:
            with connection.begin():
                return int(connection.execute(row).scalar_one())
        except DBAPIError:
            from sqlalchemy import inspect

            # A file with other tables in it is somebody's database, or half a ledger.
            with connection.begin():
                if inspect(connection).has_table("segue_runs"):
                    raise
            return None


def _find_version(connection: Connection) -> int | None:
    """Return the version that a ledger has while it is locked; None for a new one."""
    from sqlalchemy import inspect

    if not inspect(connection).has_table(meta.name):
        return None
    found = connection.execute(select(meta.c.value).where(meta.c.name == "version")).scalar()
    return None if found is None else int(found)


def _migrate(connection: Connection, version: int | None) -> None:
    if version is None:
        metadata.create_all(connection)
        connection.execute(insert(meta).values(name="version", value=str(SCHEMA_VERSION)))
        return
    for step in range(version, SCHEMA_VERSION):
        for change in MIGRATIONS[step]:
            if isinstance(change, str):
                connection.exec_driver_sql(change)
            else:
                change(connection)
    connection.execute(
        meta.update().where(meta.c.name == "version").values(value=str(SCHEMA_VERSION))
    )


def set_aside(url: str) -> str:
    """Rename the file of a SQLite ledger, and what belongs to it.

    Raises:
        StorageError: The ledger is in another database.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise StorageError(
            f"the ledger {parsed} is not a file that can be set aside",
            hint="restore it from your database's backup, or name an empty one in [lake] ledger",
        )
    path = Path(parsed.database)
    if not path.exists():
        return ""
    taken = (path.with_name(f"{path.name}.damaged-{number}") for number in count(1))
    aside = next(each for each in taken if not each.exists())
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            try:
                part.rename(aside.with_name(aside.name + suffix))
            except OSError as error:
                raise name_disk_fault(error, part) from error
    return str(aside)


def asking(connection: Connection) -> Ask:
    """Return what runs the SELECTs of `segue.stores.ledger_state` in a transaction."""

    def ask(query: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        return connection.execute(text(query), values).all()

    return ask


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or replace those of the same primary key."""
    if rows:
        connection.execute(_make_upsert(table, connection.dialect.name, tuple(rows[0])), rows)


@cache
def _make_upsert(table: Table, dialect: str, names: tuple[str, ...]) -> Any:
    """Return the statement, which costs more to put together than to run."""
    keys = [column.name for column in table.primary_key]
    # Each dialect has its own INSERT, and costs an import that the other does not need.
    statement = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def inserted_number(made: CursorResult[Any]) -> int:
    """Return the number that the database gave to an inserted row."""
    key = made.inserted_primary_key
    if key is None:
        raise TypeError("the statement inserted nothing")
    return int(key[0])


def check_integrity(engine: Engine, where: str) -> None:
    """Read all of a ledger for damage; takes as long as that.

    Raises:
        LedgerDamagedError: It is damaged.
    """
    if engine.dialect.name == "sqlite":
        _check(engine, where, "pragma integrity_check(3)")


def _check(engine: Engine, where: str, pragma: str) -> None:
    with reading(engine, where) as connection:
        found = connection.exec_driver_sql(pragma).scalars().all()
    if found != ["ok"]:
        raise LedgerDamagedError(
            f"the ledger {where} is damaged: {'; '.join(map(str, found))}", hint=REBUILD_HINT
        )
