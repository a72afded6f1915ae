"""Metrics of one column: what they measure, and what bounds make of it."""

from dataclasses import replace

import pytest

from segue.judge.measure import measure_table
from segue.registry import load_check
from segue.spec.contract import Slice, Verdict
from tests.unit.judge.judging import make_check, make_contract

INF = float("inf")


def bind(session, type_, values):
    rows = (f"select cast({text} as {type_}) as x" for text in values)
    empty = f"select cast(null as {type_}) as x where false"
    session.bind("orders", " union all ".join([*rows, empty]))


def measure(session, *checks, **rest):
    contract = make_contract(*checks, **rest)
    schema = session.describe("select * from orders")
    return measure_table(session, "orders", contract, schema).measurements


def measure_one(session, kind, value):
    (found,) = measure(session, make_check(kind, value, ["x"]))
    return found


MEASURED = [
    ("sum", "bigint", ["9223372036854775807", "1", "null"], "9223372036854775808"),
    ("sum", "ubigint", ["18446744073709551615", "1"], "18446744073709551616"),
    ("sum", "tinyint", ["100", "100"], 200),
    ("sum", "decimal(18,2)", ["0.10", "0.20"], "0.30"),
    ("sum", "double", ["0.25", "null"], 0.25),
    ("mean", "bigint", ["1", "2", "null"], "1.5"),
    ("mean", "bigint", ["9223372036854775807", "9223372036854775805"], "9223372036854775806"),
    ("mean", "decimal(4,2)", ["0.10", "0.20"], "0.15"),
    ("mean", "double", ["1", "2"], 1.5),
    ("stddev", "bigint", ["1", "3"], 2**0.5),
    ("stddev", "decimal(9,2)", ["1", "3", "null"], 2**0.5),
    ("min", "bigint", ["3", "-2", "null"], -2),
    ("min", "float", ["0.1", "0.2"], 0.1),
    ("max", "float", ["0.1", "0.2"], 0.2),
    ("max", "decimal(20,2)", ["100000000000000000.01"], "100000000000000000.01"),
    ("max", "varchar", ["'a'", "'b'"], "b"),
    ("max", "enum('z', 'a')", ["'z'", "'a'"], "z"),
    ("min", "date", ["'2026-01-31'", "'2026-02-01'"], "2026-01-31"),
    ("max", "timestamp", ["'2026-01-31 10:00'"], "2026-01-31T10:00:00"),
    ("max", "timestamptz", ["'2026-01-31 10:00+02'"], "2026-01-31T08:00:00Z"),
    ("max", "timestamp_ns", ["'2026-01-31 10:00'"], "2026-01-31T10:00:00"),
    ("max", "time", ["'10:00'", "'09:00'"], "10:00"),
    ("median", "bigint", ["1", "2", "3", "4", "null"], 2.5),
    ("median", "decimal(18,2)", ["0.01", "0.02"], "0.015"),
    ("median", "date", ["'2026-01-01'", "'2026-01-03'"], "2026-01-02"),
    ("distinct", "varchar", ["'a'", "'a'", "'A'", "null"], 2),
    ("distinct", "double", ["'nan'", "'nan'", "0.0", "'-0.0'"], 2),
    ("distinct", "bigint", [], 0),
    ("nulls", "bigint", ["1", "null"], 1),
    ("nulls", "bigint", ["1", "null"], "50%"),
    ("nulls", "double", ["'nan'"], 0),
    ("nulls", "bigint", [], 0),
    ("completeness", "bigint", ["1", "null", "2", "3"], "75%"),
]


@pytest.mark.parametrize(("kind", "type_", "values", "value"), MEASURED)
def test_measures(session, kind, type_, values, value):
    bind(session, type_, values)

    found = measure_one(session, kind, value)

    assert found.verdict is Verdict.PASS, found.message
    assert found.sql.startswith("select ")


UNDEFINED = [
    *((kind, "bigint", []) for kind in ("sum", "mean", "min", "max", "median", "stddev")),
    *((kind, "double", ["null"]) for kind in ("sum", "mean", "min", "max", "median")),
    ("stddev", "double", ["1"]),
    ("completeness", "bigint", []),
]


