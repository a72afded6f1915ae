"""Columns that do not exist are found before anything runs, with file, line and nearest name."""

from dataclasses import replace

import pytest

from segue import registry
from segue.errors import Location
from segue.plan.bind import bind_steps, find_sources
from segue.plan.bound import name_binding
from segue.spec.contract import Check, Contract, Tolerance
from segue.spec.step import Fingerprint, Mode, PlaceSpec
from segue.spec.types import parse_schema
from tests.unit.plan.samples import (
    make_function,
    make_history,
    make_project,
    make_state,
    make_step,
    plan_of,
    publish,
)

RAW = parse_schema("id: int64, store: string, amount: decimal(18,2), paid_at: timestamp(us, UTC)")
KNOWN = {"raw": RAW}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("scratch")
    with registry.load_engine("duckdb").open(PlaceSpec("local", threads=1), scratch) as opened:
        yield opened


def query(name, sql, *reads, **fields):
    return make_step(name, *reads, sql=sql, **fields)


FITS = {}
"""Whether a plan fits, by its digest."""


def bind(session, *steps, known=KNOWN, history=None, **project):
    plan = plan_of(make_project(*steps, **project), history or make_history())
    problems = bind_steps(plan, session, known)
    fits = FITS.setdefault(name_binding(plan, known), not problems)
    assert fits is not bool(problems), "of two plans with one digest only one fits"
    return problems


def test_good_sql_has_no_problems(session):
    orders = query("orders", "select id, store, amount as total from raw", "raw")
    daily = query("daily", "select store, sum(total) as t from orders group by all", "orders")
    assert bind(session, orders, daily) == ()


def test_a_misspelled_column_is_found_in_the_users_line(session):
    sql = "-- Orders with an amount.\n-- segue: {tags: [web]}\nselect id,\n  amont\nfrom raw"
    (problem,) = bind(session, query("orders", sql, "raw"))
    assert problem.code == "sql-binds-not"
    assert problem.location == Location("steps/orders.sql", 4)
    assert problem.message == "there is no column called 'amont'"
    assert "'amount'" in problem.hint


def test_columns_of_earlier_steps_are_known_and_errors_do_not_spread(session):
    orders = query("orders", "select id, amount as total from raw", "raw")
    daily = query("daily", "select amount from orders", "orders")
    above = query("above", "select nothing from daily", "daily")
    problems = bind(session, orders, daily, above)
    assert [problem.location.path for problem in problems] == ["steps/daily.sql"]


def test_a_view_is_bound_where_it_stands_and_through_its_readers(session):
    view = query("recent", "select id, storre from raw", "raw", mode=Mode.VIEW)
    reader = query("daily", "select store from recent", "recent")
    assert [p.location.path for p in bind(session, view, reader)] == ["steps/recent.sql"]
    view = query("recent", "select id from raw", "raw", mode=Mode.VIEW)
    assert [p.location.path for p in bind(session, view, reader)] == ["steps/daily.sql"]


def view(name, sql, *reads, **fields):
    return query(name, sql, *reads, mode=Mode.VIEW, **fields)


def test_views_in_a_chain_are_told_one_by_one(session):
    first = view("first", "select id, store from raw", "raw")
    second = view("second", "select id,\n  storre\nfrom first", "first")
    third = view("third", "select id from second", "second")
    reader = query("total", "select count(*) as n from third", "third")
    (problem,) = bind(session, first, second, third, reader)
    assert problem.location == Location("steps/second.sql", 2)
    assert "'store'" in problem.hint
    good = replace(second, sql="select id, store from first")
    assert bind(session, first, good, third, reader) == ()
    (problem,) = bind(session, first, good, third, replace(reader, sql="select x\nfrom third"))
    assert problem.location == Location("steps/total.sql", 1)


def test_a_wrong_view_is_told_where_its_reader_has_to_wait(session):
    python = make_function("clean", "raw")
    wrong = view("wrong", "select nothing from raw", "raw")
    reader = view("both", "select * from wrong, clean", "wrong", "clean")
    total = query("total", "select * from both", "both")
    paths = [problem.location.path for problem in bind(session, python, wrong, reader, total)]
    assert paths == ["steps/wrong.sql"]
    right = replace(wrong, sql="select id from raw")
    assert bind(session, python, right, reader, total) == ()


def test_types_are_checked_too(session):
    (problem,) = bind(session, query("orders", "select store + paid_at from raw", "raw"))
    assert problem.location.path == "steps/orders.sql"
    assert "LINE" not in problem.message


def test_what_nobody_knows_is_left_to_the_run(session):
    python = make_function("clean", "raw")
    reader = query("daily", "select whatever from clean", "clean")
    assert bind(session, python, reader) == ()
    assert bind(session, query("orders", "select x from raw", "raw"), known={}) == ()


def test_a_declared_schema_stands_for_a_python_step(session):
    python = make_function("clean", "raw", schema="*, score: float64")
    good = query("daily", "select store, score from clean", "clean")
    assert bind(session, python, good) == ()
    bad = query("daily", "select scores from clean", "clean")
    assert len(bind(session, python, bad)) == 1


def test_a_python_step_at_rest_has_the_columns_that_it_published(session):
    python = make_function("clean", "raw")
    history = publish(plan_of(make_project(python), make_history()))
    reader = query("daily", "select scores from clean", "clean")
    known = {**KNOWN, "clean": parse_schema("score: float64")}
    assert len(bind(session, python, reader, known=known, history=history)) == 1
    changed = replace(python, fingerprint=Fingerprint("2"))
    # its next columns may be others
    assert bind(session, changed, reader, known=known, history=history) == ()


def test_options_that_name_no_column(session):
    python = make_function("forecast", "raw", by=("shop",), sort=("-paid_at", "day"))
    merge = query("stock", "select store from raw", "raw", mode=Mode.MERGE, key=("stor",))
    messages = [problem.message for problem in bind(session, python, merge)]
    assert messages == [
        "by of forecast names a column 'shop' that raw has not",
        "sort of forecast names a column 'day' that raw has not",
        "key of stock names a column 'stor' that stock has not",
    ]


def test_a_contract_of_a_column_that_is_not_made(session):
    where = Location("contracts.yml", 7)
    check = Check("amont required", "required", ("amont",), {}, Tolerance(0), None, where)
    contract = Contract("orders", where, (check, replace(check, kind="between")))
    orders = query("orders", "select amount from raw", "raw")
    (problem,) = bind(session, orders, contracts=[contract])
    assert problem.location == where
    assert problem.hint == "did you mean 'amount'?"


def test_sources_are_asked_for_only_where_they_are_needed():
    view = query("recent", "select * from raw", "raw", mode=Mode.VIEW)
    steps = (view, query("daily", "select 1 from recent", "recent"), make_function("f", "web"))
    project = make_project(*steps, sources=("raw", "web", "idle"))
    history = make_history(make_state("raw"), make_state("web"), make_state("idle"))
    plan = plan_of(project, history)
    assert find_sources(plan) == ("raw",)
    assert find_sources(plan_of(project, publish(plan))) == ()


def test_names_are_gone_afterwards(session):
    bind(session, query("orders", "select id from raw", "raw"))
    with session.fork() as fork, pytest.raises(Exception, match="raw"):
        fork.describe("select * from raw")


def test_lines_count_from_the_file_behind_its_header(session):
    orders = query("orders", "select id,\n  amont\nfrom raw", "raw")
    (problem,) = bind(session, replace(orders, location=Location("steps/orders.sql", 3)))
    assert problem.location == Location("steps/orders.sql", 4)
