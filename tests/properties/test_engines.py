"""Whatever a table holds, each engine gives the rows and types that this process gives.

Always the same examples, so that what passed on one machine passes on another;
``--hypothesis-profile explore`` draws others, and more of them.
"""

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import segue
from segue.errors import SegueError
from segue.testing.engines.compare import expect_table
from tests.properties.drawing import KEY, KEYS, ROW, pick_rows, picks, queries, tables

pytestmark = pytest.mark.timeout(300)
EXPLORING = settings.get_current_profile_name() == "explore"
ENGINES = [
    pytest.param("duckdb"),
    pytest.param("spark", marks=pytest.mark.xdist_group("spark")),
    pytest.param("ray", marks=pytest.mark.xdist_group("ray")),
    pytest.param("dask", marks=pytest.mark.xdist_group("dask")),
]
EVERYWHERE = settings(
    max_examples=200 if EXPLORING else 12,
    derandomize=not EXPLORING,
    phases=list(Phase) if EXPLORING else (Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(params=ENGINES)
def on(request):
    return request.getfixturevalue(f"live_{request.param}")


def make_pandas(kind, count):
    import pandas as pd

    def pick(group: pd.DataFrame) -> pd.DataFrame:
        return group.iloc[pick_rows(len(group), kind, count)].assign(size=len(group))

    return pick


def make_polars(kind, count):
    import polars as pl

    def pick(group: pl.DataFrame) -> pl.DataFrame:
        rows = pick_rows(len(group), kind, count)
        return group[rows].with_columns(size=pl.lit(len(group), pl.Int64))

    return pick


def make_arrow(kind, count):
    def pick(group: pa.Table) -> pa.Table:
        rows = pa.array(pick_rows(group.num_rows, kind, count), pa.int64())
        sizes = pa.array([group.num_rows] * len(rows), pa.int64())
        return group.take(rows).append_column("size", sizes)

    return pick


def compare(call, on):
    """Demand the same from an engine as from this process: rows and types, or an error."""
    try:
        expected = call(None)
    except SegueError:
        with pytest.raises(SegueError):
            call(on)
        return
    expect_table(call(on), expected)


@EVERYWHERE
@given(
    table=tables(),
    pick=picks(),
    make=st.sampled_from([make_pandas, make_polars, make_arrow]),
    sort=st.sampled_from([ROW, f"-{ROW}"]),
    grouped=st.booleans(),
)
def test_function_gives_the_same_everywhere(on, table, pick, make, sort, grouped):
    by = KEY if grouped else None
    assume("size" not in table.column_names)

    def call(where):
        schema = "*, size: int64"
        return segue.transform(table, make(*pick), by=by, sort=sort, schema=schema, on=where)

    compare(call, on)


@EVERYWHERE
@given(data=st.data())
def test_cogroups_are_the_same_everywhere(on, data):
    key = data.draw(st.sampled_from(KEYS))
    first, second = data.draw(tables(key)), data.draw(tables(key))
    how = data.draw(st.sampled_from(["inner", "left", "right", "full"]))

    def meet(one: pa.Table, other: pa.Table) -> pa.Table:
        filled = one if one.num_rows else other
        sizes = f"{one[ROW].to_pylist()}/{other[ROW].to_pylist()}"
        return filled.select([KEY]).slice(0, 1).append_column("sizes", pa.array([sizes]))

    def call(where):
        schema = pa.schema([first.schema.field(KEY), ("sizes", pa.string())])
        return segue.transform(
            (first, second), meet, by=KEY, sort=ROW, how=how, schema=schema, on=where
        )

    compare(call, on)


@EVERYWHERE
@given(data=st.data())
def test_query_gives_the_same_everywhere(on, data):
    table = data.draw(tables())
    other = table.slice(0, data.draw(st.integers(0, table.num_rows)))
    query = data.draw(queries(table))
    compare(lambda where: segue.query(query, t=table, u=other, on=where), on)
