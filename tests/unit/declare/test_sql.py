"""SQL steps: what they read, what they say, and every way in which they can be wrong."""

import time

import pytest

from segue.declare.problems import Problems
from segue.declare.sql import read_query, read_sql_step
from segue.errors import Location, SqlError
from segue.spec.step import Mode


def read(text):
    problems = Problems()
    step = read_sql_step("s", text, "steps/s.sql", problems)
    problems.check()
    return step


def refuse(text):
    problems = Problems()
    read_sql_step("s", text, "steps/s.sql", problems)
    (problem,) = problems.sorted()
    return problem


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("select 1", ()),
        ("values (1, 2)", ()),
        ("from a", ("a",)),
        ("from a select x", ("a",)),
        ("(select * from a)", ("a",)),
        ("select * from b, a, b as again", ("b", "a")),
        ("select * from a join (b join c using (k)) using (k)", ("a", "b", "c")),
        ("select * from a union all (from b except from c)", ("a", "b", "c")),
        ("with x as (from a) from x", ("a",)),
        ("with X as (from a) from x", ("a",)),
        ("with a as (from a) from a", ("a",)),
        ("with a as (select 1), b as (from a) from b join c using (k)", ("c",)),
        ("with b as (from a), a as (select 1) from b", ("a",)),
        ("with recursive r as (select 1 union all from r) from r", ()),
        ("with r as (from r) from r", ("r",)),
        ("select * from (with x as (from a) from x) join x using (k)", ("a", "x")),
        ("with x as (select 1) select (with x as (from a) select max(k) from x), * from x", ("a",)),
        ("select (select max(k) from a) as m, exists (from b) from c", ("a", "b", "c")),
        ("select * from a where k in (from b)", ("a", "b")),
        ("select * from a, lateral (select * from b where b.k = a.k)", ("a", "b")),
        ("select * from range(3), generate_series(1, 2), unnest([1]) u", ()),
        ("select unnest(l) from a", ("a",)),
        ("from (pivot a on k using sum(v))", ("a",)),
        ('select * from "Orders" o semi join "order lines" l using (k)', ("Orders", "order lines")),
        ("select * from a asof join b using (k) positional join c", ("a", "b", "c")),
        ("select * from a tablesample 10% -- from b", ("a",)),
        ("select 'from b' from a /* from c */", ("a",)),
    ],
)
def test_reads_tables_and_no_ctes(text, reads):
    assert read(text).reads == reads


def test_options_and_description_stand_above_the_select():
    step = read(
        "-- Revenue by day,\n-- net of tax.\n--\n-- More.\n"
        "-- segue: {mode: merge, key: [a, b], tags: x, on: far, retries: 2, timeout: 90s, "
        "memory: 2GB, schema: 'a: int64, b: string'}\n"
        "select a, b\nfrom t;\n-- the end"
    )
    assert (step.mode, step.key, step.tags, step.on) == (Mode.MERGE, ("a", "b"), ("x",), "far")
    limits = step.limits
    assert (limits.retries, limits.timeout, limits.memory) == (2, 90.0, 2_000_000_000)
    assert step.schema == "a: int64, b: string"
    assert step.about == "Revenue by day, net of tax."
    # an engine counts lines from the query's first: the step's location is that line
    assert step.sql == "select a, b\nfrom t"
    assert step.location == Location("steps/s.sql", 6)


@pytest.mark.parametrize(
    ("text", "code", "line", "message"),
    [
        ("", "sql-empty", 1, "no SELECT"),
        ("-- nothing\n;\n", "sql-empty", 1, "no SELECT"),
        ("insert into t select 1", "sql-not-one-select", 1, "INSERT"),
        ("\ncreate table t as select 1", "sql-not-one-select", 2, "CREATE"),
        ("copy t to 'x'", "sql-not-one-select", 1, "COPY"),
        ("pragma x", "sql-not-one-select", 1, "PRAGMA"),
        ("explain select 1", "sql-not-one-select", 1, "EXPLAIN"),
        ("with x as (select 1)\ninsert into t from x", "sql-not-one-select", 1, "INSERT"),
        (
            "with x as (\ninsert into t values (1) returning *)\nselect * from x",
            "sql-not-one-select",
            2,
            "INSERT",
        ),
        ("select 1;\n\nselect 2", "sql-not-one-select", 3, "second statement"),
        ("select 1\ninto t", "sql-not-one-select", 2, "INTO"),
        ("select", "sql-syntax", 1, "no columns"),
        ("select a\nfrm b c d", "sql-syntax", 2, "does not parse near"),
        ("select (1", "sql-syntax", 1, "does not parse"),
        ("select 1,\n'abc", "sql-syntax", 2, "not closed"),
        ("select 'it''s', -- don't\n  /* open", "sql-syntax", 2, "not closed"),
        ("select $1", "sql-placeholder", 1, "placeholders"),
        ("select *\nfrom read_csv('x.csv')", "undeclared-source", 2, "read_csv()"),
        ("select *\nfrom parquet_scan('x')", "undeclared-source", 2, "parquet_scan()"),
        ("select *\nfrom 'data/x.csv'", "undeclared-source", 2, "data/x.csv"),
        ("select * from query('select 1')", "undeclared-source", 1, "query()"),
        ("select * from crm.orders", "qualified-table", 1, "crm.orders"),
    ],
)
def test_refuses_what_is_not_one_select_over_tables(text, code, line, message):
    problem = refuse(text)
    assert (problem.code, problem.location) == (code, Location("steps/s.sql", line))
    assert message in problem.message
    assert problem.hint or code == "sql-syntax"


