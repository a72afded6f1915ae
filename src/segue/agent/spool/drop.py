"""Making room: what goes first when a spool is full, and how a loss is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from segue.agent.spool.model import LAKE, Bookmark, Lane, Skip
from segue.agent.spool.rows import (
    COLUMNS,
    Row,
    as_row,
    change_row,
    furthest,
    gap_row,
    oldest_row,
    row_before,
    write_row,
)
from segue.agent.spool.totals import remember_total
from segue.agent.spool.transaction import Transaction

FULL = "spool full"
LAGGED = "spool full: too far behind"


def make_room(
    t: Transaction, short: Callable[[], int], forget: Callable[[], bool], *, drop_oldest: bool
) -> bool:
    """Free pages until nothing is short.

    Damaged files that are set aside go first, then what every reader has, then what only
    destinations that lag still need; the oldest records that the lake needs go last, and only
    if they may.

    Args:
        t: The transaction.
        short: Returns how many bytes are short.
        forget: Removes damaged files; returns whether there was one.
        drop_oldest: Whether records that were not sent may be dropped.

    Returns:
        Whether there is room now.
    """
    while short() > 0:
        if not (forget() or delete_kept(t) or pass_laggards(t) or (drop_oldest and drop_first(t))):
            return False
    return True


def delete_kept(t: Transaction) -> bool:
    """Delete the oldest record that every reader is past; return whether there was one."""
    found = min(_kept(t), key=lambda pair: pair[1].batch, default=None)
    if found is None:
        return False
    delete_row(t, *found)
    return True


def _kept(t: Transaction) -> Iterator[tuple[Lane, Row]]:
    for lane in t.lanes():
        row = first_row(t, lane)
        if row is not None and lane.number(row.key) + row.span - 1 <= passed(t, lane):
            yield lane, row


def first_row(t: Transaction, lane: Lane) -> Row | None:
    """Return the oldest record that a lane has."""
    if lane.first > lane.last:
        return None
    sql = f"select {COLUMNS} from records where id between ? and ? order by id limit 1"
    found = t.execute(sql, (lane.locate(lane.first), lane.locate(lane.last))).fetchone()
    return None if found is None else as_row(found)


def passed(t: Transaction, lane: Lane) -> int:
    """Return the last sequence that every reader of a lane is past."""
    return min((stands(mark) for mark in t.bookmarks(lane).values()), default=lane.last)


def stands(mark: Bookmark) -> int:
    """Return the last sequence of which a reader needs no row any more."""
    return max(mark.acknowledged, mark.skip.last if mark.skip else 0)


def kept_bytes(t: Transaction, lane: Lane) -> int:
    """Return the bytes of a lane that every reader is past."""
    marks = t.bookmarks(lane).values()
    return min((mark.bytes for mark in marks), default=lane.bytes) - lane.gone


def delete_row(t: Transaction, lane: Lane, row: Row) -> None:
    """Take the first record of a lane out."""
    t.execute("delete from records where id = ?", (row.key,))
    lane.first = lane.number(row.key) + row.span
    lane.gone += row.size
    remember_total(t, row.key + row.span - 1, row.total)
    t.touch(lane)


def pass_laggards(t: Transaction) -> bool:
    """Let destinations lose the oldest record that only they need; the lake's is never one."""
    found: tuple[Lane, Row] | None = None
    for lane in t.lanes():
        lake = t.bookmarks(lane).get(LAKE)
        row = oldest_row(t, lane, passed(t, lane))
        if row is None or (lake and stands(lake) < lane.number(row.key)):
            continue
        if found is None or row.batch < found[1].batch:
            found = lane, row
    if found is None:
        return False
    lane, row = found
    last = lane.number(row.key) + row.span - 1
    for mark in t.bookmarks(lane).values():
        if stands(mark) < last:
            _skip(t, lane, mark, last)
    t.touch(lane)
    return True


def _skip(t: Transaction, lane: Lane, mark: Bookmark, last: int) -> None:
    """Let one reader lose all up to a sequence."""
    before = mark.skip
    lost = before.rows if before else 0
    for row in _between(t, lane, stands(mark) + 1, last):
        lost = None if lost is None or row.rows is None else lost + row.rows
        if not row.gap:
            mark.rows += row.rows or 0
            mark.bytes += row.size
    mark.skip = Skip(last, lost, LAGGED)


def _between(t: Transaction, lane: Lane, first: int, last: int) -> list[Row]:
    sql = f"select {COLUMNS} from records where id between ? and ? order by id"
    found = t.execute(sql, (lane.locate(first), lane.locate(last))).fetchall()
    return [as_row(each) for each in found]


def drop_first(t: Transaction) -> bool:
    """Turn the oldest record that was not sent to the lake into a gap."""
    found: tuple[Lane, Row] | None = None
    for lane in t.lanes():
        row = oldest_row(t, lane, passed(t, lane))
        if row is not None and (found is None or row.batch < found[1].batch):
            found = lane, row
    if found is None:
        return False
    drop_row(t, *found, FULL)
    return True


def drop_row(t: Transaction, lane: Lane, row: Row, reason: str) -> None:
    """Turn a record into a gap, merged with one just before it that is alike.

    What a reader was ever given may be under way, and the answer names its last sequence: such
    gaps stay as they are, so that their rows can be told apart.
    """
    first = lane.number(row.key)
    for mark in t.bookmarks(lane).values():
        if stands(mark) < first:
            mark.rows += row.rows or 0
            mark.bytes += row.size
    lane.gone += row.size
    t.head.lost += row.rows or 0
    t.touch(lane)
    before = row_before(t, lane, first) if first > furthest(t, lane) + 1 else None
    if before is not None and _alike(lane, before, row, reason, furthest(t, lane)):
        rows = None if before.rows is None or row.rows is None else before.rows + row.rows
        t.execute("delete from records where id = ?", (row.key,))
        grown = change_row(before, t.batch, before.span + row.span, rows, row.total)
        write_row(t, grown, b"")
    else:
        write_row(t, gap_row(row, t.batch, reason), b"")


def _alike(lane: Lane, before: Row, row: Row, reason: str, sent: int) -> bool:
    adjacent = before.key + before.span == row.key
    told = lane.number(before.key) <= sent
    return bool(before.gap) and adjacent and not told and before.reason == reason
