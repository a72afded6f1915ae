"""Which columns a table has, and in which order: closed, ordered, type."""

import pytest

from segue.judge.measure import measure_table
from segue.spec.contract import Verdict
from tests.unit.judge.checks.tables import bind_values, measure, read_contract
from tests.unit.judge.judging import make_check

TABLE = {"b": "integer", "a b": "integer", "Ä": "integer"}
OF_ALL = "columns: {b: {}, a b: {}, Ä: {}}"


def judge(session, text, columns=TABLE):
    contract, problems = read_contract(text)
    problems.check()
    bind_values(session, columns, ["1"] * len(columns))
    schema = session.describe("select * from orders")
    (found,) = measure_table(session, "orders", contract, schema).measurements
    return found.verdict, found.message


@pytest.mark.parametrize(
    ("columns", "verdict", "message"),
    [
        ("{b: {}, a b: {}, Ä: {}}", Verdict.PASS, "no columns but those of the contract"),
        ("{Ä: {}, a b: {}, b: {}}", Verdict.PASS, ""),
        ("{b: {}, c: {}, a b: {}, Ä: {}}", Verdict.PASS, ""),  # `type` speaks of what is missing
        ("{b: {}, Ä: {}}", Verdict.FAIL, "a column that the contract does not list: 'a b'"),
        ("{B: {}, a b: {}, Ä: {}}", Verdict.FAIL, "'b'"),  # letter for letter
        ("{b: {}}", Verdict.FAIL, "2 columns that the contract does not list: 'a b', 'Ä'"),
    ],
)
def test_closed(session, columns, verdict, message):
    found = judge(session, f"closed: true\ncolumns: {columns}")
    assert found[0] is verdict
    assert message in found[1]


@pytest.mark.parametrize(
    ("columns", "verdict", "message"),
    [
        ("{b: {}, a b: {}, Ä: {}}", Verdict.PASS, "3 columns stand in the contract's order"),
        ("{b: {}, Ä: {}}", Verdict.PASS, "2 columns"),  # others may stand between them
        ("{a b: {}, b: {}}", Verdict.FAIL, "column 'b' stands where the contract has 'a b'"),
        ("{b: {}, c: {}}", Verdict.ERROR, "there is no column 'c'"),
    ],
)
def test_ordered(session, columns, verdict, message):
    found = judge(session, f"ordered: true\ncolumns: {columns}")
    assert found[0] is verdict
    assert message in found[1]


@pytest.mark.parametrize("kind", ["closed", "ordered"])
def test_a_warning_only_warns(session, kind):
    verdict, _ = judge(session, f"columns: {{Ä: {{}}, b: {{}}}}\n{kind}: {{severity: warn}}")
    assert verdict is Verdict.WARN


@pytest.mark.parametrize("kind", ["closed", "ordered"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("true", "the contract lists no columns"),
        ("false", "leave it out"),
        ("{by: b}\ncolumns: {b: {}}", "'by' makes no sense here"),
        ("{fail: 5%}\ncolumns: {b: {}}", "it counts no rows"),
    ],
)
def test_nonsense_is_refused_with_its_line(kind, text, message):
    _, problems = read_contract(f"{kind}: {text}")
    (problem,) = problems.sorted()
    assert message in problem.message
    assert problem.location.line == 1


def test_more_columns_in_the_contract_are_another_contract():
    one, _ = read_contract("closed: true\ncolumns: {b: {}}")
    two, _ = read_contract("closed: true\ncolumns: {b: {}, c: {}}")
    assert one.digest != two.digest


@pytest.mark.parametrize("kind", [("type", "int64"), ("required", True), ("finite", True)])
def test_a_missing_column_is_an_error(session, kind):
    bind_values(session, {"x": "integer"}, ["1"])
    (found,) = measure(session, make_check(*kind, ["y"]))
    assert found.verdict is Verdict.ERROR
    assert found.failing is None
    assert "there is no column 'y'" in found.message