@pytest.mark.parametrize(("kind", "type_", "values"), UNDEFINED)
def test_undefined_is_an_error(session, kind, type_, values):
    bind(session, type_, values)

    found = measure_one(session, kind, {"min": "0%" if kind == "completeness" else 0})

    assert (found.verdict, found.value) == (Verdict.ERROR, None)


def test_share_of_no_rows_is_an_error(session):
    bind(session, "bigint", [])

    assert measure_one(session, "nulls", {"max": "5%"}).verdict is Verdict.ERROR


@pytest.mark.parametrize("kind", ["sum", "mean", "min", "max", "median", "stddev", "quantile"])
@pytest.mark.parametrize("type_", ["double", "float"])
def test_nan_breaks_any_bounds(session, kind, type_):
    bind(session, type_, ["1", "2", "3", "4", "'nan'"])

    found = measure_one(session, kind, {"max": INF} | ({"at": 0.5} if kind == "quantile" else {}))

    assert (found.verdict, found.value) == (Verdict.FAIL, None)
    assert "is NaN" in found.message


QUANTILES = [
    (0.95, ["0", "100"], 95),
    ("95%", ["0", "100"], 95),
    (0, ["0", "100"], 0),
    (1, ["0", "100", "null"], 100),
    ("0.5", ["7"], 7),
]


@pytest.mark.parametrize(("place", "values", "value"), QUANTILES)
@pytest.mark.parametrize("type_", ["bigint", "double", "decimal(9,1)", "decimal(38,3)"])
def test_quantile(session, place, values, value, type_):
    bind(session, type_, values)

    assert measure_one(session, "quantile", {"at": place, "equals": value}).verdict == "pass"


def test_moments_beyond_the_years_of_python(session):
    bind(session, "timestamp", ["'infinity'", "'2026-01-31'"])

    found = measure(
        session,
        make_check("max", {"max": "2026-12-31"}, ["x"]),
        make_check("min", {"min": "2026-01-31"}, ["x"]),
        make_check("nulls", 0, ["x"]),
    )

    assert [str(each.verdict) for each in found] == ["fail", "pass", "pass"]


MISMATCHES = [
    ("sum", "varchar", 0, "column 'x' is string: sum is of numbers"),
    ("mean", "date", 0, "column 'x' is date: mean is of numbers"),
    ("max", "boolean", 0, "max is of values with an order"),
    ("max", "integer[]", 0, "max is of values with an order"),
    ("max", "bigint", "2026-01-31", "'2026-01-31' is not a number"),
    ("min", "date", 5, "is not a date"),
    ("min", "varchar", 5, "put it in quotes"),
    ("median", "varchar", "a", "median is of numbers and dates"),
]


@pytest.mark.parametrize(("kind", "type_", "value", "message"), MISMATCHES)
def test_what_makes_no_sense_of_a_type_is_an_error(session, kind, type_, value, message):
    bind(session, type_, ["null"])

    found = measure_one(session, kind, value)

    assert found.verdict is Verdict.ERROR
    assert message in found.message


WRONG = [
    ("sum", "a lot", "expected a number"),
    ("mean", {"max": "5%"}, "a share"),
    ("stddev", True, "True"),
    ("distinct", {"min": "90%"}, "a share"),
    ("quantile", {"max": 5}, "expected {at: 0.95"),
    ("quantile", {"at": 5, "max": 5}, "between 0 and 1 as `at`"),
    ("quantile", {"at": "five", "max": 5}, "between 0 and 1 as `at`"),
    ("nulls", {"max": 0.05}, "a share such as 5%, found 0.05"),
    ("nulls", {"min": 1, "max": "5%"}, "different kinds"),
    ("nulls", {"max": -1}, "a number of rows"),
    ("completeness", {"min": 0.99}, "a share such as 99%"),
]


@pytest.mark.parametrize(("kind", "value", "message"), WRONG)
def test_refuses(kind, value, message):
    with pytest.raises(ValueError, match=message):
        load_check(kind).read(value)


MESSAGES = [
    ("sum", {"max": 5}, "sum(x) is 1,234.5, expected at most 5"),
    ("sum", {"min": 5}, "sum(x) is 1,234.5, as expected"),
    ("distinct", [2, 3], "x has 1 different value, expected between 2 and 3"),
    ("nulls", {"max": "10%"}, "x has 1 null of 2 rows, 50%, expected at most 10%"),
    ("completeness", {"min": "99%"}, "x is 50% complete, 1 of 2 rows have none, expected at least"),
    ("quantile", {"at": 0.9, "max": 1}, "quantile(x, 0.9) is 1,234.5, expected at most 1"),
]


