"""Rules over ordered rows: increasing, no_gaps, no_overlaps."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segue.judge.compile import compile_checks
from segue.registry import load_check
from segue.spec.contract import Slice, Verdict
from segue.spec.step import Mode
from tests.unit.judge.checks.tables import (
    aside,
    bind_values,
    count_failing,
    find_failing,
    measure,
    part_rows,
    read_contract,
    slice_check,
)
from tests.unit.judge.judging import make_check, make_contract

FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
STORED = [
    ("bigint", ["1", "1", "2"], True, 0),
    ("bigint", ["1", "1", "2"], {"strictly": True}, 1),
    ("bigint", ["1", "5", "2", "3"], True, 1),  # 3 is above the row before it
    ("bigint", ["1", "3", "2", "2"], True, 1),
    ("bigint", ["5", "null", "4"], True, 1),  # null is passed over
    ("bigint", ["null", "null"], {"strictly": True}, 0),
    ("bigint", [], True, 0),
    ("double", ["1", "'nan'", "2"], True, 1),
    ("double", ["'nan'", "'nan'"], {"strictly": True}, 2),
    ("double", ["'-inf'", "-0.0", "0.0", "'inf'"], True, 0),
    ("double", ["-0.0", "0.0"], {"strictly": True}, 1),
    ("decimal(38,2)", ["100000000000000000.01", "100000000000000000.00"], True, 1),
    ("timestamptz", ["'2024-01-01 01:00+01'", "'2024-01-01 00:30+00'"], True, 0),
    ("varchar", ["'a'", "'B'"], True, 1),  # letter for letter
    ("date", ["'2024-01-02'", "'2024-01-01'"], True, 1),
    ("enum('z', 'a')", ["'a'", "'z'"], True, 0),  # as words, not as positions
    ("boolean", ["false", "true", "false"], True, 1),
]


@pytest.mark.parametrize(("type_", "values", "value", "failing"), STORED)
def test_increasing_as_rows_are_stored(session, type_, values, value, failing):
    assert count_failing(session, type_, values, "increasing", value) == failing


COLUMNS = {"store": "varchar", "order by": "integer", "x": "integer"}
LEDGER = [
    ["'a'", "3", "30"],
    ["'a'", "1", "10"],
    ["'b'", "1", "5"],
    ["'a'", "2", "40"],
    ["'b'", "2", "5"],
    ["null", "1", "7"],
    ["null", "2", "6"],
    ["null", "null", "0"],
]


@pytest.mark.parametrize(
    ("value", "failing"),
    [
        ({"order": "order by", "per": "store"}, [("a", 3, 30), (None, 2, 6)]),
        (
            {"order": ["order by"], "per": ["store"], "strictly": True},
            [("a", 3, 30), ("b", 2, 5), (None, 2, 6)],
        ),
    ],
)
def test_increasing_by_a_column_per_group(session, lake, value, failing):
    bind_values(session, COLUMNS, *LEDGER)

    kept, rejects, report = part_rows(
        session, lake, make_check("increasing", value, ["x"], name="grows")
    )

    assert rejects == aside(failing, "grows")
    assert len(kept) + len(rejects) == len(LEDGER)
    assert report.measurements[0].failing == len(failing)
    assert all(row["x"] in {each[2] for each in failing} for row in report.measurements[0].sample)


def test_rows_of_one_place_stand_by_their_value(session):
    columns = {"day": "integer", "x": "integer", "note": "integer"}
    bind_values(session, columns, ["1", "2", "1"], ["1", "1", "2"], ["2", "2", "3"])
    assert find_failing(session, make_check("increasing", {"order": "day"}, ["x"])) == 0
    strictly = make_check("increasing", {"order": "day", "strictly": True}, ["x"])
    assert find_failing(session, strictly) == 1


def test_equal_rows_break_strict_order_together(session, lake):
    bind_values(session, {"t": "integer", "x": "integer"}, ["1", "1"], ["1", "1"], ["2", "2"])
    check = make_check("increasing", {"order": "t", "strictly": True}, ["x"], name="rises")

    kept, rejects, _ = part_rows(session, lake, check)

    assert kept == [(2, 2)]
    assert rejects == aside([(1, 1), (1, 1)], "rises")


def test_rows_set_aside_as_they_were_stored(session, lake):
    session.bind("kept", "select 1 as x, 'old' as note union all select 5, 'old'")
    session.bind("orders", "select 4 as x, 'new' as note union all select 6, 'new'")
    check = make_check("increasing", True, ["x"], name="grows")

    kept, rejects, _ = part_rows(session, lake, check, kept="kept", mode=Mode.APPEND)

    assert [row[0] for row in kept] == [1, 5, 6]
    assert rejects == aside([(4, "new")], "grows")


GAPS = [
    ("bigint", ["1", "3", "2", "2", "null"], True, 0),
    ("bigint", ["1", "3", "5", "5"], True, 3),
    ("bigint", ["1", "3", "5", "8"], 2, 1),
    ("bigint", ["-9223372036854775808", "9223372036854775807"], 1, 1),
    ("ubigint", ["0", "18446744073709551615"], 1, 1),
    ("bigint", ["7"], 1, 0),
    ("bigint", [], 1, 0),
    ("date", ["'2024-02-28'", "'2024-02-29'", "'2024-03-01'"], True, 0),
    ("date", ["'2023-02-28'", "'2023-03-02'"], "1d", 1),
    ("date", ["'2024-01-01'", "'2024-01-08'", "'2024-01-16'"], "1w", 1),
    ("date", ["'2024-01-31'", "'2024-02-29'", "'2024-03-31'"], "1 month", 0),
    ("date", ["'2023-12-31'", "'2024-02-01'"], "1 month", 1),
    ("date", ["'2020-01-01'", "'2023-01-01'"], "2 years", 1),
    ("timestamp", ["'2024-01-01 00:00'", "'2024-01-01 01:00'", "'2024-01-01 02:00:01'"], "1h", 1),
    ("timestamp_ns", ["'2024-01-01 00:00'", "'2024-01-01 00:01:00.000000001'"], "1min", 1),
    ("timestamp_s", ["'2024-01-01 00:00'", "'2024-01-01 00:01:00'"], "60 s", 0),
    ("timestamp", ["'2024-01-01 23:00'", "'2024-01-02 23:00'"], "1d", 0),
    ("timestamptz", ["'2024-01-01 01:00+01'", "'2024-01-01 02:00+01'"], "1h", 0),
    ("bigint", ["1"], "1d", "column 'x' is int64, which has no step of 1d: say 1"),
    ("date", ["'2024-01-01'"], "1h", "column 'x' is date, which has no step of 1h: say 1d"),
    ("date", ["'2024-01-01'"], 7, "column 'x' is date, which has no step of 7: say 7d"),
    ("timestamp", ["'2024-01-01'"], True, "column 'x' is timestamp, which has no step of 1"),
    ("double", ["1"], 1, "column 'x' is float64: gaps are those of integers"),
]


@pytest.mark.parametrize(("type_", "values", "value", "failing"), GAPS)
def test_no_gaps(session, type_, values, value, failing):
    found = count_failing(session, type_, values, "no_gaps", value)
    assert found == failing or (isinstance(failing, str) and found.startswith(failing))


def test_a_day_of_25_hours_is_no_gap(session):
    from segue.judge.measure import measure_table
    from segue.spec.types import parse_schema
    from tests.unit.judge.judging import make_contract

    # midnight in Rome, before and after summer time ends
    days = ["'2024-10-26 22:00+00'", "'2024-10-27 23:00+00'", "'2024-10-28 23:00+00'"]
    bind_values(session, {"x": "timestamptz"}, *([day] for day in days))
    rome = parse_schema("x: timestamp(us, Europe/Rome)")
    failing = []
    for step in ("1d", "24h"):
        contract = make_contract(make_check("no_gaps", step, ["x"]))
        failing.append(measure_table(session, "orders", contract, rome).measurements[0].failing)
    assert failing == [0, 1]


def test_all_rows_behind_a_gap_are_set_aside(session, lake):
    columns = {"per": "varchar", "group": "integer"}
    rows = [("'a'", "1"), ("'a'", "3"), ("'a'", "3"), ("'b'", "2"), ("null", "1"), ("null", "9")]
    bind_values(session, columns, *rows)

    kept, rejects, _ = part_rows(
        session, lake, make_check("no_gaps", {"per": "per"}, ["group"], name="dense")
    )

    assert kept == [("a", 1), ("b", 2), (None, 1)]
    assert rejects == aside([("a", 3), ("a", 3), (None, 9)], "dense")


INTERVALS = {"from": "integer", "to": "integer", "k": "varchar"}
OVERLAPS = {"from": "from", "to": "to", "per": "k"}


@pytest.mark.parametrize(
    ("rows", "failing"),
    [
        ([("1", "3"), ("3", "5")], 0),  # half open
        ([("1", "4"), ("3", "5")], 2),
        ([("1", "9"), ("2", "3"), ("4", "5"), ("9", "null")], 3),
        ([("1", "null"), ("5", "null")], 2),
        ([("1", "5"), ("5", "null")], 0),
        ([("null", "2"), ("1", "3"), ("3", "4")], 2),
        ([("null", "1"), ("1", "null")], 0),
        ([("null", "null")], 0),
        ([("null", "null"), ("1", "2")], 2),
        ([("1", "3"), ("2", "2"), ("2", "1")], 0),  # empty ones overlap nothing
        ([("1", "2"), ("1", "2")], 2),
        ([], 0),
    ],
)
def test_no_overlaps(session, rows, failing):
    bind_values(session, INTERVALS, *([*row, "null"] for row in rows))
    assert find_failing(session, make_check("no_overlaps", OVERLAPS)) == failing


ENDS = st.one_of(st.none(), st.integers(0, 6))


@FEW
@given(st.lists(st.tuples(ENDS, ENDS, st.sampled_from(["a", "b", None])), max_size=9))
def test_overlaps_are_those_that_pairs_tell(session, rows):
    def meet(one, other):
        low = max(-1 if row[0] is None else row[0] for row in (one, other))
        high = min(9 if row[1] is None else row[1] for row in (one, other))
        return one[2] == other[2] and low < high

    expected = sum(
        any(i != j and meet(one, other) for j, other in enumerate(rows))
        for i, one in enumerate(rows)
    )
    texts = [["null" if cell is None else repr(cell) for cell in row] for row in rows]
    bind_values(session, INTERVALS, *texts)
    assert find_failing(session, make_check("no_overlaps", OVERLAPS)) == expected


@FEW
@given(st.lists(st.tuples(ENDS, ENDS), max_size=9), st.booleans())
def test_increasing_is_what_sorting_tells(session, rows, strictly):
    placed = sorted(row for row in rows if None not in row)
    wrong = {b for a, b in pairwise(placed) if b[1] < a[1] or (strictly and b[1] == a[1])}
    texts = [["null" if cell is None else repr(cell) for cell in row] for row in rows]
    bind_values(session, {"t": "integer", "x": "integer"}, *texts)
    check = make_check("increasing", {"order": "t", "strictly": strictly}, ["x"])
    assert find_failing(session, check) == sum(row in wrong for row in rows)


@FEW
@given(st.lists(st.tuples(st.sampled_from(["a", None]), ENDS), max_size=9), st.integers(1, 3))
def test_gaps_are_those_between_sorted_values(session, rows, step):
    values = {k: sorted({x for key, x in rows if key == k and x is not None}) for k, _ in rows}
    behind = {(k, b) for k, found in values.items() for a, b in pairwise(found) if b - a > step}
    texts = [["null" if cell is None else repr(cell) for cell in row] for row in rows]
    bind_values(session, {"k": "varchar", "x": "integer"}, *texts)
    check = make_check("no_gaps", {"step": step, "per": "k"}, ["x"])
    assert find_failing(session, check) == sum(row in behind for row in rows)


PREDICATES = [
    ("increasing", {"order": "t", "per": "k"}, ["x"]),
    ("increasing", {"order": "t", "strictly": True}, ["x"]),
    ("no_gaps", {"per": "k"}, ["x"]),
    ("no_overlaps", {"from": "t", "to": "x", "per": "k"}, []),
    ("unique", ["t", "x"], []),
]


@FEW
@given(
    st.lists(st.tuples(ENDS, ENDS, st.sampled_from(["a", None]), st.booleans()), max_size=8),
    st.sampled_from([{}, {"where": "ok"}, {"by": ("k",)}, {"by": ("k",), "where": "ok"}]),
    st.sampled_from(PREDICATES),
)
def test_as_many_rows_are_told_as_are_counted(session, rows, part, kind):
    texts = [["null" if cell is None else repr(cell) for cell in row] for row in rows]
    columns = {"t": "integer", "x": "integer", "k": "varchar", "ok": "boolean"}
    bind_values(session, columns, *texts)
    check = slice_check(*kind, **part)
    schema = session.describe("select * from orders")
    (one,) = compile_checks(make_contract(check), schema, load_check)
    told = session.fetch(f"select * from orders where {one.failing}").num_rows
    assert find_failing(session, check) == told


def test_intervals_of_dates_set_aside(session, lake):
    columns = {"valid from": "date", "valid to": "date"}
    bind_values(
        session,
        columns,
        ["'2024-01-01'", "'2024-02-01'"],
        ["'2024-01-15'", "null"],
        ["'2023-01-01'", "'2024-01-01'"],
    )
    check = make_check("no_overlaps", {"from": "valid from", "to": "valid to"}, name="one price")

    kept, rejects, report = part_rows(session, lake, check)

    assert len(kept) == 1
    assert [row[2] for row in rejects] == [["one price"], ["one price"]]
    assert report.verdict is Verdict.FAIL
    assert not report.stops


@pytest.mark.parametrize(
    ("kind", "values", "left"),
    [
        ("increasing", ["1", "5", "2", "3"], [(1,), (3,), (5,)]),  # now 3 follows 5
        ("no_gaps", ["1", "5", "6"], [(1,), (6,)]),  # the gap is wider
    ],
)
def test_what_is_left_is_judged_again(session, lake, kind, values, left):
    bind_values(session, {"x": "integer"}, *([each] for each in values))

    kept, _, report = part_rows(session, lake, make_check(kind, True, ["x"]))

    assert kept == left
    (found,) = report.measurements
    assert (found.rows, found.failing, found.rejected) == (len(left), 1, False)
    assert report.stops


def test_a_row_set_aside_for_another_reason_leaves_a_gap(session, lake):
    bind_values(session, {"x": "integer", "y": "integer"}, ["1", "1"], ["2", "-1"], ["3", "1"])
    positive = make_check("sign", "positive", ["y"])

    _, _, report = part_rows(session, lake, make_check("no_gaps", True, ["x"]), positive)

    gaps, sign = report.measurements
    assert (gaps.verdict, gaps.failing) == (Verdict.FAIL, 1)
    assert sign.rejected
    assert report.stops


KINDS = [
    ("increasing", {"order": "t"}, ["x"]),
    ("no_gaps", {"step": 1}, ["x"]),
    ("no_overlaps", {"from": "t", "to": "x"}, []),
]


@pytest.mark.parametrize(("kind", "value", "columns"), KINDS)
def test_only_rows_of_the_condition_are_compared(session, kind, value, columns):
    rows = [["1", "2", "true"], ["2", "9", "false"], ["2", "3", "true"], ["3", "4", "true"]]
    bind_values(session, {"t": "integer", "x": "integer", "ok": "boolean"}, *rows)
    assert find_failing(session, make_check(kind, value, columns)) > 0
    assert find_failing(session, slice_check(kind, value, columns, where="ok")) == 0


@pytest.mark.parametrize(("kind", "value", "columns"), KINDS)
def test_segments_are_judged_by_themselves(session, kind, value, columns):
    table = {"t": "integer", "x": "integer", "s": "varchar"}
    rows = [["1", "2", "'a'"], ["2", "3", "'a'"], ["1", "6", "'b'"], ["6", "7", "'b'"]]
    bind_values(session, table, *rows)
    check = slice_check(kind, value, columns, by=("s",))
    assert find_failing(session, check) == 0

    wrong = ["2", "1", "null"], ["1", "8", "null"]
    bind_values(session, table, *rows, *wrong)
    (found,) = measure(session, check)
    if kind != "no_overlaps":  # an interval that ends before it begins is empty
        assert found.verdict is Verdict.FAIL
        assert found.failing == 1
        assert [segment.key for segment in found.segments] == [{"s": None}]


@pytest.mark.parametrize(("kind", "value", "columns"), KINDS)
def test_missing_columns_are_errors_with_the_nearest_name(session, kind, value, columns):
    bind_values(session, {"t": "integer", "x": "integer", "store": "integer"}, ["1", "2", "3"])
    check = make_check(kind, {**value, "per": "stoer"}, columns)
    assert find_failing(session, check) == "there is no column 'stoer': did you mean 'store'?"


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("increasing", "yes", "expected true or"),
        ("increasing", {"strict": True}, "unknown key 'strict'"),
        ("increasing", {"strictly": "no"}, "strictly is true or false"),
        ("increasing", {"order": []}, None),
        ("increasing", {"per": ["a", "a"]}, "comes twice"),
        ("no_gaps", 0, "expected a step such as 1, 1d, 1h or 1 month, found 0"),
        ("no_gaps", "0d", "found '0d'"),
        ("no_gaps", "1 fortnight", "found '1 fortnight'"),
        ("no_gaps", 1.5, "found 1.5"),
        ("no_gaps", False, "found False"),
        ("no_overlaps", True, "expected {from"),
        ("no_overlaps", {"from": "a"}, "expected {from"),
        ("no_overlaps", {"from": "a", "to": "a"}, "is empty"),
        ("no_overlaps", {"from": "a", "to": "b", "by": "c"}, "expected {from"),
    ],
)
def test_nonsense_is_refused(kind, value, message):
    if message is None:
        load_check(kind).read(value)
        return
    with pytest.raises(ValueError, match=message):
        load_check(kind).read(value)


def test_a_contract_states_them():
    contract, problems = read_contract("""
columns:
  x: {increasing: {strictly: true, per: [store], order: t, warn: 1%}}
  t: {no_gaps: 1 month}
no_overlaps:
  - {from: a, to: b, per: [store]}
  - {from: c, to: d, where: ok}
""")
    problems.check()
    grows, dense, first, second = contract.checks
    assert grows.arguments == {"strictly": True, "order": ["t"], "per": ["store"]}
    assert dense.arguments == {"step": "1 month"}
    assert first.columns == ("a", "b", "store")
    assert second.slice == Slice(where="ok")
