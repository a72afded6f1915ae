"""Checks that statistics answer: the same verdicts, and no row is read."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from segue.judge.answers import SQL, trust_files
from segue.judge.measure import measure_table
from segue.protocols import Context
from segue.spec.contract import Verdict
from segue.spec.output import DataFile
from tests.unit.judge.judging import make_check, make_contract

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
CHECKS = (
    make_check("required", True, ["id"]),
    make_check("between", [0, 999], ["id"]),
    make_check("between", ["2026-01-01", "2026-01-31"], ["day"]),
    make_check("between", [0, None], ["amount"]),
    make_check("between", ["a", "c"], ["store"]),
    make_check("type", "int64", ["id"]),
    make_check("in", [1, 2, 3], ["level"]),
    make_check("rows", {"min": 1}),
    make_check("min", {"min": 0}, ["id"]),
    make_check("max", {"max": "2026-01-31"}, ["day"]),
    make_check("nulls", {"max": 0}, ["store"]),
    make_check("completeness", {"min": "100%"}, ["amount"]),
    make_check("sign", "not negative", ["amount"]),
    make_check("finite", True, ["amount"]),
    make_check("length", 1, ["only"]),
    make_check("matches", "x", ["only"]),
    make_check("fresh", {"within": "1h"}, ["at"]),
)
ROWS = """
    select range as id, date '2026-01-01' + (range % 31)::int as day, (range / 7)::double as amount,
    ['a', 'b', 'c'][range % 3 + 1] as store, range % 3 + 1 as level, 'x' as only,
    timestamptz '2026-01-31 12:00:00+00' as at from range({})
"""


def publish(session, lake, *queries, table="orders"):
    """Write each query's rows as a file of a table, and bind them."""
    folder = lake.folder(table)
    schema = session.describe(queries[0])
    files = [
        file
        for place, query in enumerate(queries)
        for file in session.write(query, folder, f"part{place}", schema, lake.storage_type)
    ]
    session.bind(table, lake.scan(schema, table, tuple(files)))
    return schema, tuple(files)


def measure(session, checks, schema, files):
    contract = make_contract(*checks)
    return measure_table(session, "orders", contract, schema, context=Context(NOW, files=files))


def spoil_data(lake, files):
    """Overwrite all of a file but its footer."""
    for file in files:
        path = lake.folder("orders") / file.path
        content = path.read_bytes()
        footer = int.from_bytes(content[-8:-4], "little") + 8
        path.write_bytes(b"PAR1" + b"\xff" * (len(content) - footer - 4) + content[-footer:])


def test_no_data_is_read_where_statistics_tell(session, lake):
    schema, files = publish(session, lake, ROWS.format(500), ROWS.format(1000))
    spoil_data(lake, files)
    session.queries.clear()
    report = measure(session, CHECKS, schema, files)
    assert [str(each.verdict) for each in report.measurements] == ["pass"] * len(CHECKS)
    assert report.rows == 1500
    assert {each.sql for each in report.measurements} == {SQL}
    assert not [query for query in session.queries if '"orders"' in query]


def test_statistics_tell_the_same_as_rows(session, lake):
    schema, files = publish(session, lake, ROWS.format(1000))
    known = measure(session, CHECKS, schema, files).measurements
    read = measure(session, CHECKS, schema, None).measurements
    assert [replace(each, sql="", seconds=None) for each in known] == [
        replace(each, sql="", seconds=None) for each in read
    ]


def test_what_statistics_do_not_prove_is_counted(session, lake):
    schema, files = publish(session, lake, ROWS.format(1000))
    checks = (make_check("between", [1, 999], ["id"]), make_check("in", [1, 3], ["level"]))
    report = measure(session, checks, schema, files)
    assert [each.failing for each in report.measurements] == [1, 333]
    assert all(each.sample and each.sql != SQL for each in report.measurements)


def test_nulls_are_known_by_number(session, lake):
    nulls = "select case when range % 4 > 0 then range end as id from range(100)"
    schema, files = publish(session, lake, nulls)
    check = make_check("required", True, ["id"])
    (found,) = measure(session, [check], schema, files).measurements
    assert (found.failing, found.sql, found.verdict) == (25, SQL, Verdict.FAIL)
    assert found.sample


def test_a_column_of_nulls_has_no_bounds_and_keeps_them(session, lake):
    schema, files = publish(session, lake, "select null::bigint as id", "select 5::bigint as id")
    check = make_check("between", [0, 9], ["id"])
    (found,) = measure(session, [check], schema, files).measurements
    assert (found.failing, found.sql) == (0, SQL)


