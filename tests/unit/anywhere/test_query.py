import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import segue
from segue.errors import SqlError, UsageError

BIG = 2**53 + 1
ORDERS = pa.table({"Store": [1, 2, 1, None], "amount": [BIG, None, 1, 2]})


def test_sums_of_integers_are_integers():
    made = segue.query("select sum(amount) as total, 1 / 2 as half from orders", orders=ORDERS)
    assert made.schema == pa.schema([("total", pa.int64()), ("half", pa.float64())])
    assert made.to_pylist() == [{"total": BIG + 3, "half": 0.5}]


def test_frames_of_several_kinds():
    made = segue.query(
        "select * from a join b using (k) join c using (k) join d using (k)",
        a=pd.DataFrame({"k": [1, 2]}),
        b=pl.DataFrame({"k": [2, 1], "x": ["a", "b"]}),
        c=[{"k": 2, "y": None}],
        d=duckdb.connect().sql("select 2 as k, 3.5::double as z"),
    )
    assert isinstance(made, pd.DataFrame)
    assert made.to_dict("records")[0] | {"y": None} == {"k": 2, "x": "a", "y": None, "z": 3.5}


def test_paths_and_no_frame_at_all(parquet):
    assert segue.query("select count(*) as n from t", t=parquet(ORDERS)).to_pylist() == [{"n": 4}]
    assert segue.query("select 1 as a", returns="rows") == [{"a": 1}]


def test_names_keep_their_case_and_may_be_odd():
    made = segue.query(
        "select Store as \"x y\", '`' as t from `or ders` order by 1 limit 1", **{"or ders": ORDERS}
    )
    assert made.to_pylist() == [{"x y": 1, "t": "`"}]
    assert segue.query("select * from o", o=ORDERS).column_names == ["Store", "amount"]


def test_names_that_differ_by_case_only_are_refused():
    with pytest.raises(SqlError, match="columns 'a' and 'A', which SQL can't tell apart"):
        segue.query("select 1 from t", t=pa.table({"a": [1], "A": [2]}))


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("select * from ordes", "there is no table called 'ordes'", "orders"),
        ("select\n amout from orders", "line 2 of the query: there is no column", "amount"),
        ("select 1; select 2", "this is not one SELECT", "single SELECT"),
        ("drop table orders", "this is not one SELECT", "single SELECT"),
        ("select sum(9223372036854775807) from orders", "", ""),
    ],
)
def test_mistakes_are_told(sql, message, hint):
    with pytest.raises(SqlError) as raised:
        segue.query(sql, orders=ORDERS)
    assert message in str(raised.value)
    assert hint in raised.value.hint


def test_what_is_no_data():
    with pytest.raises(UsageError, match="t is of type int, which is no data"):
        segue.query("select 1", t=1)
    with pytest.raises(UsageError, match="sql is of type int"):
        segue.query(1)
    with pytest.raises(UsageError, match="can't be returned as 'pandsa'") as raised:
        segue.query("select 1", returns="pandsa")
    assert raised.value.hint == "did you mean 'pandas'?"


def test_names_of_one_call_are_gone_in_the_next():
    segue.query("select 1 from t", t=ORDERS)
    with pytest.raises(SqlError, match="there is no table called 't'"):
        segue.query("select 1 from t")
