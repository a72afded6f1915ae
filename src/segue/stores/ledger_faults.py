"""Faults of a ledger's database as errors that name the ledger and the next move."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from segue.errors import (
    LedgerBusyError,
    LedgerDamagedError,
    SegueError,
    StorageError,
    StorageFullError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

REBUILD_HINT = "segue recover --rebuild sets it aside and makes a new one from the lake"

_BROKEN = ("no such ", "Could not decode")


@contextmanager
def naming_faults(where: str) -> Iterator[None]:
    """Turn the database's faults into errors that name the ledger and the next move."""
    try:
        yield
    except DBAPIError as error:
        named = _name_fault(error, where)
        if named is None:
            raise
        raise named from error
    except json.JSONDecodeError as error:
        raise LedgerDamagedError(
            f"the ledger {where} is damaged: {error}", hint=REBUILD_HINT
        ) from error


def _name_fault(error: DBAPIError, where: str) -> SegueError | None:
    text = str(error.orig)
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    # Extended codes hold the plain one in their low byte.
    plain = None if code is None else code & 0xFF
    if plain in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerBusyError(
            f"the ledger {where} is locked by another program",
            hint="wait for it to end and run again; one that is suspended keeps the lock until "
            "it goes on or is ended",
        )
    if plain == sqlite3.SQLITE_FULL:
        return StorageFullError(
            f"no room is left for the ledger {where}", hint="make room and run again"
        )
    damaged = plain in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    if damaged or isinstance(error, ProgrammingError) or text.startswith(_BROKEN):
        return LedgerDamagedError(f"the ledger {where} is damaged: {text}", hint=REBUILD_HINT)
    if isinstance(error, OperationalError):
        of_disk = plain in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        hint = "is there room in its folder, and may you write there?" if of_disk else ""
        return StorageError(f"the ledger {where} can't be used: {text}", hint=hint)
    return None
