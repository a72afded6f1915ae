"""A worker that fills a spool and a supervisor that drains it, as processes; and their oracle.

What a source gives is numbers; the worker's cursor is the last number. The hub is a folder of
files, one for each (stream, epoch): a line for each record that it has.
"""

import json
import os
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
                    continue


def supervise(home, hub, upto):
    """Send until the hub has all numbers."""
    with Spool(Path(home) / "spool.db", SETTINGS) as spool:
        while count_rows(hub) < upto:
            for each in spool.streams("lake"):
                send(spool, each, Path(hub))


def send(spool, each, hub):
    file = hub / f"{each.stream}-{each.epoch}"
    committed = committed_of(file)
    if committed < each.acknowledged:
        raise AssertionError("the hub has less than was acknowledged")
    if committed > each.acknowledged:
        spool.acknowledge("lake", each.stream, each.epoch, committed)
    records = spool.read("lake", each.stream, each.epoch, committed, 30_000)
    if not records:
        return
    lines = [json.dumps(describe(record)) + "\n" for record in records]
    with file.open("a") as stream:
        stream.write("".join(lines))
        stream.flush()
        os.fsync(stream.fileno())
    pass_point("agent.sent")
    spool.acknowledge("lake", each.stream, each.epoch, records[-1].header.last)
    pass_point("agent.acknowledged")


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
