"""Every check gets the same verdict, and counts the same rows, on every engine."""

from contextlib import contextmanager

import pytest

from segue.engines.postgres.types import sql_type
from segue.frames.arrow_types import from_arrow
from segue.registry import load_engine
from segue.spec.step import PlaceSpec
from tests.conformance.checks.quality import FOLDER, PARENT, TABLE, measure, read_qualities

pytestmark = pytest.mark.timeout(300)
CASES = [
    *read_qualities(FOLDER.parents[1] / "cases/quality.yaml"),
    *read_qualities(FOLDER / "metrics.yaml"),
    *read_qualities(FOLDER / "more.yaml"),
    *read_qualities(FOLDER / "rows.yaml"),
]


class SameVerdicts:
    """What each engine is held to; it gives a session that lasts for all cases."""

    engine = ""

    @contextmanager
    def bind(self, session, case):
        with session.fork() as forked:
            forked.bind(TABLE, case.table)
            if case.parent is not None:
                forked.bind(PARENT, case.parents)
            yield forked

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_verdict(self, session, case):
        with self.bind(session, case) as bound:
            found = measure(bound, case)
        if self.engine in case.unmeasured:
            assert (found.verdict, found.failing) == ("error", None)
            assert "can't" in found.message
            return
        expected = (case.verdict, case.failing)
        assert (found.verdict, found.failing) == expected, (found.message, found.sql)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def duckdb_session(scratch):
    with load_engine("duckdb").open(PlaceSpec("here", threads=2), scratch) as opened:
        yield opened


class TestDuckDB(SameVerdicts):
    engine = "duckdb"

    @pytest.fixture
    def session(self, duckdb_session):
        return duckdb_session


@pytest.fixture(scope="module")
def spark_session(live_spark, scratch):
    with load_engine("spark").attach(live_spark, scratch) as opened:
        yield opened


@pytest.mark.xdist_group("spark")
class TestSpark(SameVerdicts):
    engine = "spark"

    @pytest.fixture
    def session(self, spark_session):
        return spark_session


@pytest.fixture(scope="module")
def ray_session(live_ray, scratch):
    with load_engine("ray").open(PlaceSpec("ray", engine="ray"), scratch) as opened:
        yield opened


@pytest.mark.xdist_group("ray")
class TestRay(SameVerdicts):
    engine = "ray"

    @pytest.fixture
    def session(self, ray_session):
        return ray_session


@pytest.fixture(scope="module")
def dask_session(live_dask, scratch):
    with load_engine("dask").attach(live_dask, scratch) as opened:
        yield opened


@pytest.mark.xdist_group("dask")
class TestDask(SameVerdicts):
    engine = "dask"

    @pytest.fixture
    def session(self, dask_session):
        return dask_session


@pytest.fixture(scope="module")
def database(live_postgres):
    """Return the address of a database, and a connection of somebody who may write to it."""
    import psycopg

    address = live_postgres.address(live_postgres.make_database())
    # names come again with other types, which prepared statements would not notice
    with psycopg.connect(address, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("set timezone = 'UTC'")
        yield address, connection


@pytest.fixture(scope="module")
def postgres_session(database, scratch):
    with load_engine("postgres").attach(database[0], scratch) as opened:
        yield opened


@pytest.mark.xdist_group("postgres")
class TestPostgres(SameVerdicts):
    """Tables stand in the database, as its users made them."""

    engine = "postgres"

    @pytest.fixture
    def session(self, postgres_session, database):
        self.address, self.connection = database
        return postgres_session

    @contextmanager
    def bind(self, session, case):
        tables = {TABLE: case.table}
        if case.parent is not None:
            tables[PARENT] = case.parents
        for name, table in tables.items():
            store_table(self.connection, name, table)
        with session.fork() as forked:
            for name in tables:
                forked.bind(name, f"{self.address}?table={name}")
            yield forked


def store_table(connection, name, table):
    """Make a table with the rows, as somebody else's program would."""
    from psycopg import sql

    columns = [
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(sql_type(column.type)))
        for column in from_arrow(table.schema)
    ]
    connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(name)))
    listed = sql.SQL(", ").join(columns)
    connection.execute(sql.SQL("create table {} ({})").format(sql.Identifier(name), listed))
    places = sql.SQL(", ").join([sql.Placeholder()] * table.num_columns)
    insert = sql.SQL("insert into {} values ({})").format(sql.Identifier(name), places)
    with connection.cursor() as cursor:
        cursor.executemany(insert, [list(row.values()) for row in table.to_pylist()])
