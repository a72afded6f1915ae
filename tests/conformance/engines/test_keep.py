"""What is kept on an engine, or written by its workers, is there as it was."""

import gc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import segue
from segue.errors import SegueError, UsageError

TABLE = pa.table(
    {
        "n": pa.array([9007199254740993, None, *range(3, 41)]),
        "t": [f"row {number}" for number in range(39)] + [None],
        "d": pa.array([10**6, None] * 20, pa.duration("us")),
        "l": pa.array([[1, None], None] * 20, pa.list_(pa.int64())),
    }
)

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("dask", "ray", "spark")
    ]
)
def on(request):
    return request.getfixturevalue(f"live_{request.param}")


def rows(frame):
    """Return the rows of a frame, whoever has it, in order."""
    table = segue.query("select * from t order by n", t=frame, returns="arrow")
    assert table.schema == TABLE.select(table.column_names).schema
    return table.to_pylist()


EXPECTED = sorted(TABLE.to_pylist(), key=lambda row: (row["n"] is None, row["n"]))


def test_kept_frame_needs_nothing_that_it_came_from(on, tmp_path):
    path = tmp_path / "data.parquet"
    pq.write_table(TABLE.select(["n"]), path, row_group_size=10)
    kept = segue.persist(path, on=on)
    path.unlink()
    gc.collect()
    assert rows(kept) == [{"n": row["n"]} for row in EXPECTED]


@pytest.mark.xdist_group("spark")
def test_query_leaves_alone_what_a_user_has_cached(live_spark):
    def cached():
        return [each.id() for each in live_spark.sparkContext._jsc.sc().getRDDStorageInfo()]

    frame = live_spark.range(3).selectExpr("id as n").persist()
    try:
        assert frame.count() == 3
        before = cached()
        assert segue.query("select n from t", t=frame, returns="arrow").num_rows == 3
        assert cached() == before != []
    finally:
        frame.unpersist()


def test_live_frame_is_kept_as_one_of_its_kind(on):
    live = segue.query("select * from t", t=TABLE, on=on, returns="native")
    kept = segue.persist(live)
    assert type(kept) is type(live)
    assert rows(kept) == EXPECTED


def fail(frame: pa.Table) -> pa.Table:
    raise RuntimeError("broken")


def test_what_fails_is_told_when_it_is_kept(on):
    def keep():
        lazy = segue.transform(TABLE, fail, schema="n: int64", on=on, returns="native")
        segue.persist(lazy)

    with pytest.raises(SegueError, match="broken"):
        keep()


def test_checkpoint_reads_the_files_and_nothing_before(on, tmp_path):
    live = segue.query("select * from t", t=TABLE, on=on, returns="native")
    found = segue.checkpoint(live, tmp_path / "out")
    assert type(found) is type(live)
    del live
    gc.collect()
    assert rows(found) == EXPECTED
    assert pq.read_table(tmp_path / "out").num_rows == TABLE.num_rows
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_rows_of_this_process_are_written_by_workers(on, tmp_path):
    found = segue.checkpoint(TABLE, tmp_path / "out", on=on)
    assert rows(found) == EXPECTED


def test_no_rows_keep_their_columns(on, tmp_path):
    found = segue.checkpoint(TABLE.slice(0, 0), tmp_path / "out", on=on)
    assert rows(found) == []


def test_failure_on_workers_leaves_nothing(on, tmp_path):
    def write():
        lazy = segue.transform(TABLE, fail, schema="n: int64", on=on, returns="native")
        segue.checkpoint(lazy, tmp_path / "out")

    with pytest.raises(SegueError, match="broken"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_existing_path_is_refused(on, tmp_path):
    with pytest.raises(UsageError, match="exists"):
        segue.checkpoint(TABLE, tmp_path, on=on)
