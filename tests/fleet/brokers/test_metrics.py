"""The machine's own measures."""

import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from segue.agent.sources.metrics import MetricsSource
from segue.errors import SourceError
from segue.spec.edge import EdgeSource
from segue.spec.types import parse_schema

SCHEMA = "at: timestamp(us, UTC), metric: string, device: string, value: float64"


def open_metrics(tmp_path, schema=SCHEMA, **options):
    source = EdgeSource("machine", "metrics", options, "", {}, parse_schema(schema))
    return MetricsSource().open(source, None, tmp_path)


def wait_chunk(reader):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        chunk = reader.read(10**6, 1)
        if chunk is not None:
            return chunk
    pytest.fail("nothing was measured")


def test_measures_of_this_machine(tmp_path):
    with closing(open_metrics(tmp_path, every="1h")) as reader:
        assert not reader.exhausted()
        rows = wait_chunk(reader).table.to_pylist()
        assert reader.read(10**6, 0) is None
        assert reader.exhausted()
    with closing(open_metrics(tmp_path, every="10ms")) as reader:
        assert [wait_chunk(reader).table.num_rows > 0 for _ in range(3)] == [True] * 3
    found = {row["metric"] for row in rows}
    assert {"cpu.percent", "memory.available", "load.1", "network.received"} <= found
    total = next(row["value"] for row in rows if row["metric"] == "memory.total")
    assert total > 10**8
    assert any(row["device"] == "lo" for row in rows)


def test_some_groups_and_columns(tmp_path):
    schema = "metric: string, value: float64"
    with closing(open_metrics(tmp_path, schema, groups=["load"])) as reader:
        table = wait_chunk(reader).table
    assert table.column_names == ["metric", "value"]
    assert table.column("metric").to_pylist() == ["load.1", "load.5", "load.15"]


def test_what_is_no_metric_is_told(tmp_path):
    with pytest.raises(SourceError, match="groups must be some of cpu"):
        open_metrics(tmp_path, groups=["gpu"])
    with pytest.raises(SourceError, match="no column 'host'"):
        open_metrics(tmp_path, "host: string")


def test_a_time_without_a_zone_is_in_utc_and_another_type_is_told(tmp_path):
    schema = "at: timestamp, metric: string, value: float64"
    with closing(open_metrics(tmp_path, schema, groups=["load"])) as reader:
        table = wait_chunk(reader).table
    assert str(table.schema.field("at").type) == "timestamp[us]"
    gone = datetime.now(UTC).replace(tzinfo=None) - table.column("at")[0].as_py()
    assert abs(gone.total_seconds()) < 60
    with (
        closing(open_metrics(tmp_path, "value: string, metric: int64", groups=["load"])) as reader,
        pytest.raises(SourceError, match="can't be int64"),
    ):
        wait_chunk(reader)
