"""What a contract may say of each kind, and what it is told when it says nonsense."""

from datetime import date

import pytest

from segue.registry import CHECKS, load_check, names

GOOD = [
    ("between", [0, 5], {"min": 0, "max": 5}),
    ("between", [None, "1.10"], {"min": None, "max": "1.10"}),
    ("between", {"min": date(2024, 1, 31)}, {"min": "2024-01-31", "max": None}),
    ("between", ["10", "9"], {"min": "10", "max": "9"}),  # words, in their order
    ("in", ["new", None], {"values": ["new"]}),
    ("in", {"values": [1, 2.5]}, {"values": [1, 2.5]}),
    ("matches", "[0-9]+", {"pattern": "[0-9]+"}),
    ("matches", {"pattern": r"\p{Greek}\pL(?i)x\z"}, {"pattern": r"\p{Greek}\pL(?i)x\z"}),
    ("references", "stores.id", {"table": "stores", "column": "id"}),
    ("references", {"table": "a.b", "column": "c"}, {"table": "a.b", "column": "c"}),
    ("required", True, {}),
    ("required", {}, {}),
    ("rows", {"min": 1}, {"min": 1, "max": None}),
    ("rows", 3, {"min": 3, "max": 3}),
    ("rule", {"rule": " a > 1 "}, {"rule": "a > 1"}),
    ("rule", {"rule": "comment = 'x' -- y", "where": "b"}, None),
    ("type", "int", {"type": "int64"}),
    ("unique", True, {"nulls": "ignored"}),
    ("unique", ["a", "b"], {"columns": ["a", "b"], "nulls": "ignored"}),
    ("unique", {"columns": ["a"], "nulls": "equal"}, {"columns": ["a"], "nulls": "equal"}),
]
BAD = [
    ("between", [5, 1], "nothing is between 5 and 1"),
    ("between", ["b", "a"], "smaller bound"),
    ("between", [None, None], "at least one bound"),
    ("between", [1], "expected \\[min, max\\]"),
    ("between", [1, "a"], "different kinds"),
    ("between", [float("nan"), 1], "nan is no bound"),
    ("between", [True, 2], "True is no bound"),
    ("between", {"mn": 1}, "unknown key 'mn': expected min, max"),
    ("in", [], "a list of values"),
    ("in", "new", "a list of values"),
    ("in", [[1]], "found \\[1\\]"),
    ("matches", "(", "not a pattern: missing \\)"),
    ("matches", "(?=a)", "no look-ahead"),
    ("matches", r"(a)\1", "back-references"),
    ("matches", 3, "a pattern as text"),
    ("references", "stores", "expected table.column"),
    ("references", "a.b.c", "if a name holds a dot"),
    ("required", False, "leave it out"),
    ("rows", {"min": 5, "max": 1}, "nothing is between 5 and 1"),
    ("rows", {"min": -1}, "a number of rows"),
    ("rule", {"rule": "a >"}, "is not complete"),
    ("rule", {"rule": "a = 'x"}, "quote is not closed"),
    ("rule", {"rule": "1) or (1 = 1"}, "not one SQL expression"),
    ("rule", {"rule": "a) order by (b"}, "not one SQL expression"),
    ("rule", {"rule": "1) union select (1"}, "not one SQL expression"),
    ("rule", {"rule": "sum(a) > 1"}, "each row by itself"),
    ("rule", {"rule": "a > lag(a) over ()"}, "each row by itself"),
    ("rule", {"rule": "a in (select id from t)"}, "`references`"),
    ("rule", {"rule": "a + 1"}, "neither true nor false"),
    ("rule", {"rule": "a > 1", "where": "b >"}, "is not complete"),
    ("rule", {"where": "a"}, "expected {rule"),
    ("type", "integr", "unknown type 'integr'"),
    ("unique", ["a", "a"], "comes twice"),
    ("unique", [], "a list of columns"),
    ("unique", {"columns": ["a"], "nulls": "same"}, "nulls: equal"),
]


@pytest.mark.parametrize(("kind", "value", "arguments"), GOOD)
def test_read_accepts(kind, value, arguments):
    read = load_check(kind).read(value)

    assert read == (value if arguments is None else arguments)


@pytest.mark.parametrize(("kind", "value", "message"), BAD)
def test_read_refuses(kind, value, message):
    with pytest.raises(ValueError, match=message):
        load_check(kind).read(value)


def test_every_kind_has_its_own_name():
    for name in names(CHECKS):
        kind = load_check(name)
        assert kind.name == name
        assert kind.scope in {"column", "table", "both"}
