"""What is in any data."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.anywhere.data import read_data, scan_path
from segue.anywhere.sessions import SESSIONS, find_owner, find_site
from segue.spec.scan import Scan
from segue.spec.sql import quote_identifier

if TYPE_CHECKING:
    from segue.anywhere.data import Data
    from segue.anywhere.targets import Target
    from segue.protocols import LocalSession, Session
    from segue.spec.profile import Profile
    from segue.spec.types import TableSchema

TABLE = "data"


def profile(data: Any, *, sensitive: Iterable[str] = (), on: Any = None) -> Profile:
    """Describe every column of data, in two passes over its rows.

    Args:
        data: A frame of any kind, an engine's own frame, or the path of files.
        sensitive: Names of columns whose values are kept out.
        on: Where the data is, if it is not told by itself; rows of another engine are brought
            here.

    Returns:
        Columns with their types, nulls, values, spread and patterns, keys, and pairs of
        numbers that go together; notebooks show it.

    Raises:
        UsageError: The data can't be read.

    Example:
        >>> import pyarrow as pa
        >>> found = profile(pa.table({"id": [1, 2, 3], "city": ["Rome", None, "Rome"]}))
        >>> [(column.name, column.nulls, column.distinct) for column in found.columns]
        [('id', 0, 3), ('city', 1, 1)]
        >>> found.keys
        (('id',),)
    """
    from segue.judge.profiling.describe import profile_table

    with open_data(data, on) as (session, name, schema):
        return profile_table(session, name, schema, frozenset(sensitive))


def suggest(data: Any, name: str = TABLE, *, sensitive: Iterable[str] = (), on: Any = None) -> str:
    """Suggest a contract for data: modest, each line with its evidence, and true of the data.

    Args:
        data: As for `profile`.
        name: What the contract calls it.
        sensitive: As for `profile`.
        on: As for `profile`.

    Returns:
        A contract as YAML, for ``contracts.yml``.

    Raises:
        UsageError: The data can't be read.

    Example:
        >>> import pyarrow as pa
        >>> print(suggest(pa.table({"day": list(range(30))}), "days"))
        days:  # suggested from 30 rows
          columns:
            day: {type: int64, required: true, unique: true}  # no nulls, every row has its own
          rows: {min: 1}  # 30 now
        <BLANKLINE>
    """
    from segue.judge.profiling.describe import profile_table
    from segue.judge.suggesting.suggest import suggest_contract

    with open_data(data, on, name) as (session, table, schema):
        found = profile_table(session, table, schema, frozenset(sensitive))
        return suggest_contract(session, schema, found)


def profile_target(target: Target, sensitive: Iterable[str] = ()) -> Profile:
    """Describe every column of data that is named by text.

    Raises:
        SegueError: It can't be read.
    """
    from segue.judge.profiling.describe import profile_table

    with open_target(target) as (session, schema):
        return profile_table(session, target.name, schema, frozenset(sensitive))


def suggest_target(target: Target, sensitive: Iterable[str] = ()) -> str:
    """Suggest a contract for data that is named by text.

    Raises:
        SegueError: It can't be read.
    """
    from segue.judge.profiling.describe import profile_table
    from segue.judge.suggesting.suggest import suggest_contract

    with open_target(target) as (session, schema):
        found = profile_table(session, target.name, schema, frozenset(sensitive))
        return suggest_contract(session, schema, found)


@contextmanager
def open_target(target: Target) -> Iterator[tuple[LocalSession, TableSchema]]:
    """Open the local engine with data that is named by text; rows of databases are copied."""
    if target.path:
        with open_data(target.path, None, target.name) as (session, _, schema):
            yield session, schema
        return
    from segue.anywhere.open_targets import open_targets

    with tempfile.TemporaryDirectory(prefix="segue-") as folder:
        with open_targets([target]) as remote:
            scan = _copy_rows(remote, target.name, Path(folder))
        with SESSIONS.open_local() as session:
            yield session, _bind(session, target.name, scan, Path(folder))


@contextmanager
def open_data(
    data: Any, on: Any = None, name: str = TABLE
) -> Iterator[tuple[LocalSession, str, TableSchema]]:
    """Open the local engine with data bound, so that each column can be read by itself.

    Args:
        data: A frame of any kind, an engine's own frame, or the path of files.
        on: Where it is.
        name: Name to give it.

    Returns:
        The engine, the name and the columns.

    Raises:
        UsageError: The data can't be read.
    """
    owner = find_owner(data)
    site = find_site(on, [(owner, data)] if owner is not None else [])
    given = read_data(data, name, live=owner is not None).hold()
    with (
        tempfile.TemporaryDirectory(prefix="segue-") as folder,
        SESSIONS.open_local() as session,
    ):
        if site is not None and site.capabilities.distributed:
            with site.session as remote:
                remote.bind(name, _open(given, Path(folder)))
                bound: Any = _copy_rows(remote, name, Path(folder))
        else:
            bound = _open(given, Path(folder))
        yield session, name, _bind(session, name, bound, Path(folder))


def _open(given: Data, folder: Path) -> Any:
    if given.path:
        return scan_path(given.path, given.name, folder)
    return given.live if given.table is None else given.table


def _bind(session: LocalSession, name: str, bound: Any, folder: Path) -> TableSchema:
    """Bind rows so that each column can be read by itself, and return the columns."""
    from segue.judge.profiling.spool import spool_rows

    session.bind(name, bound)
    schema = session.describe(f"select * from {quote_identifier(name)}")
    if isinstance(bound, Scan) and bound.format != "parquet":
        spool_rows(session, name, schema, folder)
    return schema


def _copy_rows(session: Session, name: str, folder: Path) -> Scan:
    """Copy the rows of another engine, batch by batch."""
    import pyarrow as pa

    path = folder / "rows.arrow"
    with (
        session.stream(f"select * from {quote_identifier(name)}") as batches,
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_file(file, batches.schema) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)
    return Scan("arrow", (str(path),))
