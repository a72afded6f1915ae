"""The tables of a spool, and how its file is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

PAGE = 8192
"""Bytes of a page: larger ones make long payloads cheaper, smaller ones short commits."""

BUSY = 30.0
"""Seconds for which a process waits for another's transaction."""

TABLES = """
create table records (
    id integer primary key,
    span integer not null,
    batch integer not null,
    gap integer not null,
    rows integer,
    total integer not null,
    size integer not null,
    head text not null,
    head_crc integer not null,
    crc integer not null,
    payload blob not null
);
create table totals (id integer primary key, total integer not null, crc integer not null);
create table facts (
    id integer primary key, key text not null, batch integer not null, crc integer not null,
    value blob
);
create table facts_again (
    id integer primary key, key text not null, batch integer not null, crc integer not null,
    value blob
);
"""
"""`facts_again` is a copy of `facts` on other pages: one damaged page takes none of them."""


def connect(path: Path, page: int = PAGE, journal_limit: int = 2**22) -> sqlite3.Connection:
    """Open the file of a spool, made if need be; commits are on the disk when they return.

    Rows that are gone are not overwritten: some builds of SQLite would write each of them twice.

    Raises:
        sqlite3.Error: It can't be opened.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    try:
        connection.executescript(f"""
            pragma page_size = {page};
            pragma auto_vacuum = incremental;
            pragma journal_mode = wal;
            pragma synchronous = full;
            pragma wal_autocheckpoint = 0;
            pragma journal_size_limit = {journal_limit};
            pragma cache_size = -1024;
            pragma cell_size_check = on;
            pragma secure_delete = off;
            pragma temp_store = memory;
        """)
        connection.execute("begin immediate")
        try:
            if not connection.execute("select 1 from sqlite_schema").fetchone():
                for statement in filter(str.strip, TABLES.split(";")):
                    connection.execute(statement)
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise
    except BaseException:
        connection.close()
        raise
    return connection
