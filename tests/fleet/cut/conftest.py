"""Projects with a fleet, and a hub's tables without a hub."""

import io
from hashlib import sha256

import pyarrow as pa
import pytest

from segue.spec.arriving import Batch, Key, Verdict
from segue.stores.arriving_lake import ArrivingLake
from tests.flow.building import Built

FLEET = """\
[project]
name = "plant"

[places.local]
engine = "duckdb"
threads = 1

[places.shops]
engine = "fleet"
address = "https://hub.example.com:8443"

[places.shops.options]
spool = "1GB"
when_full = "block"

[tables.readings]
on = "shops"
kind = "tail"
path = "/var/log/sensor/*.jsonl"
format = "json"
columns = {time = "timestamp", sensor = "string", value = "float64"}
"""


@pytest.fixture
def make_fleet(tmp_path):
    """Return what makes a project with a fleet in a folder of its own."""
    made = []

    def make(files, toml="", name="plant"):
        root = tmp_path / name
        root.mkdir()
        built = Built(root).write({"segue.toml": FLEET + toml, **files})
        made.append(built)
        return built

    yield make
    for built in made:
        built.close()


class Arrivals:
    """Sends batches to a lake as a hub does when nodes deliver."""

    def __init__(self, lake):
        self.lake = ArrivingLake(str(lake))
        self.sequences = {}

    def send(self, table, rows, node="n1", epoch="0123456789abcdef"):
        """Commit one batch of rows."""
        key = Key(node, epoch)
        number = self.sequences.get((table, key), 0) + 1
        self.sequences[table, key] = number
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        payload = sink.getvalue()
        digest = sha256(payload).hexdigest()
        batch = Batch(
            table, key, number, number, rows.num_rows, payload=payload, digest=digest,
            schema_id="0" * 16, deployment=1, labels={"role": "shop"},
        )  # fmt: skip
        self.commit(batch)

    def lose(self, table, rows, node="n1", epoch="0123456789abcdef"):
        """Declare a loss."""
        key = Key(node, epoch)
        number = self.sequences.get((table, key), 0) + 1
        self.sequences[table, key] = number
        self.commit(Batch(table, key, number, number, rows, gap=True, reason="spool full"))

    def commit(self, batch):
        """Commit a batch and see that it was taken."""
        (answer,) = self.lake.submit([batch])
        (place,) = answer.result(30)
        assert place.verdict is Verdict.OK, place


@pytest.fixture
def open_arrivals():
    """Return what opens a project's lake for arriving batches."""
    opened = []

    def open_(built):
        opened.append(Arrivals(built.root / "lake"))
        return opened[-1]

    yield open_
    for each in opened:
        each.lake.close()
