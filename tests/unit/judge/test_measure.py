"""Which rows break which check, what a contract costs, and what can't be measured."""

import pyarrow as pa
import pytest

from segue.judge.measure import measure_table
from segue.judge.row_check import RowCheck
from segue.registry import load_check
from segue.spec.contract import Tolerance, Verdict
from tests.unit.judge.judging import make_check, make_contract

ROWS = "select * from orders"


def measure(session, *checks, **rest):
    contract = make_contract(*checks, **rest)
    return measure_table(session, "orders", contract, session.describe(ROWS))


def count_failing(session, type_, values, kind, value):
    """Return how many of some SQL values break a check of a column of a SQL type."""
    rows = (f"select cast({text} as {type_}) as x" for text in values)
    session.bind("orders", " union all ".join(rows))
    (found,) = measure(session, make_check(kind, value, ["x"])).measurements
    return found.message if found.verdict is Verdict.ERROR else found.failing


BETWEEN = [
    ("bigint", ["0", "5", "6", "null"], [0, 5], 1),
    ("bigint", ["100", "101"], [None, 100.5], 1),
    ("bigint", ["-1", "0"], ["-0.5", None], 1),
    ("bigint", ["9223372036854775807"], [0, "9223372036854775806.5"], 1),
    ("tinyint", ["127", "-128"], [-1000, 1000], 0),
    ("tinyint", ["127", "null"], [1000, None], 1),
    ("ubigint", ["18446744073709551615"], [0, 18446744073709551614], 1),
    ("decimal(20,2)", ["1.10", "1.11"], [None, "1.105"], 1),
    ("decimal(38,2)", ["1.10"], [0, "1e60"], 0),
    ("double", ["'nan'", "'inf'", "'-inf'", "0.1"], [0.1, None], 2),
    ("double", ["'inf'"], [None, float("inf")], 0),
    ("float", ["0.1", "0.2"], [0.1, 0.2], 0),
    ("date", ["'2024-01-31'", "'2024-02-01'"], [None, "2024-01-31"], 1),
    ("timestamp", ["'2024-01-31 00:00:01'"], [None, "2024-01-31"], 1),
    ("timestamptz", ["'2024-01-31 00:30:00+01'"], ["2024-01-31T00:00:00", None], 1),
    ("timestamptz", ["'2024-01-31 00:30:00+01'"], ["2024-01-30T23:30:00Z", None], 0),
    ("time", ["'10:00'", "'12:00'"], ["09:00", "11:00"], 1),
    ("varchar", ["'a'", "'b'", "''", "'é'"], ["a", "b"], 2),
    ("enum('z', 'a')", ["'z'", "'a'"], [None, "m"], 1),  # as words, not as positions
]


@pytest.mark.parametrize(("type_", "values", "bounds", "failing"), BETWEEN)
def test_between(session, type_, values, bounds, failing):
    assert count_failing(session, type_, values, "between", bounds) == failing


IN = [
    ("varchar", ["'new'", "'New'", "null", "'it''s'"], ["new", "it's"], 1),
    ("bigint", ["1", "2", "3"], [1, 2.0, "3", 0.5], 0),
    ("bigint", ["1"], [0.5], 1),
    ("decimal(10,2)", ["1.10", "1.11"], ["1.10", 1.105], 1),
    ("double", ["0.1", "'nan'"], [0.1], 1),
    ("boolean", ["true", "false"], [True], 1),
    ("date", ["'2024-01-31'"], ["2024-01-31"], 0),
    ("enum('a', 'b')", ["'a'", "'b'"], ["a", "z"], 1),
]


@pytest.mark.parametrize(("type_", "values", "listed", "failing"), IN)
def test_in(session, type_, values, listed, failing):
    assert count_failing(session, type_, values, "in", listed) == failing


MISMATCHES = [
    ("varchar", "in", [1], "put it in quotes"),
    ("varchar", "between", [0, 5], "put it in quotes"),
    ("bigint", "in", ["one"], "'one' is not a number, and the column is int64"),
    ("boolean", "between", [0, 1], "no bounds"),
    ("timestamp", "between", ["2024-01-31T00:00:00Z", None], "has a time zone"),
    ("date", "between", ["yesterday", None], "is not a date"),
    ("bigint", "matches", "[0-9]+", "is int64, not a string"),
    ("integer[]", "in", ["a"], "can't be compared"),
]


@pytest.mark.parametrize(("type_", "kind", "value", "message"), MISMATCHES)
def test_literal_of_another_type_is_an_error(session, type_, kind, value, message):
    assert message in count_failing(session, type_, ["null"], kind, value)


