"""Steps of both languages: every frame that a function can take and return, groups, settings."""

import pytest

from tests.flow.building import TOML, lines, source

NUMBERS = {
    "segue.toml": TOML + source("numbers", "numbers.csv"),
    "numbers.csv": lines("k,n,t", "a,1,x", "b,2,", ",3,z"),
}
ROWS = [("a", 1, "x"), ("b", 2, None), (None, 3, "z")]

IMPORTS = """\
from collections.abc import Iterator
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
from segue import step
"""


def py(body: str) -> str:
    return f"{IMPORTS}\n\n{body}"


FRAMES = [
    "pd.DataFrame",
    "pl.DataFrame",
    "pl.LazyFrame",
    "pa.Table",
    "duckdb.DuckDBPyRelation",
    "list[dict]",
    "Iterator[pa.RecordBatch]",
    "Iterator[pd.DataFrame]",
    "Iterator[pl.DataFrame]",
    "Iterator[pa.Table]",
    "Iterator[list[dict]]",
]


@pytest.mark.parametrize("frame", FRAMES)
def test_each_frame_carries_rows_and_types(make_project, frame):
    project = make_project(
        {
            **NUMBERS,
            "steps/a.py": py(
                f"@step\ndef same(numbers: {frame}) -> {frame}:\n    return numbers\n"
            ),
        }
    )
    assert project.run()["same"] == "done"
    assert project.rows("same") == ROWS
    assert project.columns("same") == {"k": "string", "n": "int64", "t": "string"}
    assert project.run() == {"same": "up to date"}


@pytest.mark.parametrize("frame", FRAMES)
def test_each_frame_may_be_empty_and_keeps_its_types(make_project, frame):
    project = make_project(
        {
            **NUMBERS,
            "steps/few.sql": "select * from numbers where n > 1",
            "steps/a.py": py(f"@step\ndef same(few: {frame}) -> {frame}:\n    return few\n"),
            "steps/last.sql": "select k, n + 1 as m, t from same",
        }
    )
    project.run()
    assert len(project.rows("last")) == 2
    project.edit("steps/few.sql", "n > 1", "n > 100")
    assert project.run() == {"numbers": "done", "few": "done", "same": "done", "last": "done"}
    assert project.rows("same") == project.rows("last") == []
    assert project.columns("same") == {"k": "string", "n": "int64", "t": "string"}


@pytest.mark.parametrize("frame", ["pd.DataFrame", "pl.DataFrame"])
def test_first_result_may_be_empty(make_project, frame):
    project = make_project(
        {
            **NUMBERS,
            "steps/few.sql": "select * from numbers where n > 100",
            "steps/a.py": py(f"@step\ndef same(few: {frame}) -> {frame}:\n    return few\n"),
        }
    )
    assert project.run()["same"] == "done"
    project.edit("steps/few.sql", "n > 100", "n > 1")
    assert project.run()["same"] == "done"
    assert project.columns("same") == {"k": "string", "n": "int64", "t": "string"}
    assert project.rows("same") == ROWS[1:]


def test_first_result_of_no_dictionaries_tells_no_columns(make_project):
    body = "@step\ndef none(numbers: list[dict]) -> list[dict]:\n    return []\n"
    project = make_project({**NUMBERS, "steps/a.py": py(body)})
    assert "schema=" in project.run_error()
    project.edit("steps/a.py", "@step\n", "@step(schema='n: int64')\n")
    assert project.run()["none"] == "done"
    assert project.columns("none") == {"n": "int64"}


def test_generator_makes_frames_of_one_table(make_project):
    body = """\
@step
def doubled(numbers: Iterator[pa.RecordBatch]) -> Iterator[pl.DataFrame]:
    for batch in numbers:
        for row in batch.to_pylist():
            yield pl.DataFrame({"n": [row["n"], row["n"] * 2]})
"""
    project = make_project({**NUMBERS, "steps/a.py": py(body)})
    project.run()
    assert [n for (n,) in project.rows("doubled")] == [1, 2, 2, 3, 4, 6]


def test_function_is_called_once_a_group_with_sorted_rows(make_project):
    body = """\
@step(by="k", sort="-n")
def largest(rows: pd.DataFrame, top: int = 1) -> pd.DataFrame:
    return rows.head(top).assign(seen=len(rows))
"""
    project = make_project(
        {
            "segue.toml": TOML + source("rows", "rows.csv"),
            "rows.csv": lines("k,n", "a,1", "a,9", "b,2", ",5", ",7"),
            "steps/a.py": py(body),
        }
    )
    project.run()
    assert project.rows("largest") == [("a", 9, 2), ("b", 2, 1), (None, 7, 2)]
    assert (
        project.plan(params={"largest.top": 2})["largest"] == "run: parameter changed: top 1 -> 2"
    )
    project.run(params={"largest.top": 2})
    assert len(project.rows("largest")) == 5
    assert project.recorded("largest")["parameters"] == {"top": 2}
    # The project's own value is 1: without -p the table is made with it again.
    assert project.to_do() == {"largest"}


