"""Data that is named by text, bound in a session where it can be measured.

A database with an engine of its own is asked where it is; of others, and of files, the
local engine reads the rows.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from segue import registry
from segue.anywhere.data import scan_path
from segue.anywhere.sessions import SESSIONS, find_engine
from segue.errors import Location, SegueError, UsageError
from segue.execute.failure import hide_secrets
from segue.judge.profiling.spool import spool_rows
from segue.settings import expand_secrets
from segue.spec.secrets import find_passwords, hide_passwords
from segue.spec.sql import quote_identifier
from segue.spec.step import SourceSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segue.anywhere.targets import Target
    from segue.protocols import Engine, LocalSession, Session
    from segue.spec.scan import Scan

_TEXTS = ("csv", "json")
_SMALL = 4 * 2**20
"""Bytes of text that are parsed again sooner than they are copied."""


@contextmanager
def open_targets(targets: Sequence[Target]) -> Iterator[Session]:
    """Open a session in which data is bound under its names.

    Args:
        targets: The data.

    Raises:
        SegueError: Some of it can't be read; no password stands in the error.
    """
    addresses = tuple(fill_secrets(each.address) for each in targets if each.address)
    try:
        engine = _find_common(targets)
        if engine is None:
            with SESSIONS.open_local() as session:
                _bind_here(session, targets)
                yield session
        else:
            with SESSIONS.open(engine, addresses[0]).session as session:
                for each in targets:
                    session.bind(each.name, _find_there(each))
                yield session
    except SegueError as error:
        hide_secrets(error, lambda text: hide_passwords(text, *addresses))
        for address in addresses:
            if any(secret in str(error) for secret in find_passwords(address)):
                raise type(error)("the database refused", hint=error.hint) from None
        raise


def fill_secrets(address: str) -> str:
    """Return an address with the values of what stands in it as ``${NAME}``.

    Raises:
        UsageError: A variable is not set.
    """
    try:
        return expand_secrets(address, os.environ)
    except KeyError as error:
        name = error.args[0]
        hint = f"export {name}=... and try again"
        raise UsageError(f"the environment variable {name} is not set", hint=hint) from None


def _find_common(targets: Sequence[Target]) -> Engine | None:
    """Return the engine of the one database that is named, None for the local one."""
    addresses = {each.address for each in targets if each.address}
    over_files = any(each.query and not each.address for each in targets)
    return find_engine(addresses.pop()) if len(addresses) == 1 and not over_files else None


def _find_there(target: Target) -> str | Scan:
    """Return data as the session of a database's engine binds it: a file is taken along."""
    if target.path:
        return scan_path(target.path, target.name, SESSIONS.scratch())
    address = fill_secrets(target.address)
    sign = "&" if "?" in address else "?"
    key, value = ("query", target.query) if target.query else ("table", target.table)
    return f"{address}{sign}{key}={quote(value)}"


def _bind_here(session: LocalSession, targets: Sequence[Target]) -> None:
    """Bind data in the local engine; a SELECT over files comes after what it names."""
    for each in sorted(targets, key=lambda one: bool(one.query and not one.address)):
        if each.address:
            session.bind(each.name, _copy_rows(each))
        elif each.query:
            _bind_files(session, each.query, {one.name for one in targets})
            session.bind(each.name, each.query)
        else:
            _bind_file(session, each)


def _bind_file(session: LocalSession, target: Target) -> None:
    """Bind files; text, which is dear to parse, is parsed once for all queries."""
    scan = scan_path(target.path, target.name, SESSIONS.scratch())
    session.bind(target.name, scan)
    if scan.format in _TEXTS and sum(Path(path).stat().st_size for path in scan.paths) > _SMALL:
        schema = session.describe(f"select * from {quote_identifier(target.name)}")
        spool_rows(session, target.name, schema, SESSIONS.scratch())


def _copy_rows(target: Target) -> Scan:
    """Return how to read a copy of a database's rows."""
    options = {"url": target.address, "table": target.table, "query": target.query}
    source = SourceSpec(target.name, Location(""), "database", options)
    kind = registry.load_source("database")
    try:
        return kind.scan(source, Path.cwd(), SESSIONS.scratch())
    except SegueError as error:
        error.location = None  # it stands in no file
        raise


def _bind_files(session: Session, query: str, known: set[str]) -> None:
    """Bind the files that a SELECT names in place of tables, read as all files are."""
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(query, read="duckdb")
    except sqlglot.ParseError:
        return  # the engine tells what is wrong, with the line
    ctes = {each.alias for each in tree.find_all(exp.CTE)}
    named = (each.name for each in tree.find_all(exp.Table) if not each.db)
    for name in dict.fromkeys(named):
        file = any(sign in name for sign in "./*?") or Path(name).exists()
        if file and name not in known | ctes:
            session.bind(name, scan_path(name, name, SESSIONS.scratch()))
