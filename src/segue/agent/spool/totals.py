"""How many rows records had that are deleted: a few bytes of each stay, for a while.

A hub that was restored may ask for what is not kept any more; the gap that it gets instead
says how many rows it covers.
"""

from __future__ import annotations

from segue.agent.spool.damage import checksum
from segue.agent.spool.model import Lane
from segue.agent.spool.transaction import Transaction

MOST = 100_000
"""Deleted records of which it is known."""
FOR_EACH = 2048
"""Bytes of the spool's file for each of them, so that a small spool keeps fewer."""
EVERY = 256
"""Deleted records after which the oldest are forgotten."""


def remember_total(t: Transaction, key: int, total: int) -> None:
    """Keep how many rows a track had up to a record that is deleted now.

    Args:
        t: The transaction.
        key: Key of the record's last sequence.
        total: Rows up to and with it.
    """
    t.execute("insert or replace into totals values (?, ?, ?)", (key, total, checksum(key, total)))
    if key % EVERY == 0:
        sql = "select page_count * page_size from pragma_page_count, pragma_page_size"
        most = min(MOST, t.execute(sql).fetchone()[0] // FOR_EACH)
        (count,) = t.execute("select count(*) from totals").fetchone()
        sql = "delete from totals where id in (select id from totals order by id limit ?)"
        t.execute(sql, (max(0, count - most),))


def find_total(t: Transaction, lane: Lane, sequence: int) -> int | None:
    """Return the rows of a lane's track up to a sequence; None if that is not known any more."""
    key = lane.locate(sequence)
    if lane.base + sequence == 0:
        return 0
    found = t.execute("select id, total, crc from totals where id = ?", (key,)).fetchone()
    if found is not None:
        return int(found[1]) if checksum(*found[:2]) == found[2] else None
    sql = "select total from records where id <= ? and id + span - 1 = ? order by id desc limit 1"
    found = t.execute(sql, (key, key)).fetchone()
    return None if found is None else int(found[0])


def count_rows(t: Transaction, lane: Lane, after: int, last: int) -> int | None:
    """Return the rows of deleted records, lost ones too; None if that is not known any more."""
    begin, end = find_total(t, lane, after), find_total(t, lane, last)
    return None if begin is None or end is None else end - begin
