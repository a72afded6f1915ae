"""unique and references over parts of a table, by segments, and of several columns."""

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.protocols import Context
from segue.spec.contract import Verdict
from segue.spec.step import Mode
from tests.unit.judge.checks.tables import (
    aside,
    bind_values,
    find_failing,
    measure,
    part_rows,
    read_contract,
    slice_check,
)
from tests.unit.judge.judging import make_check

FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
COLUMNS = {"id": "integer", "group": "varchar", "ok": "boolean"}
ROWS = [
    ["1", "'a'", "true"],
    ["1", "'a'", "false"],
    ["1", "'b'", "true"],
    ["2", "'a'", "true"],
    ["2", "null", "true"],
    ["3", "null", "true"],
    ["3", "null", "true"],
    ["null", "null", "true"],
    ["null", "null", "true"],
]


@pytest.fixture
def orders(session):
    bind_values(session, COLUMNS, *ROWS)
    return session


@pytest.mark.parametrize(
    ("rows", "failing"),
    [
        ({}, 7),
        ({"where": "ok"}, 6),
        ({"where": "ok and \"group\" = 'a'"}, 0),
        ({"where": "false"}, 0),
        ({"by": ("group",)}, 4),  # null is a segment as well
        ({"by": ("group",), "where": "ok"}, 2),
        ({"by": ("group", "ok")}, 2),
        ({"by": ("id",)}, 7),
    ],
)
def test_unique_in_part_of_a_table(orders, rows, failing):
    assert find_failing(orders, slice_check("unique", True, ["id"], **rows)) == failing


def test_unique_by_segments_tells_which(orders):
    (found,) = measure(orders, slice_check("unique", True, ["id"], by=("group",)))
    assert {str(each.key["group"]): each.failing for each in found.segments} == {"a": 2, "None": 2}
    assert found.sample


def test_nulls_that_are_equal_by_segments(orders):
    check = slice_check("unique", {"columns": ["id"], "nulls": "equal"}, by=("group",))
    assert find_failing(orders, check) == 6


def test_rows_that_double_within_a_segment_are_set_aside(orders, lake):
    check = slice_check("unique", True, ["id"], by=("group",), where="ok", name="one each")

    kept, rejects, _ = part_rows(orders, lake, check)

    assert rejects == aside([(3, None, True), (3, None, True)], "one each")
    assert len(kept) == len(ROWS) - 2


def test_a_sample_is_held_against_all_rows(session):
    session.bind("orders", "select range % 500 as id, range as n from range(1000)")
    (found,) = measure(session, slice_check("unique", True, ["id"], sample=0.2))
    # every row has a double: those of the sample are found, whether theirs is in it or not
    assert found.failing == found.rows
    assert 100 < found.rows < 300
    assert len(found.sample) == 5


def test_new_rows_are_held_against_all_rows(session):
    bind_values(session, {"id": "integer"}, ["1"], ["4"], name="added")
    bind_values(session, {"id": "integer"}, ["1"], ["1"], ["2"], ["2"], ["4"])
    check = slice_check("unique", True, ["id"], new=True)
    (found,) = measure(session, check, context=Context(added="added"))
    assert (found.rows, found.failing) == (2, 1)


KEYS = st.one_of(st.none(), st.integers(1, 4))


@FEW
@given(st.lists(st.tuples(KEYS, KEYS, st.booleans()), max_size=9), st.integers(0, 9))
@pytest.mark.parametrize("nulls", ["ignored", "equal"])
def test_new_rows_that_have_a_double(session, nulls, rows, new):
    texts = [["null" if cell is None else str(cell) for cell in row] for row in rows]
    columns = {"a": "integer", "b": "integer", "ok": "boolean"}
    bind_values(session, columns, *texts)
    bind_values(session, columns, *texts[:new], name="added")
    check = slice_check("unique", {"columns": ["a", "b"], "nulls": nulls}, where="ok", new=True)

    def counts(row):
        return row[2] and (nulls == "equal" or None not in row[:2])

    keys = Counter(row[:2] for row in rows if counts(row))
    expected = sum(counts(row) and keys[row[:2]] > 1 for row in rows[:new])
    assert find_failing(session, check, Context(added="added")) == expected


def test_a_new_row_that_doubles_an_old_one_leaves_alone(session, lake):
    session.bind("fresh", pa.table({"id": [1, 3], "of": ["new", "new"]}))
    session.bind("orders", "from fresh")
    session.bind("kept", "select 1 as id, 'old' as of union all select 2, 'old'")
    check = slice_check("unique", True, ["id"], name="one", new=True)

    kept, rejects, report = part_rows(
        session, lake, check, kept="kept", mode=Mode.APPEND, context=Context(added="fresh")
    )

    assert kept == [(1, "old"), (2, "old"), (3, "new")]
    assert rejects == aside([(1, "new")], "one")
    assert not report.stops


def test_without_rows_before_all_rows_are_new(orders):
    assert find_failing(orders, slice_check("unique", True, ["id"], new=True)) == 7


