"""Committing a micro-batch: entries, cursors and states at once, or nothing of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from segue.agent.spool.drop import make_room
from segue.agent.spool.model import Entry
from segue.agent.spool.room import Room
from segue.agent.spool.rows import insert_record
from segue.agent.spool.transaction import Transaction
from segue.errors import SpoolFullError
from segue.protocols.edge import Cursor
from segue.spec.edge import WhenFull

NEWEST = "spool full: newest dropped"


def write_batch(
    t: Transaction,
    room: Room,
    when_full: WhenFull,
    entries: Sequence[Entry],
    cursors: Mapping[str, Cursor],
    states: Mapping[str, bytes | None],
    *,
    tight: bool = False,
) -> bool:
    """Write a micro-batch.

    Args:
        t: The transaction.
        room: The spool's room on disk.
        when_full: What to do if there is too little.
        entries: What is appended, in its order.
        cursors: Where sources go on after it.
        states: What steps remember after it; None for what they forget.
        tight: Whether the disk is full, so that no file may grow.

    Returns:
        Whether nothing had to be dropped for it, neither old records nor these.

    Raises:
        SpoolFullError: There is too little room, and nothing may be dropped.
    """
    sizes = [memoryview(entry.payload).nbytes for entry in entries if entry.payload]
    sizes += [len(state) for state in states.values() if state for _ in (0, 1)]

    lost = t.head.lost

    def short() -> int:
        return room.short(t.connection, sizes, tight=tight)

    drop_oldest = when_full is WhenFull.DROP_OLDEST
    hopeless = bool(sizes) and room.is_hopeless(t.connection, sizes, tight=tight)
    fits = not hopeless and make_room(
        t, short, lambda: room.forget_damaged(0), drop_oldest=drop_oldest
    )
    if not fits and when_full is WhenFull.BLOCK and sizes:
        hint = "it goes on once records are acknowledged; or raise `spool`, or change `when_full`"
        raise SpoolFullError(f"{room.path} has reached {room.cap:,} bytes", hint=hint)
    for entry in entries:
        lane = t.open_lane(entry.stream)
        lane.once += 0 if cursors else entry.rows or 0
        insert_record(t, lane, entry if fits else as_gap(entry, t))
    _put_facts(t, cursors, states)
    return t.head.lost == lost


def _put_facts(
    t: Transaction, cursors: Mapping[str, Cursor], states: Mapping[str, bytes | None]
) -> None:
    """Keep where sources go on, and what steps remember."""
    for source, cursor in cursors.items():
        t.facts.put(f"cursor/{source}", json.dumps(cursor).encode(), t.batch)
    for name, state in states.items():
        t.facts.put(f"state/{name}", state, t.batch)


def as_gaps(entries: Sequence[Entry], t: Transaction) -> list[Entry]:
    """Return what is kept of entries for which there is no room."""
    return [as_gap(entry, t) for entry in entries]


def as_gap(entry: Entry, t: Transaction) -> Entry:
    """Return what is kept of an entry for which there is no room."""
    if entry.kind == "gap":
        return entry
    t.head.lost += entry.rows or 0
    return replace(entry, payload=b"", kind="gap", reason=NEWEST)
