"""Every mistake is told in one sentence, with the next move."""

from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pytest

import segue
from segue.errors import SourceError, UnknownNameError, UsageError

DATA = pa.table({"store": [1], "day": [1], "tags": [["a"]]})
OTHER = pa.table({"store": ["1"]})


def plain(table):
    return table


def two(left, right):
    return left


def needy(table, factor):
    return table


def odd(table: int) -> pa.Table:
    return table


def odd_result(table: pa.Table) -> int:
    return 1


async def slow(table):
    return table


def calls(table, tell: Callable):
    return table


CASES = [
    ((DATA, plain), {"by": "stor"}, "by='stor': data has no such column", "'store'"),
    ((DATA, plain), {"by": ["store", "store"]}, "by names 'store' twice", "leave one"),
    ((DATA, plain), {"by": 3}, "by=3 is no name of a column", "by="),
    ((DATA, plain), {"by": "store", "sort": "-dya"}, "sort='dya': data has no such", "'day'"),
    ((DATA, plain), {"sort": "tags"}, "a column of list<string> has no order", "plain"),
    (((DATA, OTHER), two), {"by": "store"}, "is int64 in data 1, string in data 2", "one type"),
    (((DATA, DATA), two), {"by": "store", "how": "iner"}, "no how='iner'", "'inner'"),
    (((DATA, DATA), two), {"by": "store", "how": "cross"}, "takes all rows", "leave `by` out"),
    (((DATA, DATA), plain), {}, "takes 1 frame, and 2 are given", "that many"),
    ((DATA, needy), {}, "needs a value for 'factor'", "params="),
    ((DATA, needy), {"params": {"factr": 1, "factor": 1}}, "no parameter 'factr'", "'factor'"),
    ((DATA, odd), {}, "asks for 'table' as int", "pandas.DataFrame"),
    ((DATA, odd_result), {}, "announces to return int", "pandas.DataFrame"),
    ((DATA, slow), {}, "is async", "not async"),
    ((DATA, calls), {}, "takes a callback, 'tell'", "listen="),
    ((DATA, plain), {"listen": print}, "takes no callback", "Callable"),
    ((DATA, calls), {"listen": 1}, "listen is of type int", ""),
    ((DATA, 3), {}, "fn is of type int, and can't be called", "package.module"),
    ((3, plain), {}, "data is of type int, which is no data", "pandas.DataFrame"),
    (([1], plain), {}, "a row is of type int, not a dict", ""),
    ((iter([1]), plain), {}, "an iterator of int", "frames"),
    (((), plain), {}, "there is no data", "give a frame"),
    ((DATA, plain), {"schema": "a int"}, "schema='a int' can't be read", ""),
    ((DATA, plain), {"schema": "*, day: string"}, "column 'day' comes twice", ""),
    ((DATA, plain), {"schema": 3}, "schema is of type int", "name: type"),
    ((DATA, plain), {"skip": "ValueError"}, "skip names str, which is no exception", "skip="),
    ((DATA, plain), {"skip": 3}, "skip names int, which is no exception", "skip="),
    ((DATA, plain), {"returns": "panda"}, "can't be returned as 'panda'", "'pandas'"),
    ((DATA, plain), {"returns": dict}, "can't be returned as dict", "pandas"),
    ((DATA, plain), {"split": "row:3"}, "split='row:3' can't be understood", "rows:100000"),
    ((DATA, plain), {"split": 0}, "split=0 can't be understood", "split=8"),
    ((DATA, plain), {"by": "store", "split": "rows:3"}, "would tear groups apart", "leave"),
    (((DATA, DATA), two), {"split": 3}, "can't be split", "key"),
    ((DATA, plain), {"on": 3}, "on is of type int, which is no engine", "name of an engine"),
]


@pytest.mark.parametrize(("given", "options", "message", "hint"), CASES)
def test_mistake(given, options, message, hint):
    with pytest.raises(UsageError) as raised:
        segue.transform(*given, **options)
    assert message in raised.value.message
    assert hint in raised.value.hint


def test_engines_that_are_not_there():
    with pytest.raises(UnknownNameError, match="there is no engine called 'duckbd'") as raised:
        segue.transform(DATA, plain, on="duckbd")
    assert raised.value.hint == "did you mean 'duckdb'?"
    with pytest.raises(UnknownNameError, match="no engine is reached by 'ftp://x'") as raised:
        segue.transform(DATA, plain, on="ftp://x")
    assert "ray://" in raised.value.hint


def test_paths_that_are_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text("a\n1\n")
    with pytest.raises(SourceError, match="there is no file") as raised:
        segue.transform("ordrs.csv", plain)
    assert "orders.csv" in raised.value.hint
    with pytest.raises(UsageError, match="does not tell its format") as raised:
        segue.transform("orders", plain)
    assert "parquet" in raised.value.hint


def test_errors_of_functions_have_no_traceback_of_ours():
    def fail(frame: pd.DataFrame) -> pd.DataFrame:
        return frame["nothing"]

    with pytest.raises(segue.SegueError) as raised:
        segue.transform(DATA, fail)
    lines = raised.value.trace.splitlines()
    assert [line.split(":")[0].strip() for line in lines[:-1:2]] == [
        "tests/unit/anywhere/test_mistakes.py"
    ]


@pytest.mark.parametrize("on", ["local", "duckdb"])
def test_live_frames_are_not_brought_here_in_silence(on):
    frames = pytest.importorskip("dask.dataframe")
    live = frames.from_pandas(pd.DataFrame({"a": [1]}), npartitions=1)

    with pytest.raises(UsageError, match="can't read a live frame of dask"):
        segue.query("select * from live", live=live, on=on)
