"""Records as rows of the file: written, looked at, checked, turned into gaps, taken out."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from segue.agent.spool.damage import DamageError, checksum
from segue.agent.spool.model import Entry, Lane, Record
from segue.agent.spool.transaction import Transaction
from segue.wire.messages import RecordHeader

COLUMNS = "id, span, batch, gap, rows, total, size, head, head_crc, crc"


class Row(NamedTuple):
    """A record without its payload.

    Attributes:
        key: Its track and its number there.
        span: Sequences that it covers.
        batch: Commit in which it was last written.
        gap: Whether it is a declared loss.
        rows: Its rows, or rows lost; None if they can't be counted.
        total: Rows of its track up to and with it, lost ones too.
        size: Bytes of its payload.
        head: The rest of its header, as JSON.
        head_crc: Checksum of all that is above.
        crc: Checksum of its payload.
    """

    key: int
    span: int
    batch: int
    gap: int
    rows: int | None
    total: int
    size: int
    head: str
    head_crc: int
    crc: int

    @property
    def whole(self) -> bool:
        """Whether the row is as it was written; its payload has a checksum of its own."""
        return checksum(*self[:8]) == self.head_crc

    def check(self) -> Row:
        """Return it.

        Raises:
            DamageError: It is not as it was written.
        """
        if not self.whole:
            raise DamageError("a record is damaged")
        return self

    def header(self, lane: Lane) -> RecordHeader:
        """Return what is sent before its rows."""
        head = json.loads(self.head)
        first = lane.number(self.key)
        return RecordHeader(
            lane.stream,
            lane.epoch,
            first,
            first + self.span - 1,
            kind="gap" if self.gap else "rows",
            rows=self.rows,
            digest=head["digest"],
            schema=head["schema"],
            deployment=head["deployment"],
            clock=head["clock"],
            format="" if self.gap else "ipc",
            reason=head["reason"],
        )

    @property
    def reason(self) -> str:
        """Why its rows are lost."""
        return str(json.loads(self.head)["reason"])


def _digest(payload: memoryview) -> str:
    import hashlib  # with the first rows: see `segue.agent.digests`

    return hashlib.sha256(payload).hexdigest()


def insert_record(t: Transaction, lane: Lane, entry: Entry) -> None:
    """Append an entry to a lane; a gap grows where the one before it is alike."""
    gap = entry.kind == "gap"
    if gap and _grow_last(t, lane, entry):
        return
    payload = memoryview(entry.payload).cast("B") if entry.payload else memoryview(b"")
    lane.last += 1
    lane.total += entry.rows or 0
    if not gap:
        lane.rows += entry.rows or 0
        lane.bytes += payload.nbytes
    head = {
        "stream": lane.stream,
        "epoch": lane.epoch,
        "first": lane.last,
        "digest": "" if gap else _digest(payload),
        "schema": entry.schema,
        "deployment": entry.deployment,
        "clock": entry.clock,
        "reason": entry.reason,
        "made": t.uptime.now,
        "boot": t.uptime.boot,
    }
    text = json.dumps(head, separators=(",", ":"))
    key = lane.locate(lane.last)
    values = (key, 1, t.batch, int(gap), entry.rows, lane.total, payload.nbytes, text)
    write_row(t, Row(*values, checksum(*values), zlib.crc32(payload)), payload)
    t.touch(lane)


def write_row(t: Transaction, row: Row, payload: bytes | memoryview) -> None:
    """Write a row in the place of any other with its key."""
    t.execute(
        f"insert or replace into records ({COLUMNS}, payload)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*row, payload),
    )


def _grow_last(t: Transaction, lane: Lane, entry: Entry) -> bool:
    row = last_row(t, lane)
    if row is None or not row.gap or lane.number(row.key) <= furthest(t, lane):
        return False
    head = json.loads(row.head)
    alike = head["reason"] == entry.reason and head["deployment"] == entry.deployment
    if not alike or (row.rows is None) != (entry.rows is None):
        return False
    lane.last += 1
    lane.total += entry.rows or 0
    rows = None if entry.rows is None or row.rows is None else row.rows + entry.rows
    write_row(t, change_row(row, t.batch, row.span + 1, rows, lane.total), b"")
    t.touch(lane)
    return True


def change_row(row: Row, batch: int, span: int, rows: int | None, total: int) -> Row:
    """Return a gap that covers more than it did."""
    values = (row.key, span, batch, 1, rows, total, 0, row.head)
    return Row(*values, checksum(*values), 0)


def gap_row(row: Row, batch: int, reason: str) -> Row:
    """Return the gap that stands for a record that is lost."""
    head = {**json.loads(row.head), "digest": "", "reason": reason}
    text = json.dumps(head, separators=(",", ":"))
    values = (row.key, row.span, batch, 1, row.rows, row.total, 0, text)
    return Row(*values, checksum(*values), 0)


def furthest(t: Transaction, lane: Lane) -> int:
    """Return the last sequence that any reader was ever given."""
    return max((mark.sent for mark in t.bookmarks(lane).values()), default=0)


def last_row(t: Transaction, lane: Lane) -> Row | None:
    """Return the newest record of a lane."""
    keys = lane.locate(lane.first), lane.locate(lane.last)
    sql = f"select {COLUMNS} from records where id between ? and ? order by id desc limit 1"
    found = t.execute(sql, keys).fetchone()
    return None if found is None else Row(*found).check()


def row_before(t: Transaction, lane: Lane, sequence: int) -> Row | None:
    """Return the record just before that with a sequence."""
    keys = lane.locate(lane.first), lane.locate(sequence) - 1
    sql = f"select {COLUMNS} from records where id between ? and ? order by id desc limit 1"
    found = t.execute(sql, keys).fetchone()
    return None if found is None else Row(*found).check()


def rows_of(t: Transaction, lane: Lane, first: int, last: int) -> Iterator[Row]:
    """Go through the records of a lane that cover any of some sequences."""
    if first > lane.first:
        before = row_before(t, lane, first)
        if before is not None and lane.number(before.key) + before.span > first:
            yield before
    keys = lane.locate(max(first, lane.first)), lane.locate(min(last, lane.last))
    sql = f"select {COLUMNS} from records where id between ? and ? order by id"
    for found in t.execute(sql, keys).fetchall():
        yield Row(*found).check()


def oldest_row(t: Transaction, lane: Lane, after: int) -> Row | None:
    """Return the oldest record with rows after a sequence."""
    keys = lane.locate(max(after + 1, lane.first)), lane.locate(lane.last)
    sql = f"select {COLUMNS} from records where id between ? and ? and gap = 0 order by id limit 1"
    found = t.execute(sql, keys).fetchone()
    return None if found is None else Row(*found).check()


def record_of(row: Row, lane: Lane, payload: bytes) -> Record:
    """Return a record as its reader gets it.

    Raises:
        DamageError: The payload is not as it was written.
    """
    if len(payload) != row.size or zlib.crc32(payload) != row.crc:
        raise DamageError(f"record {lane.number(row.key)} of {lane.stream} is damaged")
    return Record(row.header(lane), payload)


def as_row(found: tuple[Any, ...]) -> Row:
    """Return what a query of `COLUMNS` found, checked."""
    return Row(*found).check()
