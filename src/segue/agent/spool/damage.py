"""What is not as it was written."""

from __future__ import annotations

import sqlite3
import zlib


class DamageError(Exception):
    """Something in the spool is not as it was written; it never leaves this package."""


def checksum(*values: object) -> int:
    """Return the CRC32 of plain values.

    Example:
        >>> checksum(1, "a", None) == checksum(1, "a", None) != checksum(1, "b", None)
        True
    """
    return zlib.crc32(repr(values).encode())


_DAMAGED = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
)
"""The last four are what right statements meet in a file whose tables are described wrongly."""

_UNREADABLE = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ)


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether SQLite says that the file is not what it should be, or can't be read."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Python's own: a text that is no text. A closed connection is another matter.
        return isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in _DAMAGED or code in _UNREADABLE


def is_full(error: sqlite3.Error) -> bool:
    """Return whether SQLite says that no room is left on the disk."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
