"""Addresses of databases, and of tables and queries in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from segue.engines.postgres.capabilities import CAPABILITIES
from segue.errors import UsageError

_OWN = ("table", "schema", "query", "timeout")
_TIMEOUT = re.compile(r"\d+\s*(ms|s|min|h)?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, and what is asked of it.

    Attributes:
        database: Address of the database, as libpq reads it, password and all; never shown.
        shown: The same without the password.
        table: Table or view, with its schema if it was given.
        query: A SELECT, instead of a table.
        timeout: Longest time of a statement, such as ``30s``.
    """

    database: str = field(repr=False)
    shown: str
    table: str = ""
    query: str = ""
    timeout: str = ""


def is_address(thing: object) -> bool:
    """Return whether something is the address of a PostgreSQL database."""
    return isinstance(thing, str) and thing.startswith(CAPABILITIES.schemes)


def read_address(text: str) -> Address:
    """Return an address and what segue itself is asked for in it.

    Raises:
        UsageError: It can't be read.

    Example:
        >>> found = read_address("postgresql://ann:secret@db/shop?table=public.orders&timeout=5s")
        >>> found.shown, found.table, found.timeout
        ('postgresql://ann@db/shop', 'public.orders', '5s')
    """
    scheme, _, rest = text.partition("://")
    try:
        parts = urlsplit(f"postgresql://{rest}")
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        user = unquote(parts.username or "")
    except ValueError:
        # what is wrong may hold the password
        raise UsageError(
            f"the {scheme} address can't be read",
            hint="write postgresql://user:password@host:5432/database?table=schema.table",
        ) from None
    own = {key: value for key, value in pairs if key in _OWN}
    if own.get("table") and own.get("query"):
        raise UsageError("the address names a table and a query", hint="give one of them")
    if own.get("timeout") and not _TIMEOUT.fullmatch(own["timeout"]):
        raise UsageError(f"{own['timeout']!r} is no timeout", hint="write timeout=30s")
    others = "&".join(
        f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs if key not in _OWN
    )
    table = own.get("table", "")
    if table and own.get("schema"):
        table = f"{own['schema']}.{table}"
    database = urlunsplit(("postgresql", parts.netloc, parts.path, others, ""))
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{quote(user, safe='')}@{host}" if user else host
    shown = f"postgresql://{netloc}{parts.path}"
    return Address(database, shown, table, own.get("query", ""), own.get("timeout", ""))
