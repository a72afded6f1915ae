"""PostgreSQL as an engine: the database computes what is asked of its tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from segue.engines.postgres.address import Address, is_address, read_address
from segue.engines.postgres.capabilities import CAPABILITIES
from segue.errors import UnsupportedError, UsageError
from segue.spec.step import PlaceSpec

if TYPE_CHECKING:
    from pathlib import Path

    from segue.engines.postgres.session import PostgresSession


class PostgresEngine:
    """The engine called ``postgres``."""

    name = "postgres"
    capabilities = CAPABILITIES

    def open(self, place: PlaceSpec, scratch: Path) -> PostgresSession:
        """Return a session on a database; it is reached when it is first asked.

        Args:
            place: Its address is ``postgresql://user:password@host/database``; options are
                ``statement_timeout`` and ``search_path``.
            scratch: Folder for what this process has to put aside.

        Raises:
            UsageError: There is no address.
        """
        if not place.address:
            raise UsageError(
                "a database has an address",
                hint="on='postgresql://user:password@host/database', or `address` of the place",
            )
        return _open(read_address(place.address), place, scratch)

    def owns(self, thing: Any) -> bool:
        """Return whether a thing is the address of a database, or a connection to one.

        Connections are those of psycopg, and engines and connections of SQLAlchemy.
        """
        if isinstance(thing, str):
            return is_address(thing)
        return _find_database(thing) is not None

    def attach(self, thing: Any, scratch: Path) -> PostgresSession:
        """Return a session on the database of an address or a connection.

        The session has a connection of its own: it sees what others have committed, and leaves
        the given one alone.
        """
        text = thing if isinstance(thing, str) else _find_database(thing)
        if text is None:
            raise UnsupportedError(f"{type(thing).__name__} leads to no PostgreSQL database")
        return _open(read_address(text), PlaceSpec("postgres", engine="postgres"), scratch)


def _open(address: Address, place: PlaceSpec, scratch: Path) -> PostgresSession:
    from segue.engines.postgres.driver import make_target
    from segue.engines.postgres.session import PostgresSession
    from segue.registry import load_local_engine

    target = make_target(address, place.options)
    local = load_local_engine().open(PlaceSpec("postgres", threads=1), scratch)
    return PostgresSession(target, local, local.close)


def _find_database(thing: Any) -> str | None:
    """Return the address of the database that a connection leads to; None for anything else."""
    package = type(thing).__module__.partition(".")[0]
    if package == "psycopg" and "psycopg" in sys.modules and hasattr(thing, "info"):
        from psycopg.conninfo import conninfo_to_dict

        parts = conninfo_to_dict(thing.info.dsn, password=thing.info.password or None)
        return _write_address({key: str(value) for key, value in parts.items() if value})
    if package == "sqlalchemy":
        url = getattr(getattr(thing, "engine", None), "url", None)
        if url is not None and url.get_backend_name() == "postgresql":
            parts = {
                "user": url.username,
                "password": url.password,
                "host": url.host,
                "port": url.port,
                "dbname": url.database,
                **url.query,
            }
            return _write_address({key: str(value) for key, value in parts.items() if value})
    return None


def _write_address(parts: dict[str, str]) -> str:
    """Return what libpq knows of a connection as an address.

    Example:
        >>> _write_address({"user": "ann", "password": "a b", "host": "db", "dbname": "shop"})
        'postgresql://ann:a%20b@db/shop'
    """
    from urllib.parse import quote

    named = {key: quote(value, safe="") for key, value in parts.items()}
    user, password = named.pop("user", ""), named.pop("password", "")
    database = named.pop("dbname", "")
    host = parts.get("host", "")
    authority = ""
    if host and "/" not in host and "," not in host:
        port = f":{named.pop('port')}" if "port" in named else ""
        del named["host"]
        authority = f"{host}{port}"
    secret = f":{password}" if password else ""
    login = f"{user}{secret}@" if user else ""
    rest = "&".join(f"{key}={value}" for key, value in named.items())
    return f"postgresql://{login}{authority}/{database}{'?' + rest if rest else ''}"
