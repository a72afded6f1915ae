"""Kinds that judge each value by itself: length, sign, finite."""

import pytest

from segue.registry import load_check
from tests.unit.judge.checks.tables import aside, bind_values, count_failing, part_rows
from tests.unit.judge.judging import make_check

LENGTH = [
    ("varchar", ["''", "'a'", "'abc'", "null"], [1, 2], 2),
    ("varchar", ["'\u00e9'", "'e\u0301'", "'👍'"], 1, 1),  # an accent of its own is a character
    ("varchar", ["'abc'", "'abcd'"], {"max": 3}, 1),
    ("varchar", ["'abc'", "''"], [1, None], 1),
    ("blob", [r"'\xC3\xA9'", r"'\x00'", "''"], 2, 2),
    ("integer[]", ["[]", "[1, null]", "[null]", "null"], {"min": 1, "max": 1}, 2),
    ("enum('a', 'bbb')", ["'a'", "'bbb'"], 3, 1),
    ("varchar", [], 5, 0),
    ("bigint", ["1"], 5, "column 'x' is int64, which has no length"),
]


@pytest.mark.parametrize(("type_", "values", "bounds", "failing"), LENGTH)
def test_length(session, type_, values, bounds, failing):
    assert count_failing(session, type_, values, "length", bounds) == failing


NUMBERS = ["-1", "0", "1", "null"]
FLOATS = ["'nan'", "'inf'", "'-inf'", "'-0.0'", "0.5", "null"]
SIGN = [
    ("bigint", NUMBERS, "positive", 2),
    ("bigint", NUMBERS, "negative", 2),
    ("bigint", NUMBERS, "not negative", 1),
    ("bigint", NUMBERS, "not positive", 1),
    ("double", FLOATS, "positive", 3),
    ("double", FLOATS, "negative", 4),
    ("double", FLOATS, "not negative", 2),
    ("float", FLOATS, "not positive", 3),
    ("decimal(38,10)", ["-0.0000000001", "0.0000000001"], "positive", 1),
    ("ubigint", ["0", "18446744073709551615"], "positive", 1),
    ("varchar", ["'1'"], "positive", "column 'x' is string, not a number"),
]


@pytest.mark.parametrize(("type_", "values", "sign", "failing"), SIGN)
def test_sign(session, type_, values, sign, failing):
    assert count_failing(session, type_, values, "sign", sign) == failing


FINITE = [
    ("double", FLOATS, 3),
    ("float", FLOATS, 3),
    ("bigint", NUMBERS, 0),
    ("decimal(38,2)", ["1.5", "null"], 0),
    ("double", [], 0),
    ("varchar", ["'inf'"], "column 'x' is string, not a number"),
]


@pytest.mark.parametrize(("type_", "values", "failing"), FINITE)
def test_finite(session, type_, values, failing):
    assert count_failing(session, type_, values, "finite", True) == failing


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("length", True, "a whole number from 0 on, not True"),
        ("length", -1, "a whole number from 0 on, not -1"),
        ("length", [1.5, 2], "a whole number from 0 on, not 1.5"),
        ("length", [3, 1], "at least 3 and at most 1 long"),
        ("length", [None, None], "at least one bound"),
        ("length", "5", "expected \\[min, max\\] or a number"),
        ("length", {"mn": 1}, "unknown key 'mn'"),
        ("sign", "plus", "expected one of positive, negative, not negative, not positive"),
        ("sign", True, "expected one of"),
        ("finite", False, "leave it out"),
    ],
)
def test_nonsense_is_refused(kind, value, message):
    with pytest.raises(ValueError, match=message):
        load_check(kind).read(value)


def test_failing_rows_are_set_aside_with_every_reason(session, lake):
    columns = {"order by": "varchar", "x": "double"}
    bind_values(session, columns, ["'a'", "1"], ["'abc'", "'nan'"], ["null", "null"], ["'b'", "-1"])

    kept, rejects, report = part_rows(
        session,
        lake,
        make_check("length", 1, ["order by"], name="short"),
        make_check("sign", "positive", ["x"], name="positive"),
        make_check("finite", True, ["x"], name="finite"),
    )

    assert kept == [("a", 1.0), (None, None)]
    assert [(row[0], row[2]) for row in rejects] == [
        ("abc", ["short", "positive", "finite"]),
        ("b", ["positive"]),
    ]
    assert aside([("b", -1.0)], "positive") == rejects[1:]
    assert not report.stops
