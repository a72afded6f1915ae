"""Skipped groups, callbacks, splits, import paths, paths of files."""

import os
import warnings
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest

import segue
from segue.anywhere.skips import SkippedGroupsWarning
from segue.errors import OutputError, StepCrashedError, UsageError

TABLE = pa.table({"k": [1, 2, 3, 4, None], "v": range(5)})


class Odd(Exception):  # noqa: N818 - the users' own
    pass


def refuse_even(frame: pd.DataFrame) -> pd.DataFrame:
    if frame["k"].isin([2, 4]).any():
        raise Odd(f"even: {frame['k'].iloc[0]}")
    return frame


@pytest.fixture(params=["here", "shared"])
def place(request):
    if request.param == "shared":
        request.getfixturevalue("shared")
    return request.param


def test_groups_can_be_left_out_and_are_reported(place):
    with pytest.warns(SkippedGroupsWarning, match="2 groups were left out") as caught:
        made = segue.transform(TABLE, refuse_even, by="k", skip=Odd)
    assert sorted(made["v"].to_pylist()) == [0, 2, 4]
    assert made.schema == TABLE.schema
    groups = sorted(caught[0].message.groups, key=str)
    assert [group.group for group in groups] == ["k=2", "k=4"]
    assert groups[0].reason.endswith("Odd: even: 2")
    assert caught[0].filename == __file__


def test_who_asks_hears_of_groups_that_are_left_out(place):
    heard = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        segue.transform(TABLE, refuse_even, by="k", skip=(KeyError, Odd), on_skip=heard.append)
    assert sorted(each.group for each in heard) == ["k=2", "k=4"]


def test_what_a_group_yielded_before_it_failed_is_left_out():
    def fail_late(rows: list[dict]) -> Iterator[list[dict]]:
        yield rows
        if rows[0]["k"] == 2:
            raise Odd

    made = segue.transform(TABLE, fail_late, by="k", skip=Odd, on_skip=lambda _: None)
    assert made["k"].to_pylist() == [1, 3, 4, None]


def test_other_exceptions_are_raised():
    with pytest.raises(segue.SegueError, match="Odd: even: 2"):
        segue.transform(TABLE, refuse_even, by="k", skip=ValueError)


def test_all_groups_left_out():
    def fail(rows: list[dict]) -> list[dict]:
        raise Odd

    made = segue.transform(TABLE, fail, by="k", skip=Odd, schema="*", on_skip=lambda _: None)
    assert (made.num_rows, made.schema) == (0, TABLE.schema)
    with pytest.raises(OutputError, match="nothing to tell columns by"):
        segue.transform(TABLE, fail, by="k", skip=Odd, on_skip=lambda _: None)


def tell_rows(rows: list[dict], tell: Callable) -> list[dict]:
    return [] if tell(rows[0]["k"], pid=os.getpid()) == "stop" else rows


def test_functions_call_back_and_are_answered(place):
    heard = {}

    def listen(key, pid):
        heard[key] = pid
        return "stop" if key in (1, None) else None

    made = segue.transform(TABLE, tell_rows, by="k", listen=listen, schema="*")
    assert sorted(made["k"].to_pylist()) == [2, 3, 4]
    assert heard.keys() == {1, 2, 3, 4, None}
    assert (os.getpid() in heard.values()) == (place == "here")


def test_what_a_listener_raises_ends_the_call(place):
    def listen(key, pid):
        raise Odd("enough")

    with pytest.raises(Odd, match="enough"):
        segue.transform(TABLE, tell_rows, by="k", listen=listen)


def test_a_callback_with_a_default_may_be_left_out():
    def function(rows: list[dict], tell: Callable | None = None) -> list[dict]:
        assert tell is None
        return rows

    assert segue.transform(TABLE, function).num_rows == 5


def give_size(table: pa.Table) -> pa.Table:
    return pa.table({"v": table["v"], "size": [len(table)] * len(table)})


@pytest.mark.parametrize("files", [False, True])
@pytest.mark.parametrize(
    ("split", "sizes"),
    [(1, [5]), (2, [3, 2]), ("even:3", [2, 2, 1]), ("rows:4", [4, 1]), (9, [1] * 5)],
)
def test_rows_without_keys_are_split(files, split, sizes, parquet):
    made = segue.transform(parquet(TABLE) if files else TABLE, give_size, split=split)
    assert made["v"].to_pylist() == list(range(5))
    assert made["size"].to_pylist() == [size for size in sizes for _ in range(size)]


