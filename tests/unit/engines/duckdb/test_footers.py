"""What footers of Parquet files tell, by whichever library they were written."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segue.spec.scan import Scan
from segue.spec.types import parse_type


def read(session, *paths, **options):
    session.bind("t", Scan("parquet", tuple(map(str, paths)), **options))
    return session.read_footers("t")


def test_rows_nulls_and_bounds(session, tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table(
        {
            "n": pa.array([3, None, 1], pa.int32()),
            "u": pa.array([0, 2**64 - 1, 5], pa.uint64()),
            "d": pa.array([Decimal("1.10"), None, None]),
            "s": ["a", "é", None],
            "day": [date(2026, 1, 1), None, date(2026, 1, 3)],
            "at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC")),
            "x": [1.5, 2.5, None],
            "l": [[1], [], None],
        }
    )
    pq.write_table(table, path, row_group_size=2)
    (file,) = read(session, path)
    assert (file.rows, file.stats["tightBounds"]) == (3, True)
    assert file.stats["minValues"] == {
        "n": 1, "u": 0, "d": 1.1, "s": "a", "day": "2026-01-01", "at": "2026-01-01T00:00:00Z"
    }  # fmt: skip
    assert file.stats["maxValues"]["u"] == 2**64 - 1
    assert file.stats["nullCount"] == {
        "n": 1, "u": 0, "d": 2, "s": 1, "day": 1, "at": 0, "x": 1
    }  # fmt: skip


def test_floating_bounds_count_where_the_writer_counted_nan(session, tmp_path):
    plain, wild = tmp_path / "plain.parquet", tmp_path / "wild.parquet"
    for path, value in ((plain, "2.5"), (wild, "'nan'")):
        rows = f"select 1.5::double as x union all select {value}::double"
        session.native(rows).write_parquet(str(path))
    (told,) = read(session, plain)
    assert (told.stats["minValues"], told.stats["maxValues"]) == ({"x": 1.5}, {"x": 2.5})
    (told,) = read(session, wild)
    assert told.stats["minValues"] == {}


def test_bounds_that_may_be_cut_enclose(session, tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"s": ["a" * 80, "b"], "t": ["x", "y"], "n": [1, 2]}).write_parquet(path)
    (file,) = read(session, path)
    assert not file.stats["tightBounds"]
    assert "s" not in file.stats["minValues"]
    assert file.stats["minValues"]["n"] == 1


@pytest.mark.parametrize(
    ("other", "nulls"),
    [
        (pa.array(["10"]), [None, None]),
        (pa.array([date(2026, 1, 1)]), [None, None]),
        (pa.array([Decimal("10.5")]), [0, 0]),
        (None, [0, None]),
    ],
)
def test_files_of_other_columns_prove_only_what_orders_alike(session, tmp_path, other, nulls):
    paths = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.table({"k": [1], "n": [2]}), paths[0])
    pq.write_table(pa.table({"k": [1]} | ({} if other is None else {"n": other})), paths[1])
    files = read(session, *paths, options={"union": True})
    assert [file.stats["nullCount"].get("n") for file in files] == nulls
    assert [file.stats["nullCount"]["k"] for file in files] == [0, 0]


def test_columns_of_folders_are_not_those_of_files(session, tmp_path):
    path = tmp_path / "n=7" / "a.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"n": [1], "k": [1]}), path)
    (file,) = read(session, path, hive=True)
    assert file.stats["nullCount"] == {"k": 0}


def test_columns_that_are_read_as_another_type_are_left_out(session, tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": ["10", "9"], "k": [1, 2]}), path)
    (file,) = read(session, path, types={"n": parse_type("int64")})
    assert file.stats["minValues"] == {"k": 1}


def test_what_is_no_scan_of_parquet_has_no_footers(session):
    session.bind("t", "select 1 as n")
    assert session.read_footers("t") is None
    session.bind("t", pa.table({"n": [1]}))
    assert session.read_footers("t") is None