@pytest.mark.parametrize(("kind", "value", "message"), MESSAGES)
def test_messages(session, kind, value, message):
    bind(session, "double", ["1234.5", "null"])

    assert measure_one(session, kind, value).message.startswith(message)


def test_values_of_sensitive_columns_are_not_told(session):
    bind(session, "bigint", ["7654321"])
    kinds = {"min": 0, "max": 0, "median": 0, "quantile": {"at": 0.5, "max": 0}}
    checks = [replace(make_check(*each, ["x"]), sensitive=True) for each in kinds.items()]

    for found in measure(session, *checks, sensitive=("x",)):
        assert (found.verdict, found.value) == (Verdict.FAIL, None)
        assert "7" not in found.message.replace("quantile(x, 0.5)", "")


def test_without_bounds_a_value_is_kept_for_its_history(session):
    bind(session, "bigint", ["3", "null"])

    found = [measure_one(session, kind, {}) for kind in ("sum", "nulls", "completeness")]

    assert [(each.verdict, each.value) for each in found] == [
        (Verdict.PASS, 3),
        (Verdict.PASS, 0.5),
        (Verdict.PASS, 0.5),
    ]


def test_cheap_metrics_of_a_table_share_one_query(session):
    bind(session, "double", ["1", "2"])
    kinds = ("sum", "mean", "stddev", "min", "max", "nulls")

    found = measure(session, *(make_check(kind, {"max": 10}, ["x"]) for kind in kinds))

    assert {each.verdict for each in found} == {Verdict.PASS}
    assert len(session.queries) == 1


def test_where_needs_no_scan_of_its_own(session):
    session.bind("orders", "from (values (1, 1), (2, null), (9, 3), (1, 5)) t(odd, x)")
    odd = Slice(where="odd = 1 -- only")
    values = {"sum": 6, "mean": 3, "min": 1, "max": 5, "distinct": 2, "nulls": 0, "median": 3}
    checks = [replace(make_check(*each, ["x"]), slice=odd) for each in values.items()]
    more = [
        replace(make_check("completeness", "100%", ["x"]), slice=odd),
        replace(make_check("rows", 2), slice=odd),
        replace(make_check("stddev", [2.8, 2.9], ["x"]), slice=odd),
        make_check("sum", 9, ["x"]),
    ]

    found = measure(session, *checks, *more)

    assert {each.message for each in found if each.verdict is not Verdict.PASS} == set()
    assert {each.rows for each in found[:-1]} == {2}
    own = [query for query in session.queries if "__slice" in query]
    assert len(session.queries) - len(own) == 1
    assert len(own) == 1  # the median's
    none = replace(checks[0], slice=Slice(where="odd > 99"))
    assert [str(each.verdict) for each in measure(session, none)] == ["error"]


def test_by_judges_each_segment(session):
    session.bind("orders", "from (values ('n', 1), ('n', 2), ('s', 30), ('w', null)) t(store, x)")
    by = Slice(by=("store",))
    checks = (
        replace(make_check(kind, {"max": 9}, ["x"]), slice=by)
        for kind in ("sum", "mean", "max", "median", "distinct", "nulls")
    )

    found = {each.kind: each for each in measure(session, *checks)}

    told = {
        kind: {each.key["store"]: str(each.verdict) for each in measured.segments}
        for kind, measured in found.items()
    }
    both = {"w": "error", "s": "fail"}
    assert told == {
        "sum": both,
        "mean": both,
        "max": both,
        "median": both,
        "distinct": {},
        "nulls": {},
    }
    assert "store = 's': sum(x) is 30, expected at most 9" in found["sum"].message


def test_where_and_sample_choose_the_rows(session):
    session.bind("orders", "select i % 2 as odd, i as x from range(10000) t(i)")
    odd = replace(make_check("sum", 25_000_000, ["x"]), slice=Slice(where="odd = 1"))
    some = replace(make_check("distinct", [1, 9_000], ["x"]), slice=Slice(sample=0.1))

    found = measure(session, odd, some)

    assert [str(each.verdict) for each in found] == ["pass", "pass"]
    assert found[0].rows == 5_000