def test_a_file_in_from_is_led_to_segue_toml():
    assert "[tables.<name>]" in refuse("from 'data/x.csv'").hint
    assert 'path = "data/x.csv"' in refuse("from 'data/x.csv'").hint


def test_deep_nests_end_in_an_error():
    deep = "(" * 3000
    assert refuse(f"select {deep}1{')' * 3000}").code == "sql-syntax"


def test_long_sums_and_unions_are_read():
    assert read(f"select {' + '.join(['a'] * 3000)} from t").reads == ("t",)
    assert read(" union all ".join(f"from t{n % 3}" for n in range(500))).reads == (
        "t0",
        "t1",
        "t2",
    )


@pytest.mark.parametrize(
    ("header", "code", "line", "message", "hint"),
    [
        ("-- segue: {mod: merge}", "unknown-option", 1, "'mod'", "did you mean 'mode'"),
        ("-- segue: {by: a}", "unknown-option", 1, "for SQL steps", ""),
        ("\n-- segue: {mode: [}", "bad-option", 2, "can't be read", "-- segue: {mode: merge"),
        ("-- segue: merge", "bad-option", 1, "can't be read", ""),
        ("-- segue: " + "[" * 100_000, "bad-option", 1, "can't be read", ""),
        ("-- segue: {mode: merg, key: a}", "bad-option", 1, "'merg'", ""),
        ("-- segue: {mode: merge}", "merge-without-key", 1, "needs a key", "key: [id]"),
        ("-- segue: {key: a}", "key-without-merge", 1, "mode replace", "mode: merge"),
        ("-- segue: {retries: -1}", "bad-option", 1, "whole number", ""),
        ("-- segue: {timeout: 5 weeks}", "bad-option", 1, "not a duration", ""),
        ("-- segue: {timeout: 0}", "bad-option", 1, "more than 0", ""),
        ("-- segue: {memory: lots}", "bad-option", 1, "not a size", ""),
        ("-- segue: {tags: [a, a]}", "bad-option", 1, "comes twice", ""),
        ("-- segue: {schema: 'a: int65'}", "bad-option", 1, "unknown type", ""),
        ("-- segue: {}\n-- segue: {}", "misplaced-option", 2, "second line", "one line"),
    ],
)
def test_refuses_options_that_make_no_sense(header, code, line, message, hint):
    problems = Problems()
    read_sql_step("s", f"{header}\nselect 1", "steps/s.sql", problems)
    problem = problems.sorted()[0]
    assert (problem.code, problem.location.line) == (code, line)
    assert message in problem.message
    assert hint in problem.hint


def test_options_below_the_select_are_not_lost_in_silence():
    problem = refuse("select 1\n-- segue: {mode: view}")
    assert (problem.code, problem.location.line) == ("misplaced-option", 2)


def test_read_query_says_what_is_wrong():
    assert read_query("from a join b using (k)") == ("from a join b using (k)", ("a", "b"))
    assert read_query("-- x\nselect 1; -- y") == ("\nselect 1", ())
    with pytest.raises(SqlError, match="INSERT is not a SELECT"):
        read_query("insert into a select 1")


def test_a_thousand_files_are_read_quickly():
    started = time.process_time()
    for number in range(1000):
        read(f"select n + 1 as n from s{number}")
    assert time.process_time() - started < 3  # about 0.15 s; only a change of kind fails this
