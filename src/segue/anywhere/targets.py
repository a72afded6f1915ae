"""Data that is named by text: files, tables and queries of databases."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from segue.errors import UnknownNameError, UsageError
from segue.registry import nearest
from segue.spec.secrets import hide_passwords

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_ADDRESS = re.compile(r"[a-zA-Z][\w.-]*(\+\w+)?://")
_NAMED = re.compile(r"(?P<name>[^\W\d]\w*)=(?P<data>.+)", re.DOTALL)
_FILES = ("file", "http", "https", "ftp", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hdfs")
"""Schemes of addresses behind which there are files, and no database."""
_SIGNS = re.compile(r"[./\\]")
_PATTERN = re.compile(r"[*?\[]")
_SELECT = re.compile(r"\s*(select|with|from)\s", re.IGNORECASE)
_SQLITE = (".db", ".sqlite", ".sqlite3")
_OWN = ("table", "query")


@dataclass(frozen=True, slots=True)
class Target:
    """Data that is named by text.

    Attributes:
        name: How contracts and queries know it.
        path: A file, a folder or a pattern; empty for a database.
        address: A database, where secrets may stand as ``${NAME}``.
        table: Its table, with its schema where need be.
        query: A SELECT: in the database, or over files if there is no address.
    """

    name: str
    path: str = ""
    address: str = field(default="", repr=False)
    table: str = ""
    query: str = ""

    @property
    def shown(self) -> str:
        """What it is, for messages; without passwords."""
        if self.path:
            return self.path
        what = self.table or "a query"
        return f"{what} of {hide_passwords(self.address)}" if self.address else what


def is_database(text: str) -> bool:
    """Return whether a text is the address of a database.

    Example:
        >>> [is_database(text) for text in ("sqlite:///shop.db", "s3://bucket/x", "a.csv")]
        [True, False, False]
    """
    found = _ADDRESS.match(text)
    if found is None or text.partition("://")[0].lower() in _FILES:
        return False
    from segue.anywhere.sessions import find_engine

    engine = find_engine(text)
    return engine is None or not engine.capabilities.functions


def read_targets(
    texts: Sequence[str],
    connections: Mapping[str, str] | None = None,
    *,
    sql: str = "",
    tables: Iterable[str] = (),
) -> tuple[Target, ...]:
    """Return what texts on a command line name.

    ``orders.csv`` is a file, and so are a folder and a pattern; ``sqlite:///shop.db orders`` a
    table of a database, ``crm public.orders`` one of a connection; ``name=...`` gives another
    name than that of the file or table.

    Args:
        texts: The texts.
        connections: Addresses of databases by name.
        sql: A SELECT: in the database that is named, else over files and what else is named.
        tables: Tables to take where a database is named and none of its tables.

    Raises:
        UsageError: They can't be told.

    Example:
        >>> [(each.name, each.table) for each in read_targets(["sqlite:///a.db", "main.orders"])]
        [('orders', 'main.orders')]
        >>> [(each.name, each.path) for each in read_targets(["in/orders.csv", "s=in/x/*.csv"])]
        [('orders', 'in/orders.csv'), ('s', 'in/x/*.csv')]
    """
    found: list[Target] = []
    database = ""
    for text in texts:
        named = _NAMED.fullmatch(text)
        name, data = (named["name"], named["data"]) if named else ("", text)
        address = (connections or {}).get(data, data)
        if address.lower().endswith(_SQLITE) and not is_database(address):
            address = f"sqlite:///{address}"
        if is_database(address):
            target = read_address(address, name)
            if target.table or target.query:
                found.append(target)
            else:
                database = target.address
        elif database:
            found.append(Target(name or data.rpartition(".")[2], address=database, table=data))
        else:
            found.append(Target(name or name_path(data), path=data))
    if sql:
        found.insert(0, Target("query", address=database, query=sql))
    elif database and not any(each.address == database for each in found):
        found += [Target(each, address=database, table=each) for each in tables]
    return _refuse_twice(found)


def read_target(text: str, on: str = "", name: str = "") -> Target:
    """Return what a text names that is given in Python.

    Args:
        text: A path, an address with ``?table=``; a table or a SELECT where `on` is stated.
        on: Address of a database.
        name: How it is called; its own name if not stated.
    """
    if on and _SELECT.match(text):
        return Target(name or "data", address=on, query=text)
    if on:
        return Target(name or text.rpartition(".")[2], address=on, table=text)
    if is_database(text):
        target = read_address(text, name)
        if not (target.table or target.query):
            hint = f"write {hide_passwords(text)}?table=public.orders"
            raise UsageError("the address names no table", hint=hint)
        return target
    return Target(name or name_path(text), path=text)


def read_address(text: str, name: str = "") -> Target:
    """Return the database of an address, and the table or query that it names.

    Example:
        >>> found = read_address("postgresql://me:x@db/shop?table=public.orders&sslmode=require")
        >>> found.name, found.address, found.table
        ('orders', 'postgresql://me:x@db/shop?sslmode=require', 'public.orders')
    """
    database, _, asked = text.partition("?")
    # the order of others is kept, and ${NAME} is not taken apart
    parts = [part.partition("=") for part in asked.split("&") if part]
    own = {key: unquote(value.replace("+", " ")) for key, _, value in parts if key in _OWN}
    rest = "&".join(f"{key}{sign}{value}" for key, sign, value in parts if key not in _OWN)
    if own.get("table") and own.get("query"):
        raise UsageError("the address names a table and a query", hint="give one of them")
    table, query = own.get("table", ""), own.get("query", "")
    name = name or table.rpartition(".")[2] or "query"
    address = f"{database}?{rest}" if rest else database
    return Target(name, address=address, table=table, query=query)


def name_path(path: str) -> str:
    """Return the name of a file's or folder's rows.

    Example:
        >>> [name_path(path) for path in ("in/orders.csv.gz", "orders/*.parquet", "lake/orders/")]
        ['orders', 'orders', 'orders']
    """
    parts = [part for part in PurePath(path).parts if not re.search(r"[*?\[/\\=]", part)]
    name = parts[-1].split(".")[0] if parts else ""
    return name or "data"


def refuse_missing(targets: Iterable[Target]) -> None:
    """Refuse paths of files and folders that are not there; a pattern may match nothing yet.

    Raises:
        UnknownNameError: The hint tells the nearest.
    """
    for each in targets:
        path = Path(each.path)
        if _ADDRESS.match(each.path):
            raise UsageError(
                f"files behind addresses can't be read yet: {hide_passwords(each.path)}",
                hint="copy them into a local folder",
            )
        if each.path and not _PATTERN.search(each.path) and not path.exists():
            near = [str(found) for found in path.parent.glob("*") if not _is_hidden(found)]
            hint = nearest(each.path, near, noun="file")
            noun = "file or folder" if _SIGNS.search(each.path) else "file, folder or connection"
            raise UnknownNameError(f"there is no {noun} {each.path}", hint=hint)


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "_"))


def _refuse_twice(targets: list[Target]) -> tuple[Target, ...]:
    names = [each.name for each in targets]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        hint = f"give one of them another name: other_{twice}=..."
        raise UsageError(f"two of the data are called {twice!r}", hint=hint)
    return tuple(targets)
