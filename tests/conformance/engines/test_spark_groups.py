"""Groups on Spark: workers sort few rows, Spark sorts many, and functions see no difference."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import segue
from segue.engines.spark import apply

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.timeout(300)]

NAN = float("nan")
ROWS = pa.table(
    {
        "k": pa.array([NAN, 1.0, None, -0.0, NAN, 0.0, None, 1.0] * 50, pa.float64()),
        "n": pa.array(range(400), pa.int64()),
        "day": pa.array([None if n % 9 == 0 else n % 5 for n in range(400)], pa.uint8()),
    }
)


def show(rows: list[dict]) -> list[dict]:
    seen = " ".join(f"{row['day']}/{row['n']}" for row in rows)
    return [{"k": str(rows[0]["k"]).lstrip("-"), "seen": seen}]


@pytest.mark.parametrize("light", [0, apply.LIGHT])
@pytest.mark.parametrize("given", ["table", "file"])
def test_groups_are_the_same_whoever_sorts_them(
    given, light, live_spark, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(apply, "LIGHT", light)
    path = tmp_path / "rows.parquet"
    pq.write_table(ROWS, path)
    options = {"by": "k", "sort": ["-day", "n"], "schema": "k: string, seen: string"}
    data = ROWS if given == "table" else path
    found = segue.transform(data, show, **options, on=live_spark, returns="rows")
    wanted = segue.transform(ROWS, show, **options, returns="rows")
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert len(found) == 4
    segue.transform(data, show, **options, on=live_spark, returns="native").explain()
    assert ("Sort [" in capsys.readouterr().out) == (light == 0)


def test_sizes_that_can_not_be_told_are_sorted_by_spark(live_spark, tmp_path, capsys):
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"k": ["a", "b"], "n": [1, 2]}), path)
    live = live_spark.read.parquet(str(path))
    for data in (path, live):
        made = segue.transform(
            data, lambda rows: rows, by="k", schema="*", on=live_spark, returns="native"
        )
        made.explain()
        assert "Sort [" in capsys.readouterr().out
        assert made.count() == 2
