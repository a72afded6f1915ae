"""SQL means in PostgreSQL what it means in DuckDB, or is refused before work starts."""

from fnmatch import fnmatchcase

import pytest

from segue import registry
from segue.errors import SqlError, UnsupportedError
from segue.spec.step import PlaceSpec
from tests.conformance.engines import spark_data
from tests.conformance.engines.spark_compare import expect_same, find_error

pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.timeout(120)]

NOT_CARRIED = """
*lpad(*
*ilike*
*qualify*
select distinct on*
*w::bool*
*::double::decimal(*
*::tinyint*
*make_date*
*round(*::double*
*round(f,*
*list(*
*array_agg(*
*unhex(*
"""
NOT_READ = """
*n::decimal(*
*upper('straße*
"""
"""What DuckDB reads in more ways, or otherwise: an error tells it, and nothing is guessed."""

QUERIES = spark_data.read_queries(spark_data.EVERYWHERE + spark_data.SPARK)


def is_listed(query, text):
    return any(fnmatchcase(query, pattern) for pattern in text.split("\n") if pattern)


@pytest.fixture(scope="module")
def sessions(live_postgres, tmp_path_factory):
    """Return sessions of DuckDB and PostgreSQL with the same rows; nested ones are not carried."""
    scratch = tmp_path_factory.mktemp("scratch")
    engine = registry.load_engine("postgres")
    with (
        registry.load_local_engine().open(PlaceSpec("local"), scratch) as local,
        engine.attach(live_postgres.address(), scratch) as session,
    ):
        for name, table in spark_data.TABLES.items():
            plain = table.drop_columns(
                [each for each in ("st", "li") if each in table.schema.names]
            )
            local.bind(name, plain)
            session.bind(name, plain)
        yield session, local


@pytest.mark.parametrize("query", QUERIES)
def test_query_means_what_it_means_in_duckdb(sessions, query):
    session, local = sessions
    if is_listed(query, NOT_CARRIED):
        found = find_error(session, query)
        assert isinstance(found, UnsupportedError)
        assert found.hint
    elif is_listed(query, NOT_READ):
        assert isinstance(find_error(session, query), SqlError)
    elif " st" in query or " li" in query:
        assert type(find_error(session, query)) is type(find_error(local, query))
    else:
        expect_same(session, local, query)


NOT_DELEGATED = """
select tm + interval 1 hour from t
select exp(f) from t
select hash(i) from t
select try_cast(s as utinyint) from t
select regexp_replace(s, 'a*', '-') from t
select date_diff('week', day, day) from t
select f::varchar from t
select s like g from t
select i from t where r in (0.1, 2)
"""
"""What Spark's workers compute with DuckDB."""


@pytest.mark.parametrize("query", spark_data.read_queries(spark_data.REFUSED + NOT_DELEGATED))
def test_query_is_refused(sessions, query):
    session, local = sessions
    if find_error(local, query) is None:
        assert find_error(session, query) is not None


@pytest.mark.parametrize(
    "query",
    [
        "select nextval('s') from t",
        "select pg_sleep(1) from t",
        "select pg_terminate_backend(1) from t",
        "select pg_read_file('/etc/passwd') from t",
        "select lo_import('/etc/passwd') from t",
        "select set_config('transaction_read_only', 'off', false) from t",
        "select * from dblink('x', 'select 1')",
        "select s ~ 'a' from t",
        "select regexp_matches(s, g) from t",
        "select regexp_matches(s, '\\p{Greek}') from t",
    ],
)
def test_what_is_not_known_never_reaches_the_database(sessions, query):
    assert isinstance(find_error(sessions[0], query), SqlError | UnsupportedError)
