"""Put a backlog into the spool of a node: HOME SLOT ROWS, in records of RECORD rows."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from segue.agent.spool import Entry, Spool
from segue.agent.work.payload import write_payload
from segue.spec.edge_codec import read_edge

RECORD = 50_000
RUNNING = 0.9

home, slot, rows = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
part = read_edge((slot / "edge.json").read_bytes())
(sent,) = part.sent
chance = np.random.default_rng(len(home.name))


def make_rows(first: int, count: int) -> pa.Table:
    """Return rows as ten columns of a machine's measures."""
    numbers = np.arange(first, first + count)
    columns = {
        "n": pa.array(numbers),
        "measured": pa.array(numbers * 1_000_000, pa.timestamp("us")),
        "machine": pa.array([f"press-{each}" for each in range(20)]).take(pa.array(numbers % 20)),
        "running": pa.array(chance.random(count) < RUNNING),
        "shift": pa.array(numbers // 28_800 % 3),
    }
    for name in ("force", "speed", "heat", "power", "sound"):
        columns[name] = pa.array(np.round(chance.normal(100, 10, count), 1))
    return pa.table(columns)


with Spool(home / "spool.db", part.spool) as spool:
    for first in range(0, rows, RECORD):
        count = min(RECORD, rows - first)
        payload = write_payload(make_rows(first, count))
        entry = Entry(sent.table, count, payload, schema=sent.schema_id, deployment=1)
        spool.commit([entry], {}, {})
