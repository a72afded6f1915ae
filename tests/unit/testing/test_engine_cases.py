"""How the cases of engines are read, and what their operations mean in SQL."""

from pathlib import Path

import pyarrow as pa
import pytest

from segue.errors import SegueError, UsageError
from segue.registry import load_local_engine
from segue.spec.step import PlaceSpec
from segue.testing.engines.cases import Case, read_cases
from segue.testing.engines.compare import expect_table
from segue.testing.engines.functions import FUNCTIONS
from segue.testing.engines.notation import make_table, read_schema, spell_schema
from segue.testing.engines.queries import OPERATIONS, name_inputs, write_query

CASES = read_cases()
IN_SQL = [case for case in CASES if case.op in OPERATIONS]


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("scratch")
    with load_local_engine().open(PlaceSpec("here", threads=1), scratch) as opened:
        yield opened


@pytest.mark.parametrize("case", IN_SQL, ids=lambda case: case.name)
def test_query_gives_what_the_case_says(session, case):
    def run():
        for name, table in zip(name_inputs(case), case.tables, strict=True):
            session.bind(name, table)
        return session.fetch(write_query(case))

    if case.out is None:
        with pytest.raises(SegueError):
            run()
    else:
        expect_table(run(), case.expected, ordered=case.ordered)


def test_every_case_can_be_read():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) > 100
    for case in CASES:
        assert case.tables
        assert case.out is None or case.expected is not None
        assert case.options.get("fn", "identity") in FUNCTIONS


@pytest.mark.parametrize(
    ("text", "value", "stored"),
    [
        ("a:i64", 9007199254740993, 9007199254740993),
        ("a:f64", 1, 1.0),
        ("a:f64", "-.inf", float("-inf")),
        ("a:decimal(5,2)", 1.5, pa.scalar("1.50").cast(pa.decimal128(5, 2)).as_py()),
        ("a:map<str,i64>", {"x": 1}, [("x", 1)]),
        ("a:map<str,i64>", [["x", 1]], [("x", 1)]),
        ("a:struct<b:i64,c:list<f64>>", [1, [2]], {"b": 1, "c": [2.0]}),
        ("a:bytes", "hex:", b""),
        ("a:categorical<str>", "x", "x"),
    ],
)
def test_value_is_read(text, value, stored):
    assert make_table(text, [[value]])["a"].to_pylist() == [stored]


def test_timestamp_is_in_microseconds_without_zone():
    table = make_table("a:ts,b:ts", [["2020-01-01T02:00:00+01:00", "2020-01-01"]])
    assert table.schema.types == [pa.timestamp("us")] * 2
    assert [str(value) for value in table.to_pylist()[0].values()] == [
        "2020-01-01 01:00:00",
        "2020-01-01 00:00:00",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("a:i64", 1.5), ("a:i64", "x"), ("a:str", True), ("a:bool", 1), ("a:date", "2020-13-01")],
)
def test_value_of_another_type_is_refused(text, value):
    with pytest.raises(ValueError, match="is no"):
        make_table(text, [[value]])


@pytest.mark.parametrize("text", ["a:list<i32", "a", "a:list<>", "a:what"])
def test_what_is_no_schema_is_refused(text):
    with pytest.raises(ValueError, match=r"'.*'"):
        read_schema(text)


def test_names_may_hold_anything():
    schema = read_schema('`a:b,c`:i32, "d ""e""":ts(ns, +01:00), größe:struct<`f g`:i8>')
    assert schema.names == ("a:b,c", 'd "e"', "größe")
    assert spell_schema("*-`a b`, `a b`:str") == '*-"a b", "a b": string'


def test_comma_in_a_reason_without_quotes_is_no_option(tmp_path):
    path = Path(tmp_path / "cases.yaml")
    path.write_text(
        "cases:\n- {id: x, op: distinct, in: [['a:i64', []]], error: true, why: a, b}\n"
    )
    [case] = read_cases(path)
    assert case.options == {}


def test_case_says_what_comes_out_or_that_it_fails(tmp_path):
    path = Path(tmp_path / "cases.yaml")
    path.write_text("cases:\n- {id: x, op: distinct, in: [['a:i64', []]]}\n")
    with pytest.raises(ValueError, match="'x'"):
        read_cases(path)


@pytest.mark.parametrize(
    ("op", "options"),
    [
        ("join", {"how": "sideways"}),
        ("dropna", {"how": "some"}),
        ("dropna", {"subset": ["q"]}),
        ("fillna", {}),
        ("fillna", {"value": {"q": 1}}),
        ("fillna", {"value": {"a": None}}),
        ("fillna", {"value": {"a": "x"}}),
    ],
)
def test_operation_without_a_meaning_is_refused(op, options):
    with pytest.raises(UsageError):
        write_query(Case("odd", op, (("a:i64", []),), None, options))


def test_option_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="shuffle"):
        write_query(Case("odd", "take", (("a:i64", []),), None, {"n": 1, "shuffle": True}))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (pa.table({"a": [1]}), pa.table({"a": [1.0]})),
        (pa.table({"a": [1], "b": [2]}), pa.table({"b": [2], "a": [1]})),
        (pa.table({"a": [1, 1]}), pa.table({"a": [1]})),
        (pa.table({"a": [0.0]}), pa.table({"a": [-0.0]})),
        (pa.table({"a": [""]}), pa.table({"a": pa.array([None], pa.string())})),
        (pa.table({"a": [[]]}), pa.table({"a": [None, []]}).slice(0, 1)),
        (
            pa.table({"a": pa.array([1], pa.timestamp("ns"))}),
            pa.table({"a": pa.array([2], pa.timestamp("ns"))}),
        ),
    ],
)
def test_tables_that_differ_are_told_apart(found, expected):
    with pytest.raises(AssertionError, match="differ"):
        expect_table(found, expected)


def test_order_counts_where_it_should():
    one, other = pa.table({"a": [1, 2]}), pa.table({"a": [2, 1]})
    expect_table(one, other)
    with pytest.raises(AssertionError):
        expect_table(one, other, ordered=True)