def test_unique_of_names_with_spaces_and_cases(session):
    columns = {"order by": "varchar", 'the "key"': "varchar"}
    bind_values(session, columns, ["'ä'", "'x'"], ["'a\u0308'", "'x'"], ["'ä'", "'X'"])
    check = make_check("unique", ["order by", 'the "key"'])
    assert find_failing(session, check) == 0
    check = slice_check("unique", True, ["order by"], by=('the "key"',))
    assert find_failing(session, check) == 0


def test_a_condition_that_can_not_be_asked_is_an_error_of_its_own(orders):
    wrong = slice_check("unique", True, ["id"], where="ordr > 1", name="wrong")
    parted = slice_check("unique", True, ["id"], where="ordr > 1", by=("ok",), name="parted")
    right = slice_check("unique", True, ["id"], where="ok", name="right")
    found = {each.check: each for each in measure(orders, wrong, parted, right)}
    assert found["right"].failing == 6
    for name in ("wrong", "parted"):
        assert found[name].verdict is Verdict.ERROR
        assert "there is no column called 'ordr'" in found[name].message


STORES = [("1", "'a'"), ("1", "'a'"), ("2", "'b'"), ("null", "'a'"), ("3", "null")]
PAIR = {"table": "stores", "columns": {"id": "store", "group": "select"}}


@pytest.fixture
def stores(orders):
    bind_values(orders, {"store": "bigint", "select": "varchar"}, *STORES, name="stores")
    return orders


def test_references_of_several_columns(stores, lake):
    check = make_check("references", PAIR, name="known")
    assert find_failing(stores, check) == 2  # (1, b) and (2, a); nulls pass

    kept, rejects, report = part_rows(stores, lake, check)

    assert rejects == aside([(1, "b", True), (2, "a", True)], "known")
    assert len(kept) == len(ROWS) - 2
    assert not report.stops


@pytest.mark.parametrize(
    ("rows", "failing"),
    [({"where": "\"group\" = 'a'"}, 1), ({"by": ("group",)}, 2), ({"where": "not ok"}, 0)],
)
@pytest.mark.parametrize("value", [(PAIR, ())])
def test_references_of_part_of_a_table(stores, value, rows, failing):
    assert find_failing(stores, slice_check("references", *value, **rows)) == failing


def test_one_reference_by_segments_in_a_sample_and_in_new_rows(stores):
    def check(**rows):
        return slice_check("references", "stores.store", ["id"], **rows)

    bind_values(stores, COLUMNS, *ROWS, ["9", "'a'", "true"], ["8", "'b'", "true"])
    (found,) = measure(stores, check(by=("group",)))
    assert found.failing == 2
    assert {each.key["group"] for each in found.segments} == {"a", "b"}
    (found,) = measure(stores, check(sample=0.5))
    assert found.failing <= 2
    stores.bind("added", "select * from orders where id = 9")
    (found,) = measure(stores, check(new=True), context=Context(added="added"))
    assert (found.rows, found.failing) == (1, 1)


def test_a_reference_into_an_empty_table(orders):
    bind_values(orders, {"store": "bigint", "select": "varchar"}, name="stores")
    assert find_failing(orders, make_check("references", PAIR)) == 4


@pytest.mark.parametrize(
    "value",
    [
        {"table": "stores", "columns": {"id": "stoer"}},
        {"table": "stores", "columns": {"group": "store"}},  # text and number
    ],
)
def test_what_can_not_be_compared_is_an_error(stores, value):
    (found,) = measure(stores, make_check("references", value))
    assert found.verdict is Verdict.ERROR


def test_new_rows_without_a_parent_are_set_aside(stores, lake):
    stores.bind("kept", "select * from orders where id = 2")
    check = make_check("references", PAIR, name="known")

    _, rejects, _ = part_rows(stores, lake, check, kept="kept", mode=Mode.APPEND)

    assert all(row[-1] == ["known"] for row in rejects)


def test_a_contract_states_several_references_and_keys():
    contract, problems = read_contract("""
references:
  - {table: stores, columns: {id: store, group: select}, where: ok}
  - {table: stores, columns: {id: store}}
unique: [[id, group], {columns: [id], where: ok, by: group}]
""")
    problems.check()
    names = [check.name for check in contract.checks]
    assert names == ["id, group references", "id references", "id, group unique", "id unique"]
    assert contract.references == ("stores",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unique: true", "unique: say of which columns"),
        ("columns: {x: {unique: [a, b]}}", "stands beside `columns`"),
        ("references: stores.id", "references: write it below a column"),
        ("columns: {x: {references: {table: stores, columns: {y: id}}}}", "stands beside"),
        ("references: {table: stores, columns: [id]}", "expected {column here: column there}"),
        ("references: {table: stores, columns: {id: 1}}", "expected {column here"),
        ("references: {table: 3, columns: {id: id}}", "the table and the column as texts"),
    ],
)
def test_nonsense_is_refused(text, message):
    _, problems = read_contract(text)
    (problem,) = problems.sorted()
    assert message in problem.message
