"""Data is written whole or not at all, and read from there since."""

import datetime as dt
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import segue
from segue.errors import StorageError, UsageError

TABLE = pa.table({"n": pa.array([1, None, 3]), "t": ["a", None, "c"]})
DAY = dt.date(2026, 3, 1)
TYPED = pa.table(
    {
        "i": pa.array([9007199254740993, None, -1]),
        "u": pa.array([1, 255, None], pa.uint8()),
        "v": pa.array([2**64 - 1, None, 0], pa.uint64()),
        "f": pa.array([float("nan"), None, 1.5]),
        "m": pa.array([Decimal("1.10"), None, Decimal("-2.00")]),
        "d": pa.array([DAY, None, DAY]),
        "z": pa.array([10**15, None, 0], pa.timestamp("us", "Europe/Rome")),
        "s": pa.array([10**18 + 1, None, 0], pa.timestamp("ns")),
        "h": pa.array([3_600_000_000, None, 1], pa.time64("us")),
        "p": pa.array([5, None, 7], pa.duration("ms")),
        "k": pa.array([5, None, 7], pa.duration("s")),
        "q": pa.array([5, None, 7], pa.duration("us")),
        "c": pa.array(["x", None, "x"]).dictionary_encode(),
        "b": pa.array([b"\x00", None, b""]),
        "l": pa.array([[1], None, []], pa.list_(pa.int64())),
        "r": pa.array([{"a": 1}, None, {"a": None}]),
    }
)


def assert_same(found, expected):
    """NaN equals NaN."""
    assert found.schema == expected.schema
    assert [repr(row) for row in found.to_pylist()] == [repr(row) for row in expected.to_pylist()]


def names(folder):
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.parametrize("kind", ["pandas", "arrow", "rows"])
def test_frame_in_memory_is_written_and_given_back(kind, tmp_path):
    frame = {"pandas": TABLE.to_pandas(), "arrow": TABLE, "rows": TABLE.to_pylist()}[kind]
    assert segue.checkpoint(frame, tmp_path / "out") is frame
    assert pq.read_table(tmp_path / "out")["t"].to_pylist() == ["a", None, "c"]
    assert names(tmp_path) == ["out"]


def test_lazy_frame_reads_the_files_and_nothing_before(tmp_path):
    pl = pytest.importorskip("polars")
    calls = []

    def count(frame):
        calls.append(1)
        return frame

    lazy = segue.checkpoint(pl.LazyFrame(TABLE.to_pydict()).map_batches(count), tmp_path / "out")
    assert isinstance(lazy, pl.LazyFrame)
    for _ in range(2):
        assert lazy.collect().to_dicts() == TABLE.to_pylist()
    assert len(calls) == 1
    assert str(tmp_path / "out") in lazy.explain()


def test_lazy_frame_has_the_types_that_were_given(tmp_path):
    pl = pytest.importorskip("polars")
    given = pl.from_arrow(TYPED)
    lazy = segue.checkpoint(given.lazy(), tmp_path / "out")
    assert lazy.collect_schema() == given.schema
    found = lazy.collect()
    assert found.equals(given)
    assert found["f"].is_nan().to_list() == [True, None, False]


def test_lazy_frame_has_types_that_a_cast_does_not_restore(tmp_path):
    pl = pytest.importorskip("polars")
    given = pl.from_arrow(pa.table({"l": pa.array([[1, None], None], pa.list_(pa.uint8()))}))
    lazy = segue.checkpoint(given.lazy(), tmp_path / "out")
    assert lazy.collect().equals(given)
    assert lazy.collect_schema() == given.schema


