"""Connections of a hub's database, and how its faults are named."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, inspect, select

from segue.errors import LedgerDamagedError, StorageError
from segue.stores.hub_tables import SCHEMA_VERSION, meta, metadata
from segue.stores.ledger_faults import naming_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection, Engine

MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {}
"""What brings a database from the version in the key to the next one."""

_MAKING = 5_072_931_447_013
"""Key of PostgreSQL's lock for whoever makes the tables: any number that is ours."""


@contextmanager
def transaction(engine: Engine, where: str, *, writes: bool = False) -> Iterator[Connection]:
    """Give a connection for one transaction; all that it writes is kept, or nothing."""
    options: dict[str, Any] = {"segue_writes": writes}
    try:
        with (
            naming_faults(where),
            engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection
    except LedgerDamagedError as error:
        raise StorageError(
            f"the hub's database {where} is damaged: {error.message}",
            hint="restore it from a backup, or move it away: nodes have to be enrolled again then",
        ) from error


def prepare(engine: Engine, where: str) -> None:
    """Make the tables of a new database, or bring older ones up to date.

    Raises:
        StorageError: A newer segue made them.
    """
    with transaction(engine, where, writes=True) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({_MAKING})")
        if not inspect(connection).has_table(meta.name):
            metadata.create_all(connection)
            row = {"name": "version", "value": str(SCHEMA_VERSION)}
            connection.execute(insert(meta).values(row))
            return
        asked = select(meta.c.value).where(meta.c.name == "version")
        version = int(connection.execute(asked).scalar_one())
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"the hub's database {where} was made by a newer segue "
                f"(its version is {version}, this segue knows {SCHEMA_VERSION})",
                hint="pip install --upgrade segue",
            )
        for step in range(version, SCHEMA_VERSION):
            MIGRATIONS[step](connection)
        reached = meta.update().where(meta.c.name == "version")
        connection.execute(reached.values(value=str(SCHEMA_VERSION)))
