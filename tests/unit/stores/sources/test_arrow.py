import pyarrow as pa
import pytest

from segue.errors import SourceError

TABLE = pa.table({"a": [1, 2], "b": pa.array(["x", None]).dictionary_encode()})


@pytest.fixture
def files(world):
    with pa.ipc.new_file(world.root / "a.arrow", TABLE.schema) as file:
        file.write_table(TABLE)
    with pa.ipc.new_stream(world.root / "b.arrow", TABLE.schema) as stream:
        stream.write_table(TABLE)
    return world


@pytest.mark.parametrize("name", ["a.arrow", "b.arrow"])
def test_files_and_streams(files, name):
    assert files.read("arrow", path=name).to_pylist() == TABLE.to_pylist()


def test_files_of_one_pattern(files):
    table = files.read("arrow", path="*.arrow", types={"a": "string"})
    assert table["a"].to_pylist() == ["1", "2", "1", "2"]


def test_files_with_other_columns(files):
    other = pa.table({"c": [1]})
    with pa.ipc.new_file(files.root / "c.arrow", other.schema) as file:
        file.write_table(other)
    with pytest.raises(SourceError, match="not those of the first") as caught:
        files.read("arrow", path="*.arrow")
    assert caught.value.location.path == "c.arrow"
    assert files.read("arrow", path="*.arrow", union=True).num_rows == 5


def test_a_damaged_file_is_never_read_as_another_table(files):
    whole = (files.root / "a.arrow").read_bytes()
    for position in range(0, len(whole), 7):
        files.put("bad.arrow", whole[:position] + b"\xff\xfe" + whole[position + 2 :])
        try:
            files.read("arrow", path="bad.arrow")
        except SourceError as error:
            assert error.location.path == "bad.arrow"  # noqa: PT017 - some damage changes only values


def test_folders_are_no_columns(files):
    with pytest.raises(SourceError, match="hive"):
        files.read("arrow", path="a.arrow", hive=True)
