"""Data is computed once, and stays what it is."""

import pyarrow as pa
import pytest

import segue
from segue.errors import UsageError

ROWS = [{"n": 1, "t": "a"}, {"n": None, "t": None}]
TABLE = pa.table({"n": pa.array([1, None]), "t": ["a", None]})


class Counted:
    """Frames that are counted as they are made."""

    def __init__(self, frames):
        self.frames, self.made = frames, 0

    def __iter__(self):
        for frame in self.frames:
            self.made += 1
            yield frame


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "batch", "rows"])
def test_frame_in_memory_is_what_was_given(kind):
    frame = {
        "pandas": TABLE.to_pandas,
        "polars": lambda: pytest.importorskip("polars").from_arrow(TABLE),
        "arrow": lambda: TABLE,
        "batch": lambda: TABLE.to_batches()[0],
        "rows": lambda: ROWS,
    }[kind]()
    assert segue.persist(frame) is frame


def test_lazy_frame_is_computed_once_and_stays_lazy():
    pl = pytest.importorskip("polars")
    calls = []

    def count(frame):
        calls.append(1)
        return frame

    lazy = pl.LazyFrame({"n": [1, 2]}).map_batches(count)
    kept = segue.persist(lazy)
    assert isinstance(kept, pl.LazyFrame)
    assert kept.collect().to_dicts() == kept.collect().to_dicts() == [{"n": 1}, {"n": 2}]
    assert len(calls) == 1


def test_relation_does_not_ask_its_database_again():
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.execute("create table t as select 7 as n")
    kept = segue.persist(connection.sql("select * from t"))
    connection.execute("drop table t")
    assert kept.fetchall() == [(7,)]


def test_iterator_is_gathered_as_a_frame_of_its_kind():
    counted = Counted([ROWS[:1], ROWS[1:]])
    kept = segue.persist(iter(counted))
    assert kept == ROWS
    assert counted.made == 2


def test_reader_is_gathered_as_a_table():
    kept = segue.persist(TABLE.to_reader(1))
    assert isinstance(kept, pa.Table)
    assert kept.equals(TABLE)


def test_path_is_read_once(parquet):
    path = parquet(TABLE)
    kept = segue.persist(path)
    path.unlink()
    assert kept.equals(TABLE)


def test_types_that_sql_lacks_survive(parquet):
    table = pa.table(
        {"a": pa.array([1, None], pa.duration("s")), "A": pa.array([1, 2], pa.uint8())}
    )
    assert segue.persist(table.to_reader()).equals(table)


def test_local_engine_by_name_changes_nothing():
    assert segue.persist(TABLE, on="duckdb").equals(TABLE)


def test_what_is_no_data_is_refused():
    with pytest.raises(UsageError, match="is no data"):
        segue.persist(7)


def test_what_fails_is_told_when_it_is_kept():
    pl = pytest.importorskip("polars")
    lazy = pl.LazyFrame({"n": ["x"]}).select(pl.col("n").cast(pl.Int64))
    with pytest.raises(pl.exceptions.InvalidOperationError):
        segue.persist(lazy)
