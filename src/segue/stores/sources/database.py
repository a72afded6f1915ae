"""Tables and queries of databases, read through SQLAlchemy in batches.

It is the way for every database that has no engine of its own: rows are copied into a
Parquet file first, whatever is asked of them then.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from segue.errors import MissingExtraError, SourceError, UsageError
from segue.registry import nearest
from segue.settings import Table
from segue.spec.scan import Scan, SourceFile, SourceState
from segue.spec.secrets import hide_passwords
from segue.stores.sources.database_types import find_arrow_type, make_table, unify_schemas
from segue.stores.sources.files import fill_secrets
from segue.stores.sources.options import read_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from sqlalchemy import Connection, Engine, Executable

    from segue.spec.step import SourceSpec

BATCH = 50_000
"""Rows that are fetched at a time."""
_SELECT = re.compile(r"\s*(?:--[^\n]*\n\s*)*(?:select|with|values|from)\b", re.IGNORECASE)


class DatabaseOptions(Table):
    """``[tables.<name>]`` of a database's table or query."""

    url: str = Field(description="Address of the database; in `segue.toml`, name a `connection`.")
    table: str = Field("", description="Table to read, with its schema where need be.")
    query: str = Field("", description="SELECT to read instead, in the database's own SQL.")


class DatabaseSource:
    """Tables of databases."""

    suffixes: tuple[str, ...] = ()
    options = DatabaseOptions

    def observe(self, source: SourceSpec, root: Path) -> SourceState:
        """Return a state that is always another one: only reading tells whether rows changed.

        A SQLite file changes when its time does.

        Raises:
            SourceError: Its file is missing.
        """
        options = read_options(DatabaseOptions, source)
        told = f"{options.url}\0{options.table}\0{options.query}"
        path = find_file(source, options, root)
        stamp = os.urandom(8).hex()
        files: tuple[SourceFile, ...] = ()
        if path is not None:
            seen = [each.stat() for each in (path, Path(f"{path}-wal")) if each.exists()]
            stamp = " ".join(f"{each.st_size}-{each.st_mtime_ns}" for each in seen)
            files = (SourceFile(str(path), seen[0].st_size, stamp),)
        identity = hashlib.sha256(f"{told}\0{stamp}".encode()).hexdigest()
        return SourceState(source.name, identity, files)

    def scan(
        self,
        source: SourceSpec,
        root: Path,
        scratch: Path,
        only: Sequence[str] = (),  # noqa: ARG002 - a table is read whole
    ) -> Scan:
        """Copy the rows, and return how to read the copy.

        Who asks again in the same folder gets the same copy: a run sees one state of a table.

        Raises:
            SourceError: They can't be read.
        """
        options = read_options(DatabaseOptions, source)
        find_file(source, options, root)
        told = f"{options.url}\0{options.table}\0{options.query}"
        name = f"database-{source.name}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
        folder, done = scratch / name, scratch / f"{name}.done"
        if not done.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with _connected(source, options, root) as connection:
                copied = copy_rows(source, options, connection, folder)
            done.write_text("\n".join(copied), encoding="utf-8")
        paths = tuple(done.read_text(encoding="utf-8").split("\n"))
        return Scan("parquet", paths, {"shown": dict.fromkeys(paths, source.name)})


def find_file(source: SourceSpec, options: DatabaseOptions, root: Path) -> Path | None:
    """Return the file of a SQLite database, None for others.

    Raises:
        SourceError: There is none: SQLite itself would make an empty one.
    """
    if not options.url.startswith("sqlite"):
        return None
    path = root / fill_secrets(source, options.url).partition("://")[2].removeprefix("/")
    if not path.is_file():
        raise SourceError(
            f"table {source.name!r}: there is no database file {path.name}",
            location=source.location,
            hint="sqlite:///data/shop.db is a path from here, sqlite:////data/shop.db one from /",
        )
    return path


@contextmanager
def _connected(source: SourceSpec, options: DatabaseOptions, root: Path) -> Iterator[Connection]:
    """Open a connection; what goes wrong is told without the password."""
    from sqlalchemy import exc

    url = fill_secrets(source, options.url)
    engine = _make_engine(source, options, url, root)
    try:
        with engine.connect() as connection:
            yield connection.execution_options(yield_per=BATCH)
    except exc.SQLAlchemyError as error:
        told = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise SourceError(
            f"table {source.name!r}: {hide_passwords(told, url)}",
            location=source.location,
            hint=f"the database is {hide_passwords(options.url)}",
        ) from None
    finally:
        engine.dispose()


def _make_engine(source: SourceSpec, options: DatabaseOptions, url: str, root: Path) -> Engine:
    from sqlalchemy import create_engine, exc, pool

    shown = hide_passwords(options.url)
    path = find_file(source, options, root)
    if path is not None:
        url = f"sqlite:///{path}"
    try:
        return create_engine(url, poolclass=pool.NullPool)
    except exc.NoSuchModuleError:
        raise UsageError(
            f"no database is known that is reached by {shown}",
            hint="addresses are such as sqlite:///shop.db or postgresql://user:${PASSWORD}@host/db",
        ) from None
    except exc.ArgumentError:
        raise UsageError(f"{shown} is not the address of a database") from None
    except ModuleNotFoundError as error:
        hint = f"install the driver: pip install {error.name}"
        raise MissingExtraError(f"{shown} needs the module {error.name}", hint=hint) from None


def copy_rows(
    source: SourceSpec, options: DatabaseOptions, connection: Connection, folder: Path
) -> tuple[str, ...]:
    """Write all rows as Parquet files of the same columns; return their paths."""
    import pyarrow.parquet as pq

    statement, types = _select(source, options, connection)
    result = connection.execute(statement)
    names = list(result.keys())
    parts: list[tuple[Path, pa.Schema]] = []
    for rows in result.partitions(BATCH):
        table = make_table(source.name, names, rows, types)
        parts.append((folder / f"{len(parts)}.parquet", table.schema))
        pq.write_table(table, parts[-1][0], compression="zstd")
    if not parts:
        table = make_table(source.name, names, (), types)
        parts.append((folder / "0.parquet", table.schema))
        pq.write_table(table, parts[0][0])
    schema = unify_schemas(source.name, [each for _, each in parts])
    for path, found in parts:
        if found != schema:
            pq.write_table(pq.read_table(path).cast(schema), path, compression="zstd")
    return tuple(str(path) for path, _ in parts)


def _select(
    source: SourceSpec, options: DatabaseOptions, connection: Connection
) -> tuple[Executable, dict[str, pa.DataType]]:
    """Return what to execute, and the types of columns that the database declares."""
    from sqlalchemy import MetaData, inspect, select, text
    from sqlalchemy import Table as Reflected
    from sqlalchemy.exc import NoSuchTableError

    if options.query:
        if not _SELECT.match(options.query):
            raise UsageError(f"table {source.name!r}: the query is not a SELECT")
        return text(options.query), {}
    schema, _, name = options.table.rpartition(".")
    try:
        reflected = Reflected(name, MetaData(), schema=schema or None, autoload_with=connection)
    except NoSuchTableError:
        looker = inspect(connection)
        known = [*looker.get_table_names(schema or None), *looker.get_view_names(schema or None)]
        raise SourceError(
            f"there is no table {options.table!r} in {hide_passwords(options.url)}",
            location=source.location,
            hint=nearest(name, known, noun="table"),
        ) from None
    wide = connection.dialect.name == "sqlite"
    found = {each.name: find_arrow_type(each.type, wide=wide) for each in reflected.columns}
    return select(reflected), {name: type_ for name, type_ in found.items() if type_ is not None}
