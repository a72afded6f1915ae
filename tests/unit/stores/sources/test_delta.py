import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from segue.errors import SourceError


@pytest.fixture
def folder(world):
    write_deltalake(world.root / "t", pa.table({"a": [1, 2], "b": ["x", "y"]}))
    write_deltalake(world.root / "t", pa.table({"a": [3], "b": ["z"]}), mode="append")
    return world.root / "t"


def column(table, name="a"):
    return sorted(table[name].to_pylist())


def test_the_newest_and_an_older_version(world, folder):
    assert column(world.read("delta", path="t")) == [1, 2, 3]
    assert column(world.read("delta", path="t", version=0)) == [1, 2]


def test_the_state_changes_with_the_version(world, folder):
    newest, pinned = world.observe("delta", path="t"), world.observe("delta", path="t", version=0)
    assert newest == world.observe("delta", path="t")
    write_deltalake(folder, pa.table({"a": [4], "b": ["w"]}), mode="append")
    assert world.observe("delta", path="t").identity != newest.identity
    assert world.observe("delta", path="t", version=0) == pinned
    DeltaTable(folder).create_checkpoint()
    assert world.observe("delta", path="t", version=0) == pinned


def test_deleted_rows_are_gone(world, folder):
    DeltaTable(folder).delete("a = 2")
    assert column(world.read("delta", path="t")) == [1, 3]
    DeltaTable(folder).delete()
    assert world.read("delta", path="t").num_rows == 0
    assert world.types("delta", path="t") == "a: int64, b: string"


def test_a_partitioned_table_has_all_its_columns(world):
    table = pa.table({"a": [1, 2], "p": ["x/y", None]})
    write_deltalake(world.root / "p", table, partition_by="p")
    found = world.read("delta", path="p").sort_by("a")
    assert found.to_pylist() == table.to_pylist()


def test_a_column_that_came_later(world, folder):
    write_deltalake(
        folder,
        pa.table({"a": [4], "b": ["w"], "c": [1.5]}),
        mode="append",
        schema_mode="merge",
    )
    found = world.read("delta", path="t").sort_by("a")
    assert found["c"].to_pylist() == [None, None, None, 1.5]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"path": "t", "version": 9}, "no version 9"), ({"path": "."}, "no Delta table")],
)
def test_what_is_not_there(world, folder, options, message):
    with pytest.raises(SourceError, match=message):
        world.observe("delta", **options)


def test_a_lost_file_is_named(world, folder):
    for path in folder.glob("*.parquet"):
        path.unlink()
    with pytest.raises(SourceError):
        world.read("delta", path="t")
