"""Drift is the same number on every engine, and no row leaves it."""

import random
from datetime import UTC, datetime, timedelta
from itertools import product

import pyarrow as pa
import pytest

from segue.judge.measure import measure_table
from segue.registry import load_engine
from segue.spec.contract import Verdict
from segue.spec.step import PlaceSpec
from tests.conformance.checks.test_verdicts import store_table
from tests.unit.judge.judging import make_check, make_contract

pytestmark = pytest.mark.timeout(300)
METHODS = ("psi", "js", "ks", "chi2")
NAN = float("nan")


def make(seed):
    """Return 300 rows; other seeds have other means and other words."""
    chance = random.Random(seed)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = range(300)
    hours = [timedelta(hours=chance.randrange(200 * seed + 1)) for _ in rows]
    columns = {
        "whole": pa.array([chance.randrange(100) // seed for _ in rows], pa.int32()),
        "real": pa.array([chance.gauss(seed / 3, 1) for _ in rows[2:]] + [None, NAN], pa.float64()),
        "text": pa.array([chance.choice("abcde"[: 2 + seed]) for _ in rows[1:]] + [None]),
        "flag": pa.array([chance.random() < seed / 4 for _ in rows]),
        "day": pa.array([(start + each).date() for each in hours]),
        "moment": pa.array([start + each for each in hours], pa.timestamp("us", "UTC")),
    }
    return pa.table(columns)


BEFORE, NOW = make(1), make(2)
CASES = [
    (column, method)
    for column, method in product(NOW.column_names, METHODS)
    if method != "ks" or column not in ("text", "flag")
]


def measure(session, column, method):
    check = make_check("drift", {"against": "earlier", "method": method}, [column])
    schema = session.describe("select * from orders")
    (found,) = measure_table(session, "orders", make_contract(check), schema).measurements
    return found


def bind(session):
    session.bind("orders", NOW)
    session.bind("earlier", BEFORE)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("duckdb")
    with load_engine("duckdb").open(PlaceSpec("here", threads=2), scratch) as session:
        bind(session)
        yield {case: measure(session, *case) for case in CASES}


class SameDrift:
    """What each engine is held to; it gives a session in which both tables are bound."""

    @pytest.mark.parametrize("case", CASES, ids="-".join)
    def test_drift(self, session, expected, case):
        found = measure(session, *case)
        assert found.verdict is not Verdict.ERROR, found.message
        assert found.value == pytest.approx(expected[case].value, abs=1e-9)
        assert found.message == expected[case].message


class TestDuckDB(SameDrift):
    @pytest.fixture(scope="class")
    @classmethod
    def session(cls, tmp_path_factory):
        scratch = tmp_path_factory.mktemp("scratch")
        with load_engine("duckdb").open(PlaceSpec("here", threads=1), scratch) as opened:
            bind(opened)
            yield opened


@pytest.mark.xdist_group("spark")
class TestSpark(SameDrift):
    @pytest.fixture(scope="class")
    @classmethod
    def session(cls, live_spark, tmp_path_factory):
        with load_engine("spark").attach(live_spark, tmp_path_factory.mktemp("spark")) as opened:
            bind(opened)
            yield opened


@pytest.mark.xdist_group("ray")
class TestRay(SameDrift):
    @pytest.fixture(scope="class")
    @classmethod
    def session(cls, live_ray, tmp_path_factory):
        scratch = tmp_path_factory.mktemp("ray")
        with load_engine("ray").open(PlaceSpec("ray", engine="ray"), scratch) as opened:
            bind(opened)
            yield opened


@pytest.mark.xdist_group("dask")
class TestDask(SameDrift):
    @pytest.fixture(scope="class")
    @classmethod
    def session(cls, live_dask, tmp_path_factory):
        with load_engine("dask").attach(live_dask, tmp_path_factory.mktemp("dask")) as opened:
            bind(opened)
            yield opened


@pytest.mark.xdist_group("postgres")
class TestPostgres(SameDrift):
    @pytest.fixture(scope="class")
    @classmethod
    def session(cls, live_postgres, tmp_path_factory):
        import psycopg

        address = live_postgres.address(live_postgres.make_database())
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("set timezone = 'UTC'")
            for name, table in (("orders", NOW), ("earlier", BEFORE)):
                store_table(connection, name, table)
        scratch = tmp_path_factory.mktemp("postgres")
        with load_engine("postgres").attach(address, scratch) as opened:
            for name in ("orders", "earlier"):
                opened.bind(name, f"{address}?table={name}")
            yield opened
