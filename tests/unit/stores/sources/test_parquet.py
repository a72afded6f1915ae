import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.errors import SegueError, SourceError
from segue.stores.sources.parquet_footer import count_rows

TABLE = pa.table({"a": [1, 2], "b": ["x", None], "s": [{"p": [1.5]}, None]})


@pytest.fixture
def bytes_of(tmp_path):
    pq.write_table(TABLE, tmp_path / "whole.parquet")
    return (tmp_path / "whole.parquet").read_bytes()


def test_rows_and_types(world, bytes_of):
    world.put("a.parquet", bytes_of)
    assert world.read("parquet", path="a.parquet").to_pylist() == TABLE.to_pylist()
    assert world.observe("parquet", path="a.parquet").rows == 2
    assert world.types("parquet", path="a.parquet", types={"a": "string"}) == (
        "a: string, b: string, s: struct<p: list<float64>>"
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:-20],
        lambda data: b"PAR1" + b"x" * 20 + b"PAR1",
        lambda data: data[:20] + b"\xff" * 40 + data[60:],
    ],
)
def test_a_damaged_file_is_named(world, bytes_of, spoil):
    world.put("bad.parquet", spoil(bytes_of))
    with pytest.raises(SourceError) as caught:
        world.read("parquet", path="bad.parquet")
    assert caught.value.location.path == "bad.parquet"


def test_files_with_other_columns(world):
    for name in ("a", "b"):
        pq.write_table(pa.table({name: [1]}), world.root / f"{name}.parquet")
    with pytest.raises(SourceError) as caught:
        world.read("parquet", path="*.parquet")
    assert "union = true" in caught.value.hint
    table = world.read("parquet", path="*.parquet", union=True)
    assert table.to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": 1}]


def test_names_that_differ_only_by_case_are_refused(world):
    pq.write_table(pa.table({"a": [1], "A": [2]}), world.root / "a.parquet")
    with pytest.raises(SegueError, match="can't tell apart"):
        world.read("parquet", path="a.parquet")


@pytest.mark.parametrize("rows", [0, 1, 127, 128, 100_000])
def test_the_footer_tells_the_rows(tmp_path, rows):
    wide = {f"column {number}": pa.nulls(rows, pa.int32()) for number in range(20)}
    pq.write_table(pa.table(wide), tmp_path / "a.parquet", row_group_size=1000)
    assert count_rows(tmp_path / "a.parquet") == rows


def test_a_footer_that_says_nothing(tmp_path, bytes_of):
    for position in range(4, len(bytes_of)):
        (tmp_path / "a.parquet").write_bytes(bytes_of[-position:])
        found = count_rows(tmp_path / "a.parquet")
        assert found in (2, None)
    (tmp_path / "a.parquet").write_bytes(b"")
    assert count_rows(tmp_path / "a.parquet") is None