MATCHES = [
    ("A[0-9]+", ["'A12'", "'xA12x'", "null", "''"], 2),
    ("a.b", ["E'a\\nb'"], 1),
    ("(?s)a.b", ["E'a\\nb'"], 0),
    ("^A1$", ["E'A1\\n'", "'A1'"], 1),
    (r"\pL+", ["'Ærøskøbing'", "'a1'"], 1),
    ("it's", ["'it''s'"], 0),
    ("(a+)+$", [f"'{'a' * 40}b'"], 1),  # no patterns that never end
]


@pytest.mark.parametrize(("pattern", "values", "failing"), MATCHES)
def test_matches(session, pattern, values, failing):
    assert count_failing(session, "varchar", values, "matches", pattern) == failing


def test_pattern_that_only_the_engine_refuses_is_an_error(session):
    assert "can't be measured" in count_failing(session, "varchar", ["'a'"], "matches", "a++")


UNIQUE = [
    ("bigint", ["1", "2", "2", "null", "null"], 2),
    ("bigint", ["1", "1000000000000", "1000000000000"], 2),
    ("bigint", ["9223372036854775807", "-9223372036854775808"], 0),
    ("ubigint", ["18446744073709551615", "18446744073709551614"], 0),
    ("bigint", ["null"], 0),
    ("double", ["0.0", "'-0.0'", "'nan'", "'nan'", "1"], 4),
    ("varchar", ["'a'", "'A'", "'a '"], 0),
    ("interval", ["'1 month'", "'30 days'"], 2),
    ("integer[]", ["[1, null]", "[1, null]"], 2),
]


@pytest.mark.parametrize(("type_", "values", "failing"), UNIQUE)
def test_unique(session, type_, values, failing):
    assert count_failing(session, type_, values, "unique", True) == failing


def test_keys_of_several_columns_do_not_run_together(session):
    session.bind("orders", "from (values ('a', 'bc'), ('ab', 'c'), ('a', 'bc')) t(x, y)")

    (found,) = measure(session, make_check("unique", ["x", "y"])).measurements

    assert found.failing == 2
    assert [tuple(row.values()) for row in found.sample] == [("a", "bc")] * 2


def test_reference_into_a_table_with_a_column_of_the_same_name(session):
    session.bind("orders", "from (values (1), (2), (null)) t(id)")
    session.bind("stores", "from (values (1), (null)) t(id)")

    (found,) = measure(session, make_check("references", "stores.id", ["id"])).measurements

    assert found.failing == 1
    assert found.message.startswith("1 of 3 rows, 33% breaks `id references stores.id`")


def test_reference_into_the_table_itself(session):
    session.bind("orders", "from (values (1, null), (2, 1), (3, 9)) t(id, parent)")

    (found,) = measure(session, make_check("references", "orders.id", ["parent"])).measurements

    assert found.failing == 1


@pytest.mark.parametrize(
    ("value", "failing"),
    [
        ("a < b", 1),
        ({"rule": "a < b", "where": "b > 5"}, 0),
        ({"rule": "a < b", "where": "b is null"}, 0),  # null passes
        ({"rule": "b is not null"}, 1),
        ({"rule": "a < b -- said so", "where": "true -- always"}, 1),
    ],
)
def test_rule(session, value, failing):
    session.bind("orders", "from (values (1, 2), (3, 2), (3, null)) t(a, b)")

    (found,) = measure(session, make_check("rule", value)).measurements

    assert found.failing == failing


@pytest.mark.parametrize(
    ("value", "verdict"), [({"min": 1}, "fail"), ({"max": 0}, "pass"), (0, "pass")]
)
def test_rows_of_an_empty_table(session, value, verdict):
    session.bind("orders", "select 1 as x where false")

    report = measure(session, make_check("rows", value))

    assert report.verdict == Verdict(verdict)
    assert report.measurements[0].value == 0


@pytest.mark.parametrize(("declared", "verdict"), [("int64", "pass"), ("int32", "fail")])
def test_type_is_exact(session, declared, verdict):
    session.bind("orders", "select 1::bigint as x")

    report = measure(session, make_check("type", declared, ["x"]))

    assert report.verdict == Verdict(verdict)
    if verdict == "fail":
        assert report.measurements[0].message == 'x is int64, expected int32; cast it: "x"::integer'


def test_missing_column_is_an_error_with_the_nearest_name(session):
    session.bind("orders", "select 1 as amount")

    report = measure(session, make_check("type", "int64", ["amuont"]))

    assert report.verdict is Verdict.ERROR
    assert report.stops
    assert "did you mean 'amount'?" in report.measurements[0].message


