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


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether SQLite says that the file is not what it should be, or can't be read."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code in (
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
    )


def is_full(error: sqlite3.Error) -> bool:
    """Return whether SQLite says that no room is left on the disk."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE
