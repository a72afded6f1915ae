"""The first commit of a log says what deltalake's own first commit says."""

import json

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from segue.spec.types import parse_schema
from segue.stores import lake_commit
from segue.stores.lake_delta import DeltaLake
from tests.publications import publication, stage

COLUMNS = {
    "id: int64, name: string": pa.schema([("id", pa.int64()), ("name", pa.string())]),
    "d: decimal(18,2), t: timestamp(us, UTC)": pa.schema(
        [("d", pa.decimal128(18, 2)), ("t", pa.timestamp("us", "UTC"))]
    ),
    "at: timestamp(us)": pa.schema([("at", pa.timestamp("us"))]),
    "of: list<timestamp(us)>": pa.schema([("of", pa.list_(pa.timestamp("us")))]),
    "of: struct<a: int32, b: list<string>>": pa.schema(
        [("of", pa.struct([("a", pa.int32()), ("b", pa.list_(pa.string()))]))]
    ),
    "small: uint8": pa.schema([("small", pa.int16())]),
    '"näme ""x""": string': pa.schema([('näme "x"', pa.string())]),
}


def read_log(lake):
    path = lake.folder("a") / "_delta_log" / f"{0:020d}.json"
    return [json.loads(line) for line in path.read_text().splitlines()]


def told(lake):
    """What the log says, apart from what is new in every commit."""
    kinds = {}
    for line in read_log(lake):
        ((kind, action),) = line.items()
        if kind == "commitInfo":
            action = {key: text for key, text in action.items() if key.startswith("segue.")}
        if kind == "metaData":
            action = {**action, "id": "", "createdTime": 0}
            action["schemaString"] = json.loads(action["schemaString"])
        if kind == "add":
            action["stats"] = json.loads(action["stats"])
        kinds[kind] = {key: value for key, value in action.items() if value is not None}
    return kinds


@pytest.mark.parametrize("columns", COLUMNS)
def test_it_says_what_deltalake_says(tmp_path, columns, monkeypatch):
    lake = DeltaLake(str(tmp_path / "lake"))
    arrow = COLUMNS[columns]
    rows = [tuple(None for _ in arrow)]
    staged = stage(lake, "a", rows, schema=parse_schema(columns), arrow=arrow)
    made = publication(staged)
    assert lake.commit(made) == 0
    ours = told(lake)
    read = DeltaTable(lake.folder("a"))
    assert read.to_pyarrow_table().to_pylist() == [dict.fromkeys(arrow.names)]
    assert read.transaction_version("segue") == 1
    (lake.folder("a") / "_delta_log" / f"{0:020d}.json").unlink()
    monkeypatch.setattr(lake_commit, "has_plain_names", lambda _: False)
    assert lake.commit(made) == 0
    assert ours == told(lake)


def test_nothing_else_is_left_in_the_log(tmp_path):
    lake = DeltaLake(str(tmp_path / "lake"))
    made = publication(stage(lake, "a", [(1, "x")]))
    lake.commit(made)
    lake.commit(made)
    log = lake.folder("a") / "_delta_log"
    assert [path.name for path in log.iterdir()] == [f"{0:020d}.json"]


def test_a_name_that_has_to_be_encoded_is_left_to_deltalake(tmp_path):
    lake = DeltaLake(str(tmp_path / "lake"))
    staged = stage(lake, "a", [(1, "x")], run="20261102-000000-é %41")
    assert lake.commit(publication(staged)) == 0
    rows = DeltaTable(lake.folder("a")).to_pyarrow_table().to_pylist()
    assert rows == [{"id": 1, "name": "x"}]