def test_many_checks_cost_one_scan(session):
    session.bind("orders", "select range as id, range % 7 as day, 'a' as s from range(1000)")
    checks = [
        make_check("required", True, ["id"]),
        make_check("between", [0, 1000], ["id"]),
        make_check("in", ["a"], ["s"]),
        make_check("matches", "[a-z]", ["s"]),
        make_check("type", "int64", ["day"]),
        make_check("rows", {"min": 1}),
        make_check("rule", "day < 7"),
        make_check("rule", "day < 7", name="the same"),
    ]

    report = measure(session, *checks)

    assert report.verdict is Verdict.PASS
    assert len(session.queries) == 1
    assert session.queries[0].count("day < 7") == 1


def test_dense_integers_are_unique_by_a_set_of_bits(session):
    session.bind("orders", "select range as id from range(1000)")

    (found,) = measure(session, make_check("unique", True, ["id"])).measurements

    assert found.verdict is Verdict.PASS
    assert "bitstring_agg" in found.sql


def test_samples_of_all_checks_cost_one_query(session):
    session.bind("orders", "select range as id, range % 2 as odd from range(100)")
    checks = make_check("between", [0, 49], ["id"]), make_check("in", [0], ["odd"])

    report = measure(session, *checks)

    assert sum("arg_min" in query for query in session.queries) == 1
    assert [len(found.sample) for found in report.measurements] == [5, 5]
    assert all(row["id"] > 49 for row in report.measurements[0].sample)
    assert all(row["odd"] == 1 for row in report.measurements[1].sample)


def test_broken_check_leaves_the_others_alone(session):
    session.bind("orders", "from (values ('1', 1), ('x', 2)) t(text, n)")
    checks = [
        make_check("rule", "amuont > 1", name="misspelled"),
        make_check("rule", "text::int > 0", name="not a number"),
        make_check("between", [0, 1], ["n"]),
    ]

    report = measure(session, *checks)

    verdicts = [found.verdict for found in report.measurements]
    assert verdicts == [Verdict.ERROR, Verdict.ERROR, Verdict.FAIL]
    assert "amuont" in report.measurements[0].message
    assert report.measurements[2].failing == 1


def test_missing_parent_is_an_error(session):
    session.bind("orders", "select 1 as store")

    report = measure(session, make_check("references", "stores.id", ["store"]))

    assert report.verdict is Verdict.ERROR
    assert "stores" in report.measurements[0].message


def test_sensitive_values_are_in_no_sample_and_no_message(session):
    session.bind("orders", "select 'canary' as email, 7 as id")
    checks = make_check("matches", ".+@.+", ["email"]), make_check("rule", "email::int > 0")

    report = measure(session, *checks, sensitive=("email",))

    assert report.measurements[0].sample == ({"email": "***", "id": 7},)
    assert report.measurements[1].verdict is Verdict.ERROR
    assert "canary" not in str(report)


@pytest.mark.parametrize(
    ("fail", "warn", "verdict"),
    [
        (Tolerance(), None, "fail"),
        (Tolerance(count=3), None, "pass"),
        (Tolerance(count=2), None, "fail"),
        (Tolerance(share=0.03), Tolerance(), "warn"),
        (Tolerance(share=0.029), Tolerance(), "fail"),
        (None, Tolerance(), "warn"),
        (None, Tolerance(count=5), "pass"),
    ],
)
def test_tolerance(session, fail, warn, verdict):
    session.bind("orders", "select range as x from range(100)")

    report = measure(session, make_check("between", [3, None], ["x"], fail=fail, warn=warn))

    assert report.verdict == Verdict(verdict)
    assert report.measurements[0].failing == 3


class EvenCheck(RowCheck):
    """A kind that is not segue's: ``even: true``."""

    name = "even"

    def read(self, value):
        return {}

    def failing(self, check, types, table):
        return f'("{check.columns[0]}" % 2 is not null and "{check.columns[0]}" % 2 <> 0)'

    def state(self, check):
        return f"{check.columns[0]} even"


class MedianCheck:
    """A kind of the whole table that is not segue's."""

    name = "median"
    scope = "column"
    row_level = False

    def read(self, value):
        return {"max": value}

    def failing(self, check, types, table):
        return ""

    def measure(self, check, types, table):
        return f'median("{check.columns[0]}")'

    def judge(self, check, value, rows):
        raise AssertionError("the median of nothing was judged")


def test_new_kind_is_one_class(session):
    def load(name):
        return {"even": EvenCheck(), "median": MedianCheck()}.get(name) or load_check(name)

    session.bind("orders", pa.table({"x": pa.array([1, 2, None]), "y": pa.nulls(3, pa.int64())}))
    contract = make_contract(
        make_check("even", True, ["x"], load=load), make_check("median", 5, ["y"], load=load)
    )

    even, median = measure_table(
        session, "orders", contract, session.describe(ROWS), load
    ).measurements

    assert (even.verdict, even.failing, even.sample) == (Verdict.FAIL, 1, ({"x": 1, "y": None},))
    assert median.verdict is Verdict.ERROR  # undefined is never a pass