def test_split_with_keys_is_a_hint(place):
    made = segue.transform(TABLE, give_size, by="k", split=3)
    assert sorted(made["v"].to_pylist()) == list(range(5))


def test_an_iterator_is_not_held():
    live = []

    def frames():
        for number in range(5):
            live.append(number)
            yield pa.table({"v": [number]})

    def pass_on(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        for table in tables:
            assert live[-1] == table["v"][0].as_py()
            yield table

    assert segue.transform(frames(), pass_on, returns="rows") == [{"v": n} for n in range(5)]
    live.clear()
    made = segue.transform(frames(), give_size, split="rows:2", returns="arrow")
    assert made["size"].to_pylist() == [2, 2, 2, 2, 1]


def test_functions_by_import_path():
    name = "tests.unit.anywhere.importable:count"
    assert segue.transform(TABLE, name, by="k", returns="rows")[0] == {"k": 1, "n": 1}
    for wrong, message in (
        ("nowhere.at.all:f", "there is no module 'nowhere'"),
        ("tests.unit.anywhere.importable:cuont", "there is no 'cuont' in it"),
        ("tests.unit.anywhere.importable", "does not tell a module and a function"),
    ):
        with pytest.raises(UsageError, match=message):
            segue.transform(TABLE, wrong)


def test_anything_that_can_be_called():
    class Adder:
        def __init__(self, n):
            self.n = n

        def __call__(self, rows: list[dict]) -> list[dict]:
            return [{"v": row["v"] + self.n} for row in rows]

        def twice(self, rows: list[dict]) -> list[dict]:
            return self(self(rows))

    def add(rows: list[dict], n: int) -> list[dict]:
        return [{"v": row["v"] + n} for row in rows]

    for function in (Adder(2), Adder(1).twice, partial(add, n=2)):
        assert segue.transform(TABLE, function)["v"].to_pylist() == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("kind", ["parquet", "csv", "arrow", "folder", "pattern"])
def test_paths(kind, tmp_path, parquet):
    table = TABLE.slice(0, 4)
    if kind == "csv":
        path = tmp_path / "data.csv"
        pyarrow.csv.write_csv(table, path)
    elif kind == "arrow":
        path = tmp_path / "data.arrow"
        with pa.ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    else:
        parquet(table[:2], "a")
        parquet(table[2:], "b")
        path = {"folder": tmp_path, "pattern": tmp_path / "*.parquet"}.get(kind)
        path = path or parquet(table)
    made = segue.transform(str(path), lambda table: table, by="k")
    assert made.to_pydict() == table.to_pydict()


def test_a_large_file_is_worked_on_group_by_group(parquet, monkeypatch):
    monkeypatch.setattr("segue.engines.duckdb.apply.LARGEST_HELD", 1)
    monkeypatch.setattr("segue.engines.duckdb.apply.count_cores", lambda: 1)
    path = parquet(TABLE)
    made = segue.transform(path, refuse_even, by="k", skip=Odd, on_skip=lambda _: None)
    assert sorted(made["v"].to_pylist()) == [0, 2, 4]


def test_a_worker_that_dies_is_told_and_others_come(shared):
    def die(rows: list[dict]) -> list[dict]:
        os._exit(7)

    with pytest.raises(StepCrashedError, match="a worker process died"):
        segue.transform(TABLE, die, by="k")
    assert segue.transform(TABLE, lambda table: table, by="k").num_rows == 5


def test_workers_know_the_users_own_modules(shared, tmp_path, monkeypatch):
    (tmp_path / "own_helper.py").write_text("def double(n):\n    return 2 * n\n")
    (tmp_path / "own_steps.py").write_text(
        "import own_helper\n\ndef work(rows: list[dict]) -> list[dict]:\n"
        "    return [{'v': own_helper.double(row['v'])} for row in rows]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    made = segue.transform(TABLE, "own_steps:work", by="k")
    assert sorted(made["v"].to_pylist()) == [0, 2, 4, 6, 8]
