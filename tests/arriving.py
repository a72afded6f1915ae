"""Batches as nodes send them, and what lies in an arriving table, for tests."""

import hashlib
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segue.spec.arriving import Batch, Key
from segue.stores.arriving_log import load

EPOCH = "0123456789abcdef"


def write_stream(table):
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def make_batch(node, sequence, table, *, name="readings", epoch=EPOCH, **other):
    payload = write_stream(table)
    return Batch(
        name,
        Key(node, epoch),
        sequence,
        other.pop("last", sequence),
        rows=table.num_rows,
        payload=payload,
        digest=hashlib.sha256(payload).hexdigest(),
        **other,
    )


def events(node, *numbers):
    """Rows that can be told apart: node and number."""
    return pa.table({"who": [node] * len(numbers), "n": pa.array(numbers, pa.int64())})


def make_loss(node, first, last, rows, *, name="readings", epoch=EPOCH, reason="full"):
    return Batch(name, Key(node, epoch), first, last, rows=rows, gap=True, reason=reason)


def make_file(node, first, last, table, *, name="readings", epoch=EPOCH, sequences=None, **other):
    """A Parquet file as a node writes it, with provenance."""
    rows = table.num_rows
    if sequences is None:
        sequences = np.linspace(first, last, rows).astype("int64")
    labels = pa.array([[("role", "shop")]] * rows, pa.map_(pa.string(), pa.string()))
    told = {
        "_node": pa.array([node] * rows, pa.string()),
        "_epoch": pa.array([epoch] * rows, pa.string()),
        "_sequence": pa.array(sequences, pa.int64()),
        "_deployment": pa.array([1] * rows, pa.int64()),
        "_schema": pa.array(["s"] * rows, pa.string()),
        "_clock": pa.array(["ok"] * rows, pa.string()),
        "_labels": labels,
    }
    whole = pa.table({**{column: table[column] for column in table.column_names}, **told})
    sink = pa.BufferOutputStream()
    pq.write_table(whole, sink, compression="zstd")
    payload = sink.getvalue().to_pybytes()
    return Batch(
        name,
        Key(node, epoch),
        first,
        last,
        rows=rows,
        payload=payload,
        format="parquet",
        digest=hashlib.sha256(payload).hexdigest(),
        **other,
    )


def read_rows(folder):
    """The rows of a table as readers of its log see them."""
    state = load(folder)
    rows = []
    for name in state.files:
        rows += pq.ParquetFile(folder / name).read().to_pylist()
    return rows


def count_events(folder):
    return Counter((row["who"], row["n"]) for row in read_rows(folder))