@pytest.mark.parametrize(
    ("how", "seen"),
    [
        ("inner", [("b", 1, 1)]),
        ("left", [("a", 2, 0), ("b", 1, 1)]),
        ("right", [("b", 1, 1), ("c", 0, 1)]),
        ("full", [("a", 2, 0), ("b", 1, 1), ("c", 0, 1)]),
    ],
)
def test_co_groups_join_as_asked(make_project, how, seen):
    body = f"""\
@step(by="k", how="{how}")
def both(left: pa.Table, right: pl.DataFrame) -> list[dict]:
    key = left["k"][0].as_py() if left.num_rows else right["k"][0]
    return [{{"k": key, "l": left.num_rows, "r": right.height}}]
"""
    project = make_project(
        {
            "segue.toml": TOML + source("left", "l.csv") + source("right", "r.csv"),
            "l.csv": lines("k,n", "a,1", "a,2", "b,3"),
            "r.csv": lines("k,m", "b,1", "c,1"),
            "steps/a.py": py(body),
        }
    )
    project.run()
    assert project.rows("both") == seen


def test_settings_come_from_code_then_project_then_run(make_project):
    body = (
        "@step\ndef one(x: int = 1, y: str = 'd') -> list[dict]:\n    return [{'x': x, 'y': y}]\n"
    )
    project = make_project({"steps/a.py": py(body)})
    project.run()
    assert project.rows("one") == [(1, "d")]
    project.write({"segue.toml": TOML + "\n[params.one]\nx = 2\n"})
    assert project.plan()["one"] == "run: parameter changed: x 1 -> 2"
    project.run()
    assert project.rows("one") == [(2, "d")]
    project.run(params={"one.x": 3, "one.y": "e"})
    assert project.rows("one") == [(3, "e")]
    assert project.project.record()["parameters"] == {"one.x": 3, "one.y": "e"}


def test_declared_schema_is_what_comes_out(make_project):
    body = """\
@step(schema="*, share: float32, at: timestamp(us, UTC), tags: list<string>")
def more(numbers: list[dict]) -> list[dict]:
    return [{**row, "share": 1, "at": None, "tags": []} for row in numbers]
"""
    project = make_project({**NUMBERS, "steps/a.py": py(body)})
    project.run()
    assert project.columns("more") == {
        "k": "string",
        "n": "int64",
        "t": "string",
        "share": "float",
        "at": "timestamp[us, tz=UTC]",
        "tags": "list<item: string>",
    }


def test_result_against_its_declared_schema_is_refused_with_the_place(make_project):
    body = "@step(schema='n: int64')\ndef bad() -> list[dict]:\n    return [{'n': 'many'}]\n"
    project = make_project({"steps/a.py": py(body)})
    error = project.run_error()
    assert "'n'" in error
    assert "steps/a.py:" in error


def test_steps_from_factories_and_loops_differ_by_their_closures(make_project):
    body = """\
def make(name, factor):
    @step(name=name)
    def inner(numbers: pl.DataFrame) -> pl.DataFrame:
        return numbers.select(pl.col("n") * factor)

    return inner


for name, factor in {"twice": 2, "thrice": 3}.items():
    make(name, factor)
"""
    project = make_project({**NUMBERS, "steps/a.py": py(body)})
    project.run()
    assert project.rows("thrice") == [(3,), (6,), (9,)]
    project.edit("steps/a.py", '"thrice": 3', '"thrice": 4')
    assert project.to_do() == {"thrice"}
    assert "factor" in project.plan()["thrice"]
    project.run()
    assert project.rows("thrice") == [(4,), (8,), (12,)]


def test_steps_of_both_languages_feed_each_other(make_project):
    project = make_project(
        {
            **NUMBERS,
            "steps/a.sql": "select k, n * 2 as n from numbers",
            "steps/b.py": py(
                "@step\ndef b(a: pl.DataFrame) -> pd.DataFrame:\n"
                "    return a.filter(pl.col('n') > 2).to_pandas()\n"
            ),
            "steps/c.sql": "select b.n, numbers.t from b join numbers on b.n = numbers.n * 2",
            "steps/d.py": py(
                "@step\ndef d(b: list[dict], c: pa.Table) -> list[dict]:\n"
                "    return [{'b': len(b), 'c': c.num_rows}]\n"
            ),
        }
    )
    assert list(project.run()) == ["numbers", "a", "b", "c", "d"]
    assert project.rows("d") == [(2, 2)]
    lineage = {(edge.start, edge.end) for edge in project.project.lineage().edges}
    assert lineage == {
        ("numbers", "a"),
        ("a", "b"),
        ("b", "c"),
        ("numbers", "c"),
        ("b", "d"),
        ("c", "d"),
    }


def test_sql_options_stand_in_its_first_line(make_project):
    project = make_project(
        {
            **NUMBERS,
            "steps/a.sql": "-- Numbers, largest first.\n-- segue: {tags: [nightly]}\n"
            "select n from numbers order by n desc",
        }
    )
    assert project.to_do("tag:nightly") == {"a"}
    project.run()
    assert project.project.read("a", "rows") == [{"n": 3}, {"n": 2}, {"n": 1}]