def test_relation_reads_the_files(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.execute("create table t as select 7::utinyint as n, interval 2 days as p")
    relation = segue.checkpoint(connection.sql("select n from t"), tmp_path / "out")
    connection.close()
    assert relation.fetchall() == [(7,)]
    assert relation.types == ["UTINYINT"]


def test_narwhals_frame_stays_one(tmp_path):
    nw, pl = pytest.importorskip("narwhals"), pytest.importorskip("polars")
    lazy = nw.from_native(pl.LazyFrame({"n": [1, 2]}))
    found = segue.checkpoint(lazy, tmp_path / "out")
    assert isinstance(found, nw.LazyFrame)
    assert found.collect().to_native().to_dict(as_series=False) == {"n": [1, 2]}


def test_iterator_is_written_bit_by_bit_and_read_so(tmp_path, monkeypatch):
    monkeypatch.setattr("segue.anywhere.checkpoint_data.FILE_BYTES", 1)
    found = segue.checkpoint(TYPED.to_reader(1), tmp_path / "out")
    assert isinstance(found, pa.RecordBatchReader)
    assert_same(found.read_all(), TYPED)
    assert names(tmp_path / "out") == [f"part-{number:05}-0.parquet" for number in range(3)]


def test_iterator_of_rows_is_one_again(tmp_path):
    rows = TABLE.to_pylist()
    found = segue.checkpoint(iter([rows[:2], rows[2:]]), tmp_path / "out")
    assert isinstance(found, Iterator)
    assert [row for part in found for row in part] == rows


def test_path_is_answered_with_a_path(parquet, tmp_path):
    found = segue.checkpoint(str(parquet(TABLE)), str(tmp_path / "out"))
    assert found == str(tmp_path / "out")
    assert segue.query("select n from t", t=found).to_pylist() == [{"n": 1}, {"n": None}, {"n": 3}]


def test_no_rows_keep_their_columns(tmp_path):
    pl = pytest.importorskip("polars")
    given = pl.from_arrow(TYPED.slice(0, 0))
    found = segue.checkpoint(given.lazy(), tmp_path / "out").collect()
    assert found.schema == given.schema
    assert found.height == 0


def test_relative_path_is_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    segue.checkpoint(TABLE, "a/b/out")
    assert names(tmp_path / "a" / "b") == ["out"]


def test_existing_path_is_refused_before_anything_is_computed(tmp_path):
    (tmp_path / "out").mkdir()
    frames = iter([TABLE])
    with pytest.raises(UsageError, match="exists") as caught:
        segue.checkpoint(frames, tmp_path / "out")
    assert "overwrite=True" in caught.value.hint


def test_checkpoint_is_replaced_on_request_even_by_what_reads_from_it(tmp_path):
    pl = pytest.importorskip("polars")
    lazy = segue.checkpoint(pl.LazyFrame({"n": [1]}), tmp_path / "out")
    lazy = segue.checkpoint(lazy.with_columns(pl.col("n") + 1), tmp_path / "out", overwrite=True)
    assert lazy.collect().to_dicts() == [{"n": 2}]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("other", ["notes.txt", "folder"])
def test_folder_with_anything_else_is_never_replaced(tmp_path, other):
    segue.checkpoint(TABLE, tmp_path / "out")
    kept = tmp_path / "out" / other
    kept.mkdir() if other == "folder" else kept.touch()
    with pytest.raises(UsageError, match=f"holds {other}.*not overwritten"):
        segue.checkpoint(TABLE, tmp_path / "out", overwrite=True)
    assert kept.exists()


def test_file_is_never_replaced(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="is no folder"):
        segue.checkpoint(TABLE, tmp_path / "out", overwrite=True)
    assert (tmp_path / "out").read_text() == "mine"


def test_failure_leaves_nothing(tmp_path):
    def fail():
        yield TABLE
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        segue.checkpoint(fail(), tmp_path / "out")
    assert names(tmp_path) == []


KILLED = """
import os, signal, sys, pyarrow as pa, segue
from segue.anywhere import checkpoint_data

checkpoint_data.FILE_BYTES = 1

def frames():
    for n in range(3):
        yield pa.table({"n": [n]})
    os.kill(os.getpid(), signal.SIGKILL)

segue.checkpoint(frames(), sys.argv[1], overwrite=True)
"""


def test_killed_process_leaves_the_earlier_checkpoint(tmp_path):
    segue.checkpoint(TABLE, tmp_path / "out")
    command = [sys.executable, "-c", KILLED, str(tmp_path / "out")]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert pq.read_table(tmp_path / "out").num_rows == 3
    segue.checkpoint(TABLE.slice(1), tmp_path / "out", overwrite=True)
    assert pq.read_table(tmp_path / "out").num_rows == 2


def test_failure_leaves_the_earlier_checkpoint(tmp_path, monkeypatch):
    segue.checkpoint(TABLE, tmp_path / "out")
    before = names(tmp_path / "out")
    move = type(tmp_path).rename

    def refuse(self, target):
        if self.name.endswith(".partial"):
            raise OSError(5, "broken")
        return move(self, target)

    monkeypatch.setattr(type(tmp_path), "rename", refuse)
    with pytest.raises(StorageError, match="broken"):
        segue.checkpoint(TABLE.slice(1), tmp_path / "out", overwrite=True)
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == before
    assert pq.read_table(tmp_path / "out").num_rows == 3


def test_frames_that_differ_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("segue.anywhere.checkpoint_data.FILE_BYTES", 1)
    frames = iter([TABLE, pa.table({"n": ["x"], "t": ["y"]})])
    with pytest.raises(UsageError, match=r"don't go together: .*n"):
        segue.checkpoint(frames, tmp_path / "out")
    assert names(tmp_path) == []


@pytest.mark.parametrize("path", ["s3://bucket/x", "", 7])
def test_path_that_is_no_folder_is_refused(path):
    with pytest.raises(UsageError, match="path"):
        segue.checkpoint(TABLE, path)


def test_folder_that_can_not_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"file.*can't be used"):
        segue.checkpoint(TABLE, tmp_path / "file" / "out")
