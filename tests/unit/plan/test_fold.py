"""Folded views mean what they meant one by one, and each is defined once."""

import duckdb
import pytest

from segue.plan.fold import MOST, fold_views


def rows(views, query):
    with duckdb.connect() as connection:
        connection.execute("create table raw as select range as n from range(4)")
        for name, text in views.items():
            connection.execute(f'create temp view "{name}" as {text}')
        relation = connection.sql(query)
        return relation.columns, list(map(str, relation.types)), relation.fetchall()


CASES = {
    "chain": (
        {
            "a": "select n from raw",
            "b": "select n + 1 as n from a",
            "c": "select n * 2 as n from b",
        },
        {"a": ["raw"], "b": ["a"], "c": ["b"]},
    ),
    "two branches": (
        {"a": "select 1 as n", "b": "select 2 as n", "c": "select * from a union all from b"},
        {"a": [], "b": [], "c": ["a", "b"]},
    ),
    "read by two": (
        {"a": "from raw", "b": "select n from a", "c": "select a.n + b.n as n from a, b"},
        {"a": ["raw"], "b": ["a"], "c": ["a", "b"]},
    ),
    "read twice by one": (
        {"a": "select n from raw where n > 1", "c": "select x.n, y.n from a x, a y"},
        {"a": ["raw"], "c": ["a"]},
    ),
    "a CTE of the reader's own with the view's name": (
        {"a": "select 5 as n", "c": "with a as (select n + 1 as n from a) select n from a"},
        {"a": [], "c": ["a"]},
    ),
    "another view's name for a CTE": (
        {
            "a": "select 5 as n",
            "b": "with a as (select 7 as n) select n from a",
            "c": "select a.n, b.n from a, b",
        },
        {"a": [], "b": [], "c": ["a", "b"]},
    ),
    "comments, order, repeated and odd columns": (
        {
            "a": 'select n, n, null as Null, [] as "l;)" from raw order by n desc limit 2 -- )',
            "c": "/* ( */ select * from a --",
        },
        {"a": ["raw"], "c": ["a"]},
    ),
    "recursion": (
        {
            "a": "select max(n) as top from raw",
            "c": "with recursive r as (select 1 as n union all"
            " select n + 1 from r, a where n < top) select n from r",
        },
        {"a": ["raw"], "c": ["a"]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_rows_and_columns(case):
    views, reads = CASES[case]
    folded = fold_views(views, reads, ["c"])
    assert len(folded) < len(views)
    assert rows(folded, "from c") == rows(views, "from c")


def test_a_view_that_others_read_keeps_its_name():
    views, reads = CASES["chain"]
    assert list(fold_views(views, reads, ["a", "c"])) == ["a", "c"]
    assert list(fold_views(*CASES["read by two"], ["c"])) == ["a", "c"]
    assert fold_views(views, reads, views) == views


def test_a_view_that_is_read_twice_is_computed_twice_as_before():
    views = {"a": "select random() as n", "c": "select x.n = y.n as same from a x, a y"}
    assert rows(fold_views(views, {"a": [], "c": ["a"]}, ["c"]), "from c")[2] == [(False,)]


def test_long_chains_are_cut():
    views = {f"v{i}": f"select n + 1 as n from v{i - 1}" for i in range(1, 100)}
    views = {"v0": "select 0 as n", **views}
    reads = {name: [f"v{i - 1}"] if i else [] for i, name in enumerate(views)}
    folded = fold_views(views, reads, ["v99"])
    assert len(folded) == 100 // MOST
    assert max(text.count(" as not materialized (") for text in folded.values()) == MOST - 1
    assert rows(folded, "from v99")[2] == [(99,)]
