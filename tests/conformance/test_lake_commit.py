"""Commits to a table's log, seen with plain deltalake and pyarrow as any reader would."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from segue.errors import ForeignCommitError, StorageError, UnknownNameError
from segue.spec.output import StagedTable, TableVersion
from segue.spec.step import Mode
from segue.spec.types import parse_schema, parse_type
from tests.publications import ARROW, SCHEMA, append, publication, read_rows, stage, write_file


def others_read(lake, table="a"):
    """Read as somebody who never heard of segue."""
    read = DeltaTable(lake.folder(table)).to_pyarrow_table().to_pylist()
    return sorted(tuple(row.values()) for row in read)


def as_version(staged, number=1):
    return TableVersion(
        staged.table, number, number - 1, staged.schema, staged.files, "", "r", "f", ""
    )


def write_elsewhere(lake, rows, table="a", **more):
    columns = {"id": [row[0] for row in rows], "name": [row[1] for row in rows]}
    write_deltalake(lake.folder(table), pa.table(columns, schema=ARROW), **more)


def test_a_first_commit_makes_the_table(lake):
    staged = stage(lake, "a", [(1, "x"), (2, None)])
    assert (lake.head("a"), lake.tables()) == (None, ())
    assert lake.commit(publication(staged)) == 0
    assert (lake.head("a"), lake.tables()) == (0, ("a",))
    assert others_read(lake) == [(1, "x"), (2, None)]
    assert read_rows(lake, SCHEMA, "a", staged.files) == [(1, "x"), (2, None)]


def test_an_empty_table_keeps_its_columns(lake):
    lake.commit(publication(stage(lake, "a", [])))
    assert DeltaTable(lake.folder("a")).to_pyarrow_table().schema.names == ["id", "name"]


def test_a_replacement_leaves_nothing_of_the_old(lake):
    lake.commit(publication(stage(lake, "a", [(1, "x")])))
    assert lake.commit(publication(stage(lake, "a", [(2, "y")]), 2, 0)) == 1
    assert others_read(lake) == [(2, "y")]


def test_an_addition_keeps_the_old(lake):
    first = stage(lake, "a", [(1, "x")])
    lake.commit(publication(first))
    lake.commit(publication(append(lake, as_version(first), [(2, "y")]), 2, 0))
    assert others_read(lake) == [(1, "x"), (2, "y")]


def test_some_files_may_be_replaced(lake):
    files = tuple(write_file(lake, "a", [(each, "x")], "run") for each in range(3))
    lake.commit(publication(StagedTable("a", SCHEMA, Mode.MERGE, files)))
    merged = StagedTable(
        "a", SCHEMA, Mode.MERGE, (write_file(lake, "a", [(1, "y")], "run"),), files[::2], 1
    )
    lake.commit(publication(merged, 2, 0))
    assert others_read(lake) == [(0, "x"), (1, "y"), (2, "x")]


@pytest.mark.parametrize("type_", ["timestamp", "string", "uint8", "list<timestamp>"])
def test_columns_may_change_with_the_rows(lake, type_):
    lake.commit(publication(stage(lake, "a", [(1, "x")])))
    stored = {
        "timestamp": pa.timestamp("us"),
        "string": pa.string(),
        "uint8": pa.int16(),
        "list<timestamp>": pa.list_(pa.timestamp("us")),
    }[type_]
    arrow = pa.schema([("other", stored)])
    schema = parse_schema(f"other: {type_}")
    second = publication(stage(lake, "a", [(None,)], schema=schema, arrow=arrow), 2, 0)
    version = lake.commit(second)
    assert lake.commit(second) == version
    read = DeltaTable(lake.folder("a"))
    assert read.to_pyarrow_table().to_pylist() == [{"other": None}]
    assert lake.current("a")[1] == schema
    third = publication(stage(lake, "a", [(1, "x")]), 3, version)
    assert lake.commit(third) == version + 1
    assert others_read(lake) == [(1, "x")]


def test_kept_rows_can_not_change_their_columns(lake):
    first = stage(lake, "a", [(1, "x")])
    lake.commit(publication(first))
    added = append(lake, as_version(first), [(2, "y")])
    wider = replace(added, schema=parse_schema("id: int64, name: string, more: int64"))
    with pytest.raises(StorageError, match="'a'"):
        lake.commit(publication(wider, 2, 0))
    assert others_read(lake) == [(1, "x")]


def test_a_commit_may_be_repeated(lake):
    first = publication(stage(lake, "a", [(1, "x")]))
    second = publication(stage(lake, "a", [(2, "y")]), 2, 0)
    assert [lake.commit(each) for each in (first, first, second, second, first)] == [0, 0, 1, 1, 0]
    assert lake.head("a") == 1
    assert others_read(lake) == [(2, "y")]


def test_a_withdrawn_commit_is_cleaned_up_by_the_next(lake):
    first = stage(lake, "a", [(1, "x")])
    lake.commit(publication(first))
    withdrawn = append(lake, as_version(first), [(2, "withdrawn")])
    lake.commit(publication(withdrawn, 2, 0, "20261102-000001-test"))
    added = append(lake, as_version(first), [(3, "y")])
    lake.commit(publication(added, 3, 1, "20261102-000002-test"))
    assert others_read(lake) == [(1, "x"), (3, "y")]


def test_a_number_of_another_run_is_refused(lake):
    lake.commit(publication(stage(lake, "a", [(1, "x")]), run="20261102-000001-test"))
    with pytest.raises(ForeignCommitError):
        lake.commit(publication(stage(lake, "a", [(2, "y")]), run="20261102-000002-test"))
    assert others_read(lake) == [(1, "x")]


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_foreign_commit_is_refused_and_never_overwritten(lake, mode):
    lake.commit(publication(stage(lake, "a", [(1, "x")])))
    write_elsewhere(lake, [(7, "foreign")], mode=mode)
    before = others_read(lake)
    with pytest.raises(ForeignCommitError, match="version 1, version 0 was expected") as caught:
        lake.commit(publication(stage(lake, "a", [(2, "y")]), 2, 0))
    assert "segue recover --adopt a" in caught.value.hint
    assert others_read(lake) == before


def test_a_foreign_table_is_refused(lake):
    write_elsewhere(lake, [(7, "foreign")])
    with pytest.raises(ForeignCommitError, match="none was expected"):
        lake.commit(publication(stage(lake, "a", [(1, "x")])))
    assert others_read(lake) == [(7, "foreign")]


def test_a_removed_table_is_refused(lake):
    with pytest.raises(ForeignCommitError, match="removed"):
        lake.commit(publication(stage(lake, "a", [(1, "x")]), 2, 0))


def test_of_racing_repetitions_one_commits(lake):
    head, racers = None, 4
    for number in range(1, 6):
        same = publication(stage(lake, "a", [(number, "x")]), number, head)
        start = threading.Barrier(racers)

        def race(_, same=same, start=start):
            start.wait()
            return lake.commit(same)

        with ThreadPoolExecutor(racers) as pool:
            versions = set(pool.map(race, range(racers)))
        assert versions == {number - 1}
        head = number - 1
    assert others_read(lake) == [(5, "x")]


def test_of_racing_runs_one_commits(lake):
    lake.commit(publication(stage(lake, "a", [(0, "x")])))
    start = threading.Barrier(4)

    def race(number):
        run = f"20261102-00000{number}-test"
        mine = publication(stage(lake, "a", [(number, "x")]), 2, 0, run)
        start.wait()
        try:
            return lake.commit(mine) and (number, "x")
        except ForeignCommitError:
            return None

    with ThreadPoolExecutor(4) as pool:
        winners = list(filter(None, pool.map(race, range(4))))
    assert len(winners) == 1
    assert others_read(lake) == winners


@pytest.mark.parametrize("left", [b"", b'{"commitInfo":{"timest'])
def test_a_commit_torn_by_a_power_cut_is_made_again(lake, left):
    lake.commit(publication(stage(lake, "a", [(1, "x")])))
    second = publication(stage(lake, "a", [(2, "y")]), 2, 0)
    lake.commit(second)
    (lake.folder("a") / "_delta_log" / f"{1:020d}.json").write_bytes(left)
    assert lake.commit(second) == 1
    assert others_read(lake) == [(2, "y")]


def test_checkpoints_are_written_and_change_nothing(lake):
    base = stage(lake, "a", [(0, "x")])
    lake.commit(publication(base))
    for number in range(2, 103):
        staged = append(lake, as_version(base), [(number, "x")])
        lake.commit(publication(staged, number, number - 2))
    assert list((lake.folder("a") / "_delta_log").glob("*.checkpoint.parquet"))
    assert others_read(lake) == [(0, "x"), (102, "x")]
    assert len(lake.history("a")) == 102


def test_history_tells_what_a_rebuild_needs(lake):
    first = stage(lake, "a", [(1, "x")])
    lake.commit(publication(first, run="20261102-000001-test", run_tables=3))
    second = append(lake, as_version(first), [(2, "y")])
    memory = None
    lake.commit(publication(second, 2, 0, "20261102-000002-test", memory=memory))
    write_elsewhere(lake, [(7, "foreign")], mode="append")
    one, two = lake.history("a")
    assert (one["number"], one["delta_version"], one["run_id"]) == (1, 0, "20261102-000001-test")
    assert (one["run_tables"], one["environment"]) == (3, "production")
    assert (two["files"], two["content_hash"]) == (second.files, second.content_hash)
    assert parse_schema(two["schema"]) == SCHEMA
    assert two["fingerprint"] == "f1"


def test_history_ends_at_a_torn_commit(lake):
    lake.commit(publication(stage(lake, "a", [(1, "x")])))
    lake.commit(publication(stage(lake, "a", [(2, "y")]), 2, 0))
    (lake.folder("a") / "_delta_log" / f"{1:020d}.json").write_bytes(b"{")
    assert [commit["number"] for commit in lake.history("a")] == [1]


def test_what_another_writer_left_can_be_taken_over(lake):
    first = stage(lake, "a", [(1, "x")])
    lake.commit(publication(first))
    write_elsewhere(lake, [(7, "foreign"), (8, "foreign")], mode="append")
    version, schema, files = lake.current("a")
    assert (version, schema) == (1, SCHEMA)
    assert sorted((file.rows, bool(file.digest)) for file in files) == [(1, True), (2, False)]
    assert read_rows(lake, schema, "a", files) == others_read(lake)
    assert lake.held_files("a") == {file.path for file in files}


def test_what_can_not_be_read_by_file_list_is_not_taken_over(lake):
    rows = pa.table({"id": [1, 2], "name": ["x", "y"]})
    write_deltalake(lake.folder("a"), rows, partition_by=["name"])
    with pytest.raises(StorageError, match="partitions"):
        lake.current("a")
    with pytest.raises(UnknownNameError):
        lake.current("nowhere")


ODD = ["a b", "ä,;{}()\n\t=", 'quo"te', "per%20cent", "Case", "case2", "名前"]


def test_columns_may_have_any_name(lake):
    arrow = pa.schema([(name, pa.int64()) for name in ODD])
    schema = parse_schema(", ".join('"' + name.replace('"', '""') + '": int64' for name in ODD))
    staged = stage(lake, "a", [tuple(range(len(ODD)))], schema=schema, arrow=arrow)
    lake.commit(publication(staged))
    (row,) = DeltaTable(lake.folder("a")).to_pyarrow_table().to_pylist()
    assert row == dict(zip(ODD, range(len(ODD)), strict=True))
    assert lake.current("a")[1] == schema


def test_files_and_tables_may_have_odd_names(lake):
    table = "tab'le \" #?&=%x é 名前"
    staged = StagedTable(
        table, SCHEMA, Mode.REPLACE, (write_file(lake, table, [(1, "x")], "a b%20#?é"),)
    )
    assert lake.commit(publication(staged)) == 0
    again = StagedTable(
        table, SCHEMA, Mode.REPLACE, (write_file(lake, table, [(2, "x")], "c d%20#?é"),)
    )
    assert lake.commit(publication(again, 2, 0)) == 1
    assert others_read(lake, table) == [(2, "x")]
    assert lake.history(table)[1]["files"] == again.files
    assert lake.held_files(table) == {again.files[0].path}


@pytest.mark.parametrize("name", ["back\\slash", "per%41cent"])
def test_a_folder_that_would_be_misread_is_refused(lake, name):
    with pytest.raises(StorageError, match="can't have a table"):
        lake.folder(name)


@pytest.mark.parametrize(
    ("logical", "stored"),
    [
        ("uint8", "int16"),
        ("uint16", "int32"),
        ("uint32", "int64"),
        ("uint64", "decimal(20,0)"),
        ("time", "int64"),
        ("duration(ms)", "int64"),
        ("timestamp(ns)", "int64"),
        ("timestamp(ns, Europe/Rome)", "int64"),
        ("timestamp(ms)", "timestamp"),
        ("timestamp(s, Europe/Rome)", "timestamp(us, UTC)"),
        ("categorical<string>", "string"),
        ("null", "int32"),
        ("list<struct<a: uint8, b: map<string, time>>>",) * 2,
        ("decimal(38,10)", "decimal(38,10)"),
        ("date", "date"),
        ("binary", "binary"),
    ],
)
def test_types_come_back(lake, logical, stored):
    type_ = parse_type(logical)
    expected = stored.replace("uint8", "int16").replace("time>", "int64>")
    kept = lake.storage_type(type_)
    assert kept == parse_type(expected if logical.startswith("list") else stored)
    path = lake.folder("a") / "20261102-000000-test-a-0.parquet"
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), path)
    files = (replace(stage(lake, "a", []).files[0], path=path.name),)
    schema = parse_schema(f"c: {logical}")
    lake.commit(publication(StagedTable("a", schema, Mode.REPLACE, files)))
    assert lake.current("a")[1] == schema
