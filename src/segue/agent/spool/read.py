"""What a reader gets, and where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from segue.agent.spool.damage import DamageError
from segue.agent.spool.drop import stands
from segue.agent.spool.model import Bookmark, Lane, Record, Standing
from segue.agent.spool.rows import COLUMNS, Row, record_of, row_before
from segue.agent.spool.totals import count_rows
from segue.agent.spool.transaction import Transaction
from segue.wire.messages import RecordHeader

BEYOND = "beyond retention"
"""Why rows are lost that a hub would need again and that are not kept any more."""


def window_end(t: Transaction, lane: Lane, after: int, most_bytes: int) -> int:
    """Return the last sequence of what is read at once: as much as fits, one record at least."""
    end, size = after, 0
    keys = lane.locate(max(after + 1, lane.first)), lane.locate(lane.last)
    sql = "select id, span, size from records where id between ? and ? order by id"
    cursor = t.execute(sql, keys)
    for key, span, length in cursor:
        if size and size + length > most_bytes:
            break
        end, size = lane.number(key) + span - 1, size + length
    cursor.close()
    return end


def read_records(
    t: Transaction, lane: Lane, mark: Bookmark, after: int, most_bytes: int
) -> list[Record]:
    """Return the records that follow a sequence, contiguous.

    Raises:
        DamageError: One is missing, or is not as it was written.
    """
    records = []
    if mark.skip and after < mark.skip.last:
        rows = mark.skip.rows
        if after != mark.acknowledged:
            rows = count_rows(t, lane, after, mark.skip.last)
        records.append(_gap(lane, after + 1, mark.skip.last, rows, mark.skip.reason))
        after = mark.skip.last
    if after + 1 < lane.first:
        rows = count_rows(t, lane, after, lane.first - 1)
        records.append(_gap(lane, after + 1, lane.first - 1, rows, BEYOND))
        after = lane.first - 1
    size = 0
    for row, payload in _rows(t, lane, after):
        if lane.number(row.key) > after + 1:
            raise DamageError(f"records of {lane.stream} after {after} are missing")
        if records and size + row.size > most_bytes:
            return records
        size += row.size
        record = record_of(row.check(), lane, payload)
        records.append(_rest(record, after))
        after = record.header.last
    if after < lane.last:
        raise DamageError(f"records of {lane.stream} after {after} are missing")
    return records


def _rows(t: Transaction, lane: Lane, after: int) -> Iterator[tuple[Row, bytes]]:
    if after + 1 > lane.first:
        before = row_before(t, lane, after + 1)
        if before is not None and lane.number(before.key) + before.span > after + 1:
            yield before, b""
    sql = f"select {COLUMNS}, payload from records where id between ? and ? order by id"
    keys = lane.locate(max(after + 1, lane.first)), lane.locate(lane.last)
    cursor = t.execute(sql, keys)
    try:
        for found in cursor:
            yield Row(*found[:-1]), found[-1]
    finally:
        cursor.close()


def _rest(record: Record, after: int) -> Record:
    header = record.header
    if header.first == after + 1:
        return record
    # A reader that stands within a gap was told of its beginning with other rows.
    return Record(replace(header, first=after + 1, rows=None), b"")


def _gap(lane: Lane, first: int, last: int, rows: int | None, reason: str) -> Record:
    header = RecordHeader(
        lane.stream, lane.epoch, first, last, kind="gap", rows=rows, format="", reason=reason
    )
    return Record(header, b"")


def describe(t: Transaction, lane: Lane, mark: Bookmark) -> Standing:
    """Return where a reader stands."""
    age, at_least = 0.0, False
    if mark.acknowledged < lane.last:
        keys = lane.locate(max(stands(mark) + 1, lane.first)), lane.locate(lane.last)
        sql = f"select {COLUMNS} from records where id between ? and ? order by id limit 1"
        found = t.execute(sql, keys).fetchone()
        if found is not None:
            head = json.loads(Row(*found).check().head)
            age, at_least = t.uptime.age(head["boot"], head["made"])
    return Standing(
        lane.stream,
        lane.epoch,
        mark.acknowledged,
        lane.last,
        max(0, lane.rows - mark.rows),
        max(0, lane.bytes - mark.bytes),
        age,
        at_least,
        mark.incarnation,
        lane.epoch == t.head.epoch,
    )
