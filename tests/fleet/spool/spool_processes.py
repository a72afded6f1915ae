"""A worker that fills a spool and a supervisor that drains it, as processes; and their oracle.

What a source gives is numbers; the worker's cursor is the last number. The hub is a folder of
files, one for each (stream, epoch): a line for each record that it has.
"""

import json
import os
import time
from pathlib import Path

from segue.agent.spool import Entry, Spool
from segue.errors import SpoolFullError
from segue.failpoints import pass_point
from segue.spec.edge import SpoolSettings, WhenFull

STREAM = "readings"
SETTINGS = SpoolSettings(cap=4_000_000, when_full=WhenFull.BLOCK, keep=20_000)


def work(home, upto, settings=SETTINGS):
    """Append numbers from where the cursor stands, two records in each commit."""
    with Spool(Path(home) / "spool.db", settings) as spool:
        cursor = spool.cursor("numbers") or {"at": 0}
        at = cursor["at"]
        state = spool.state("sum")
        assert int(state or 0) == sum(range(at + 1)), "cursor and state move together"
        while at < upto:
            entries = [
                Entry(STREAM, 1, f"{number}:".encode().ljust(900 + number % 5000, b"."))
                for number in (at + 1, at + 2)
            ]
            at += 2
            while True:
                try:
                    spool.commit(
                        entries, {"numbers": {"at": at}}, {"sum": b"%d" % sum(range(at + 1))}
                    )
                    break
                except SpoolFullError:
                    time.sleep(0.02)


def supervise(home, hub, upto):
    """Send until the hub has all numbers."""
    committed = {}
    for file in Path(hub).iterdir():
        committed[file.name] = committed_of(file)
    missing = upto - count_rows(hub)
    with Spool(Path(home) / "spool.db", SETTINGS) as spool:
        while missing > 0:
            for each in spool.streams("lake"):
                missing -= send(spool, each, Path(hub), committed)
        for each in spool.streams("lake"):
            last = committed.get(f"{each.stream}-{each.epoch}", 0)
            spool.acknowledge("lake", each.stream, each.epoch, last)


def send(spool, each, hub, committed):
    name = f"{each.stream}-{each.epoch}"
    at = committed.get(name, 0)
    assert at >= each.acknowledged
    if at > each.acknowledged:
        spool.acknowledge("lake", each.stream, each.epoch, at)
    records = spool.read("lake", each.stream, each.epoch, at, 15_000)
    if not records:
        return 0
    lines = [json.dumps(describe(record)) + "\n" for record in records]
    with (hub / name).open("a") as stream:
        stream.write("".join(lines))
        stream.flush()
        os.fsync(stream.fileno())
    pass_point("agent.sent")
    committed[name] = records[-1].header.last
    spool.acknowledge("lake", each.stream, each.epoch, committed[name])
    pass_point("agent.acknowledged")
    return sum(record.header.rows for record in records)


def describe(record):
    header = record.header
    number = int(record.payload.partition(b":")[0]) if header.kind == "rows" else None
    return [header.first, header.last, header.kind, header.rows, number]


def records_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def committed_of(file):
    records = records_of(file)
    return records[-1][1] if records else 0


def count_rows(hub):
    return sum(record[3] for file in Path(hub).iterdir() for record in records_of(file))


def assert_oracle(hub, upto):
    """Every number once, in order within its epoch, sequences without a hole; return gaps."""
    numbers, gaps = [], []
    for file in Path(hub).iterdir():
        records = records_of(file)
        ends = [0, *(record[1] for record in records)]
        assert [record[0] for record in records] == [end + 1 for end in ends[:-1]]
        mine = [record[4] for record in records if record[2] == "rows"]
        assert mine == sorted(mine)
        numbers += mine
        gaps += [record for record in records if record[2] == "gap"]
    assert len(numbers) == len(set(numbers))
    lost = sum(gap[3] for gap in gaps)
    assert len(numbers) + lost == upto
    return gaps
