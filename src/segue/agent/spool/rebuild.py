"""A whole spool from what of a damaged one can be read; what is missing is declared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from segue.agent.spool.damage import checksum
from segue.agent.spool.mark import Evidence
from segue.agent.spool.model import Bookmark, Lane, Skip
from segue.agent.spool.pages import Cell, Pages
from segue.agent.spool.rows import Row, gap_row, write_row
from segue.agent.spool.scan import Find, read_payload
from segue.agent.spool.transaction import Transaction

DAMAGED = "spool damaged"
TORN = "spool damaged: its end is lost"

_NUMBER = (1 << 40) - 1


class Piece(NamedTuple):
    """A record of the new file.

    Attributes:
        row: The record, or a gap.
        cell: Where its payload lies in the damaged file; None for a gap.
    """

    row: Row
    cell: Cell | None


@dataclass(slots=True)
class Loss:
    """What could not be read.

    Attributes:
        records: Sequences.
        rows: Their rows, as far as they can be counted.
    """

    records: int = 0
    rows: int = 0


def find_lanes(found: Find) -> list[Lane]:
    """Return the lanes; one whose facts are lost is told by its records."""
    lanes = []
    for key, (_, value) in found.facts.items():
        if key.startswith("lane/") and value is not None:
            lanes.append(Lane(**json.loads(value)))
    tracks = {lane.track for lane in lanes}
    orphans: dict[int, list[Row]] = {}
    for row, _ in found.records.values():
        if row.key >> 40 not in tracks:
            orphans.setdefault(row.key >> 40, []).append(row)
    lanes += [_guess_lane(track, rows) for track, rows in orphans.items()]
    return sorted(lanes, key=lambda lane: (lane.track, lane.base))


def _guess_lane(track: int, rows: list[Row]) -> Lane:
    rows.sort()
    head, last = json.loads(rows[0].head), rows[-1]
    first = rows[0].key & _NUMBER
    return Lane(
        head["stream"],
        head["epoch"],
        track,
        base=first - head["first"],
        first=head["first"],
        last=(last.key & _NUMBER) + last.span - 1 - first + head["first"],
        total=last.total,
    )


def fill_lane(
    lane: Lane, found: Find, batch: int, now: dict[str, int], loss: Loss
) -> Iterator[Piece]:
    """Go through the records of a lane without a hole: gaps stand for what is missing.

    A row that was deleted long ago may still lie on a page: what the lane has left behind, and
    what a gap covers that was written later, does not come back.
    """
    begin, end = lane.locate(lane.first), lane.locate(lane.last)
    total = _total_before(lane, found)
    expected = begin
    for key in sorted(key for key in found.records if begin <= key <= end):
        row, cell = found.records[key]
        if key < expected:
            continue
        if key > expected:
            rows = None if total is None else row.total - (row.rows or 0) - total
            yield _hole(lane, expected, key, rows, row.total - (row.rows or 0), batch, now, loss)
        yield Piece(row, None if row.gap else cell)
        expected, total = key + row.span, row.total
    if expected <= end:
        rows = None if total is None else lane.total - total
        yield _hole(lane, expected, end + 1, rows, lane.total, batch, now, loss)


def _total_before(lane: Lane, found: Find) -> int | None:
    if lane.base + lane.first == 1:
        return 0
    key = lane.locate(lane.first) - 1
    before = found.records.get(key)
    return found.totals.get(key, before[0].total if before else None)


def _hole(
    lane: Lane,
    key: int,
    end: int,
    rows: int | None,
    total: int,
    batch: int,
    now: dict[str, int],
    loss: Loss,
) -> Piece:
    loss.records += end - key
    loss.rows += rows or 0
    return Piece(make_gap(lane, key, end - key, rows, total, batch, now, DAMAGED), None)


def make_gap(
    lane: Lane,
    key: int,
    span: int,
    rows: int | None,
    total: int,
    batch: int,
    now: dict[str, int],
    reason: str,
) -> Row:
    """Return a gap for records of which nothing is left."""
    head = {
        "stream": lane.stream,
        "epoch": lane.epoch,
        "first": lane.number(key),
        "digest": "",
        "schema": "",
        "deployment": 0,
        "clock": "ok",
        "reason": reason,
        **now,
    }
    text = json.dumps(head, separators=(",", ":"))
    values = (key, span, batch, 1, rows, total, 0, text)
    return Row(*values, checksum(*values), 0)


def copy_lane(
    t: Transaction, lane: Lane, pages: Pages, pieces: Iterator[Piece], loss: Loss
) -> None:
    """Write the records of a lane, and count what its readers have of them."""
    marks = t.bookmarks(lane)
    lane.rows = lane.bytes = lane.gone = 0
    for mark in marks.values():
        mark.rows = mark.bytes = 0
    for row, cell in pieces:
        payload = b"" if cell is None else read_payload(pages, row, cell)
        if payload is None:
            loss.records += row.span
            loss.rows += row.rows or 0
            write_row(t, gap_row(row, t.batch, DAMAGED), b"")
            continue
        write_row(t, row, payload)
        if not row.gap:
            _count(lane, list(marks.values()), row)
    t.touch(lane)


def _count(lane: Lane, marks: list[Bookmark], row: Row) -> None:
    lane.rows += row.rows or 0
    lane.bytes += row.size
    for mark in marks:
        stands = max(mark.acknowledged, mark.skip.last if mark.skip else 0)
        if lane.number(row.key) <= stands:
            mark.rows += row.rows or 0
            mark.bytes += row.size


def find_bookmarks(lane: Lane, found: Find, readers: list[str]) -> list[Bookmark]:
    """Return where readers stand; one that is not known any more begins again."""
    marks = []
    for reader in readers:
        _, value = found.facts.get(f"reader/{lane.epoch}/{lane.stream}/{reader}", (0, None))
        if value is None:
            marks.append(Bookmark(reader, acknowledged=lane.first - 1))
            continue
        plain = json.loads(value)
        skip = plain.pop("skip")
        marks.append(Bookmark(**plain, skip=Skip(**skip) if skip else None))
    return marks


def declare_torn(
    t: Transaction, lanes: list[Lane], evidence: Evidence, now: dict[str, int], loss: Loss
) -> None:
    """Declare records that the mark knows and that the file has lost.

    Their source goes on where the file's last cursor says. So rows of sources that can be read
    again are not lost, and the gap counts none of them.
    """
    tails = {lane.track: lane for lane in lanes}  # the last part of a track is its end
    for track, tail in evidence.tails.items():
        lane = tails.get(track)
        missing = tail.number - (lane.base + lane.last) if lane else 0
        if lane is None or missing <= 0:
            continue
        rows = max(0, tail.once - lane.once)
        key = lane.locate(lane.last + 1)
        lane.last += missing
        lane.total += rows
        lane.once = tail.once
        write_row(t, make_gap(lane, key, missing, rows, lane.total, t.batch, now, TORN), b"")
        loss.records += missing
        loss.rows += rows
        t.touch(lane)
