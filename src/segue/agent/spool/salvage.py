"""Setting a damaged file aside, and going on with what of it can be read."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import asdict
from pathlib import Path

from segue.agent.spool.alerts import add_alert
from segue.agent.spool.aside import finish, remove_file
from segue.agent.spool.clock import Uptime, read_boot, read_uptime
from segue.agent.spool.epochs import make_epoch
from segue.agent.spool.facts import Facts
from segue.agent.spool.mark import Evidence
from segue.agent.spool.model import LAKE, Head, Lane
from segue.agent.spool.pages import Pages
from segue.agent.spool.rebuild import (
    Loss,
    copy_lane,
    declare_torn,
    fill_lane,
    find_bookmarks,
    find_lanes,
)
from segue.agent.spool.scan import Find, scan_pages
from segue.agent.spool.schema import connect
from segue.agent.spool.totals import remember_total
from segue.agent.spool.transaction import Transaction

_OWN = ("head", "home")
"""Facts that the new file has of its own."""


def salvage(path: Path, pages: Pages, evidence: Evidence, why: str) -> str:
    """Put a whole file in the place of a damaged one, which is set aside.

    Args:
        path: The spool's file; nobody has it open.
        pages: Its pages.
        evidence: How far it had come.
        why: What is wrong with it.

    Returns:
        What was done, for people.

    Raises:
        sqlite3.Error: There is no room for another file.
    """
    building = path.with_name(f"{path.stem}-building.db")
    remove_file(building)
    told = _build(building, pages, evidence, why)
    building.rename(path.with_name(f"{path.stem}-ready.db"))
    finish(path)
    return told


def _build(path: Path, pages: Pages, evidence: Evidence, why: str) -> str:
    found = scan_pages(pages)
    connection = connect(path, pages.size)
    try:
        connection.execute("begin immediate")
        told = _fill(connection, pages, found, evidence, why)
        connection.execute("commit")
        connection.execute("pragma wal_checkpoint(truncate)")
    finally:
        connection.close()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return told


def _fill(
    connection: sqlite3.Connection, pages: Pages, found: Find, evidence: Evidence, why: str
) -> str:
    facts, lanes = Facts(connection), find_lanes(found)
    head = _find_head(found, lanes, evidence)
    for key, (_, value) in found.facts.items():
        if not key.startswith(("lane/", "reader/")) and key not in _OWN:
            facts.put(key, value, head.batch)
    torn = evidence.batch > head.batch
    head.batch = max(head.batch, evidence.batch)
    facts.save("head", asdict(head), head.batch)
    t = Transaction(connection, Uptime(facts, read_boot(), read_uptime()))
    now, loss = {"made": t.uptime.now, "boot": t.uptime.boot}, Loss()
    for deleted, total in found.totals.items():
        remember_total(t, deleted, total)
    for lane in lanes:
        readers = facts.readers(lane.stream)
        t.add_lane(lane, find_bookmarks(lane, found, [LAKE] if readers is None else readers))
        copy_lane(t, lane, pages, fill_lane(lane, found, t.batch, now, loss), loss)
    if torn:
        declare_torn(t, lanes, evidence, now, loss)
    t.head.lost += loss.rows
    t.begin_epoch()
    told = _tell(why, loss, found)
    add_alert(t, told)
    t.finish()
    return told


def _find_head(found: Find, lanes: list[Lane], evidence: Evidence) -> Head:
    _, value = found.facts.get("head", (0, None))
    if value is not None:
        return Head(**json.loads(value))
    batches = [row.batch for row, _ in found.records.values()]
    batches += [batch for batch, _ in found.facts.values()]
    track = max([lane.track for lane in lanes] + list(evidence.tails), default=0) + 1
    return Head(make_epoch(), max([*batches, evidence.batch], default=0), track)


def _tell(why: str, loss: Loss, found: Find) -> str:
    told = f"spool damaged ({why}): "
    if loss.records:
        told += f"declared lost: {loss.records:,} of its records, with {loss.rows:,} rows"
    else:
        told += "nothing is lost"
    lost = [name.partition("/")[2] for name in found.lost_facts if name.startswith("cursor/")]
    if lost:
        told += f"; sources {', '.join(lost)} begin anew, so rows of them may come twice"
    return told
