"""A contract over data on every engine: the same verdicts, and the same kind of samples."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import segue

pytestmark = pytest.mark.timeout(300)

CONTRACT = """
columns:
  id: {type: int64, required: true}
  store: {in: [east, west]}
  amount: {between: [0, 100]}
  mail: {required: true, sensitive: true}
rows: {min: 1}
checks:
  - {name: paid has an amount, rule: amount is not null, where: "store = 'west'"}
"""
ROWS = pa.table(
    {
        "id": [1, 2, 2, None],
        "store": ["east", "west", "nroth", "west"],
        "amount": [1.5, 200.0, float("nan"), None],
        "mail": ["a@b", "b", None, "c@d"],
    }
)

PLANTED = pa.table(
    {
        "store": ["n'or\\th" if at % 10 == 0 else "east" for at in range(1000)],
        "seen": [datetime(2026, 1, 1 + at % 10, 12, tzinfo=UTC) for at in range(1000)],
        "open": [at % 10 != 0 for at in range(1000)],
        "part": [at % 7 for at in range(1000)],
        "amount": [-at - 1.5 if at % 20 == 0 else 1.0 for at in range(1000)],
        "note": ["z" if at % 20 == 11 else "a" for at in range(1000)],
    }
)


def summarize(report):
    return {
        found.check: (str(found.verdict), found.failing, len(found.sample))
        for found in report.measurements
    }


class SameVerdicts:
    def test_the_same_verdicts_as_here(self, on, tmp_path):
        path = tmp_path / "orders.parquet"
        pq.write_table(ROWS, path)
        here = summarize(segue.check(ROWS, CONTRACT))
        assert here["id required"][:2] == ("fail", 1)
        assert summarize(segue.check(str(path), CONTRACT, on=on)) == here

    def test_the_same_explanations_as_here(self, on, tmp_path):
        path = tmp_path / "planted.parquet"
        pq.write_table(PLANTED, path)
        contract = {"columns": {"amount": {"between": [0, 10]}, "note": {"in": ["a", "b"]}}}

        here = segue.check(PLANTED, contract).measurements
        there = segue.check(str(path), contract, on=on).measurements

        assert [found.shared for found in here] == [
            (
                "all of them have open = false (10% of all rows)",
                "all of them have day of seen = 2026-01-01 (10% of all rows)",
                "all of them have store = 'n'or\\th' (10% of all rows)",
            ),
            (
                "all of them have note = 'z' (5% of all rows)",
                "all of them have day of seen = 2026-01-02 (10% of all rows)",
            ),
        ]
        assert [found.shared for found in there] == [found.shared for found in here]


class TestDuckDB(SameVerdicts):
    @pytest.fixture
    def on(self):
        return "duckdb"


@pytest.mark.xdist_group("spark")
class TestSpark(SameVerdicts):
    @pytest.fixture
    def on(self, live_spark):
        return live_spark


@pytest.mark.xdist_group("ray")
class TestRay(SameVerdicts):
    @pytest.fixture
    def on(self, live_ray):
        return live_ray


@pytest.mark.xdist_group("dask")
class TestDask(SameVerdicts):
    @pytest.fixture
    def on(self, live_dask):
        return live_dask
