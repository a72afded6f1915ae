"""Spools with numbered rows in them."""

import pyarrow as pa

from segue.agent.spool import LAKE, Entry, Spool
from segue.agent.work.payload import write_payload
from segue.spec.edge import SpoolSettings, WhenFull

READERS = [LAKE, "archive", "base", "bus", "events", "hook", "near"]
"""Names of destinations in tests; the lake is there and never reads."""


def open_spool(path):
    return Spool(path, SpoolSettings(cap=10**9, when_full=WhenFull.BLOCK))


def add(path, stream, table, schema="5c4e3a", rows=0, reason=""):
    """Append a micro-batch; without a table, a declared gap."""
    with open_spool(path) as spool:
        spool.assign({stream: READERS})
        if table is None:
            entry = Entry(stream, rows, b"", kind="gap", reason=reason)
        else:
            entry = Entry(stream, table.num_rows, write_payload(table), schema, 1, "ok")
        spool.commit([entry], {}, {})


def fill(path, stream="clean", batches=10, rows=5, begin=0):
    """Append batches of numbered rows; return the epoch."""
    for batch in range(begin, begin + batches):
        numbers = range(batch * rows, (batch + 1) * rows)
        texts = [f"t{n}" for n in numbers]
        add(path, stream, pa.table({"n": pa.array(numbers, pa.int64()), "text": texts}))
    with open_spool(path) as spool:
        return spool.epoch


def is_drained(path, names):
    """Return whether destinations have all that is there."""
    with open_spool(path) as spool:
        return all(each.acknowledged == each.last for name in names for each in spool.streams(name))


def read_all(path, reader, stream="clean"):
    """Return the records of a stream in the current epoch."""
    with open_spool(path) as spool:
        return spool.read(reader, stream, spool.epoch, 0, 2**30)