@pytest.mark.parametrize(
    ("values", "failing"),
    [
        ("('nan'::double), (1), (2)", 1),
        ("('inf'::double), (1)", 1),
        ("('-inf'::double), (1)", 1),
        ("(1::double), (2), (null)", 0),
        ("(100000000000000000.01::decimal(20,2)), (1)", 1),
        ("(repeat('é', 200)), ('a')", 1),
        ("(timestamptz '2026-01-01 00:00:00.5+00'), (timestamptz '2026-01-01 00:00:00+00')", 0),
        ("(timestamp_ns '2026-01-01 00:00:00.000000001')", 0),
        ("(time '10:00:00'), (time '11:00:00')", 0),
        ("(18446744073709551615::ubigint), (0)", 1),
    ],
)
def test_tricky_values_are_judged_as_rows_are(session, lake, values, failing):
    schema, files = publish(session, lake, f"select * from (values {values}) as v(x)")
    bounds = {
        "string": ["a", "z"],
        "timestamp": ["2026-01-01", "2026-01-02"],
        "time": ["10:00:00", "11:00:00"],
    }.get(schema.columns[0].type.kind, [0, 100])
    check = make_check("between", bounds, ["x"])
    (known,) = measure(session, [check], schema, files).measurements
    (read,) = measure(session, [check], schema, None).measurements
    assert known.failing == read.failing == failing


@pytest.mark.parametrize("part", ["nullCount", "minValues"])
def test_what_one_file_leaves_out_is_not_known(session, lake, part):
    schema, (first, second) = publish(session, lake, ROWS.format(10), ROWS.format(10))
    stats = {name: told for name, told in second.stats.items() if name != part}
    files = (first, replace(second, stats=stats))
    checks = [make_check("required", True, ["id"]), make_check("between", [0, 99], ["id"])]
    measured = measure(session, checks, schema, files).measurements
    assert [each.failing for each in measured] == [0, 0]
    assert any(each.sql != SQL for each in measured)


def test_bounds_of_moments_order_as_moments(session):
    session.bind("orders", pa.table({"x": pa.array([None], pa.timestamp("us", "UTC"))}))
    schema = session.describe("select * from orders")
    stats = [
        {"nullCount": {"x": 0}, "minValues": {"x": text}, "maxValues": {"x": text}}
        for text in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z")
    ]
    files = [DataFile(str(place), 1, 1, stats=told) for place, told in enumerate(stats)]
    check = make_check("between", [None, "2026-01-01T00:00:00.2"], ["x"])
    (found,) = measure(session, [check], schema, files).measurements
    assert found.sql != SQL


def test_bounds_that_are_wide_prove_and_do_not_tell(session):
    session.bind("orders", pa.table({"x": [2, 3, 3]}))
    schema = session.describe("select * from orders")
    stats = {
        "nullCount": {"x": 0}, "minValues": {"x": 0}, "maxValues": {"x": 9}, "tightBounds": False
    }  # fmt: skip
    files = [DataFile("a", 3, 1, stats=stats)]
    checks = [make_check("between", [0, 9], ["x"]), make_check("unique", True, ["x"])]
    kept, unique = measure(session, checks, schema, files).measurements
    assert (kept.sql, kept.failing) == (SQL, 0)
    assert unique.failing == 2


def test_a_part_of_the_table_is_not_what_its_files_tell_of(session, lake):
    schema, files = publish(session, lake, ROWS.format(1000))
    part = replace(make_check("rows", {"max": 10}), slice=_where("id < 5"))
    folded = replace(make_check("between", [0, 3], ["id"]), slice=_where("id < 5"))
    rows, between = measure(session, [part, folded], schema, files).measurements
    assert (rows.verdict, rows.value) == (Verdict.PASS, 5.0)
    assert (between.rows, between.failing) == (5, 1)


def _where(text):
    from segue.spec.contract import Slice

    return Slice(where=text)


def test_numbers_of_a_decimal_are_exact(session, lake):
    schema, files = publish(session, lake, "select 0.10::decimal(18,2) as x")
    check = make_check("between", ["0.10", "0.10"], ["x"])
    (found,) = measure(session, [check], schema, files).measurements
    assert (found.sql, found.failing) == (SQL, 0)
    assert Decimal(str(files[0].stats["minValues"]["x"])) == Decimal("0.1")


def test_a_bound_that_a_statistic_rounds_is_measured(session, lake):
    """Statistics are JSON numbers, and readers take 100000000000000000.01 for a whole number."""
    query = "select 100000000000000000.01::decimal(20,2) as d"
    schema, files = publish(session, lake, query)
    (told,) = files
    rounded = {**told.stats, "minValues": {"d": 1e17}, "maxValues": {"d": 1e17}}
    check = make_check("between", [None, "100000000000000000.00"], ["d"])
    report = measure(session, [check], schema, (replace(told, stats=rounded),))
    assert report.measurements[0].failing == 1


def test_only_files_with_a_digest_have_statistics_of_our_own(session, lake):
    _, (file,) = publish(session, lake, ROWS.format(10))
    assert trust_files((file,)) == (file,)
    assert trust_files((file, replace(file, digest=""))) is None
