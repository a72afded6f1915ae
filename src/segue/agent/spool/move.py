"""Moving a reader forwards and back, and records to another epoch."""

from __future__ import annotations

from dataclasses import replace

from segue.agent.spool.drop import delete_kept, delete_row, first_row, kept_bytes, passed
from segue.agent.spool.model import LAKE, Bookmark, Lane
from segue.agent.spool.rows import change_row, row_before, write_row
from segue.agent.spool.totals import count_rows
from segue.agent.spool.transaction import Transaction


def acknowledge(t: Transaction, lane: Lane, mark: Bookmark, last: int, incarnation: str) -> None:
    """Move a reader forwards; it never goes back here."""
    if incarnation:
        mark.incarnation = incarnation
    if last > mark.acknowledged:
        begin = max(mark.acknowledged, mark.skip.last if mark.skip else 0)
        rows, size = _sum(t, lane, begin + 1, last)
        mark.rows += rows
        mark.bytes += size
        mark.acknowledged = last
        mark.sent = max(mark.sent, last)
        if mark.skip and mark.skip.last <= last:
            mark.skip = None
        elif mark.skip:
            mark.skip.rows = count_rows(t, lane, last, mark.skip.last)
    t.touch(lane)


def rewind(t: Transaction, lane: Lane, mark: Bookmark, committed: int) -> None:
    """Move a reader back to what its table has."""
    if committed < mark.acknowledged:
        rows, size = _sum(t, lane, max(committed + 1, lane.first), mark.acknowledged)
        mark.rows -= rows
        mark.bytes -= size
        mark.acknowledged = committed
    t.touch(lane)


def _sum(t: Transaction, lane: Lane, first: int, last: int) -> tuple[int, int]:
    rows = size = 0
    if first > last:
        return 0, 0
    sql = (
        "select coalesce(sum(rows), 0), coalesce(sum(size), 0) from records"
        " where id between ? and ? and gap = 0"
    )
    rows, size = t.execute(sql, (lane.locate(first), lane.locate(last))).fetchone()
    return int(rows), int(size)


def _all_rows(t: Transaction, lane: Lane, after: int) -> int:
    sql = "select coalesce(sum(rows), 0) from records where id between ? and ?"
    return int(t.execute(sql, (lane.locate(after + 1), lane.locate(lane.last))).fetchone()[0])


def delete_some(t: Transaction, keep: int, most: int) -> bool:
    """Delete the oldest of what every reader has, until no more is kept than may be.

    Args:
        t: The transaction.
        keep: Bytes of it that stay, to refill a hub.
        most: Records that go at once.

    Returns:
        Whether there is more to delete.
    """
    for _ in range(most):
        if not _delete_needless(t) and not (_kept(t) > keep and delete_kept(t)):
            return False
    return True


def _kept(t: Transaction) -> int:
    return sum(kept_bytes(t, lane) for lane in t.lanes())


def _delete_needless(t: Transaction) -> bool:
    """Delete a record that every reader has and that no hub will ask for again."""
    for lane in t.lanes():
        if LAKE not in t.bookmarks(lane):
            row = first_row(t, lane)
            if row is not None and lane.number(row.key) + row.span - 1 <= passed(t, lane):
                delete_row(t, lane, row)
                return True
    return False


def move_records(t: Transaction, lane: Lane, committed: int) -> Lane:
    """Let the records after a sequence stand in another epoch, numbered from 1.

    Nothing is written again: the new lane is the rest of the same track.

    Returns:
        The new lane; the old one if there is nothing to move.
    """
    committed = min(max(committed, lane.first - 1), lane.last)
    if committed == lane.last:
        if lane.epoch == t.head.epoch:
            t.begin_epoch()
        return lane
    _split(t, lane, committed)
    epoch = t.head.epoch
    if epoch == lane.epoch or t.find_lane(lane.stream, epoch) is not None:
        epoch = t.begin_epoch()
    rows, size = _sum(t, lane, committed + 1, lane.last)
    moved = Lane(
        lane.stream,
        epoch,
        lane.track,
        base=lane.base + committed,
        last=lane.last - committed,
        rows=rows,
        bytes=size,
        total=lane.total,
        once=lane.once,
    )
    t.add_lane(moved, [_moved(mark, committed) for mark in t.bookmarks(lane).values()])
    for mark in t.bookmarks(moved).values():
        mark.rows, mark.bytes = _sum(t, moved, 1, mark.acknowledged)
    lane.total -= _all_rows(t, lane, committed)
    lane.last = committed
    lane.rows -= rows
    lane.bytes -= size
    for mark in t.bookmarks(lane).values():
        _cut(mark, committed, lane)
    t.touch(lane)
    if any(each.track == lane.track and each.base > moved.base for each in t.lanes()):
        t.begin_epoch()  # the numbers that would follow are taken
    return moved


def _split(t: Transaction, lane: Lane, committed: int) -> None:
    """Part a gap that covers sequences on both sides; its rows stay with the later ones."""
    before = row_before(t, lane, committed + 1)
    if before is None or lane.number(before.key) + before.span - 1 <= committed:
        return
    end = before.key + before.span
    middle = lane.locate(committed + 1)
    early = change_row(before, t.batch, middle - before.key, 0, before.total - (before.rows or 0))
    late = change_row(before._replace(key=middle), t.batch, end - middle, before.rows, before.total)
    write_row(t, early, b"")
    write_row(t, late, b"")


def _moved(mark: Bookmark, committed: int) -> Bookmark:
    skip = mark.skip
    if skip is not None:
        skip = replace(skip, last=skip.last - committed) if skip.last > committed else None
    return Bookmark(
        mark.reader,
        max(0, mark.acknowledged - committed),
        max(0, mark.sent - committed),
        skip=skip,
    )


def _cut(mark: Bookmark, committed: int, lane: Lane) -> None:
    mark.acknowledged = min(mark.acknowledged, committed)
    mark.sent = min(mark.sent, committed)
    mark.rows = min(mark.rows, lane.rows)
    mark.bytes = min(mark.bytes, lane.bytes)
    if mark.skip and mark.skip.last > committed:
        mark.skip = replace(mark.skip, last=committed) if mark.acknowledged < committed else None
