"""A suggested contract is modest, readable, and says what it rests on."""

from decimal import Decimal

import pyarrow as pa
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

import segue
from segue.judge.profiling.describe import profile_table
from segue.judge.suggesting.bounds import round_down, round_outward
from segue.judge.suggesting.columns import write_pattern
from segue.judge.suggesting.lines import write_scalar, write_value
from segue.judge.suggesting.suggest import Past, suggest_contract
from segue.spec.contract import Verdict
from segue.spec.history import Point

ORDERS = """
select range as order_id, (range * 7919 % 1000) / 100 as price,
    (range % 300)::decimal(9,2) - 50 as margin, 1990 + range % 35 as year,
    case range % 3 when 0 then 'no' when 1 then 'paid, late' end as status,
    'customer ' || range as who, date '2024-01-01' + range::int as "order by",
    case when range = 5 then 'nan'::double else 0.5 end as odd, null::int as nothing,
    [1] as tags, range % 2 = 0 as even, 7 as fixed,
    'AB-' || (1000 + range) as part, 'a' || range || '@example.com' as mail
from range(200)
"""


def suggest(session, query, past=None):
    session.bind("orders", query)
    schema = session.describe("select * from orders")
    profile = profile_table(session, "orders", schema)
    text = suggest_contract(session, schema, profile, past)
    return text, yaml.safe_load(text)["orders"]


@pytest.mark.parametrize(
    "query",
    [
        ORDERS,
        "select 1 as x where false",
        "select 1 as x",
        "select null as x, '' as s from range(40)",
        "select -range * 0.001::float as x, 1e300 * range as y, '\\x7f\"' as s from range(40)",
        "select (18446744073709551615 - range)::ubigint as n from range(3)",
        "select 'infinity'::date as d, 'infinity'::timestamp as t from range(40)",
    ],
)
def test_suggestion_is_true_of_its_data(session, query):
    text, _ = suggest(session, query)

    report = segue.check(session.fetch(query), text)

    assert report.verdict is Verdict.PASS, report


def test_suggestion_is_modest_and_readable(session):
    _, suggested = suggest(session, ORDERS)

    columns = suggested["columns"]
    assert columns["order_id"] == {"type": "int64", "required": True, "unique": True}
    assert columns["price"]["between"] == [0, 10]
    assert columns["margin"]["between"] == [-50, 200]
    assert columns["year"]["between"] == [1990, 2030]
    assert columns["status"] == {"type": "string", "in": ["no", "paid, late"]}
    assert columns["who"] == {"type": "string", "required": True}
    assert columns["odd"] == {"type": "float64", "required": True}
    assert columns["fixed"] == {"type": "int32", "required": True}
    assert columns["nothing"] == {"type": "int32"}
    assert columns["part"]["matches"] == "[A-Z]{2}-[0-9]{4}"
    assert columns["mail"]["sensitive"] is True


def test_every_line_tells_its_evidence(session):
    lines = suggest(session, ORDERS)[0].splitlines()

    assert lines[0] == "orders:  # suggested from 200 rows"
    told = [line for line in lines if "type:" in line or "rows:" in line]
    above = dict(zip(told, (lines[lines.index(line) - 1] for line in told), strict=True))
    assert all("#" in line or above[line].strip().startswith("#") for line in told)
    assert any("# no nulls, every row has its own" in line for line in lines)
    assert any("# 66 null (33 %), 2 values, the rarest in 67 rows" in line for line in lines)
    assert any("always 7" in line for line in lines)


def test_a_few_rows_prove_little(session):
    _, suggested = suggest(session, "select range as a, 'x' as b, range as c from range(3)")

    assert suggested["columns"] == {
        "a": {"type": "int64"},
        "b": {"type": "string"},
        "c": {"type": "int64"},
    }


def test_a_list_of_values_needs_each_of_them_often(session):
    query = "select case when range = 0 then 'typo' else 'paid' end as status from range(500)"

    assert "in" not in suggest(session, query)[1]["columns"]["status"]


def test_columns_that_tell_rows_apart_together_are_asked_to(session):
    query = "select range // 50 as store, range % 50 as day, 1.5 as amount from range(2000)"

    assert suggest(session, query)[1]["unique"] == [["store", "day"]]


def test_sensitive_values_stay_out_of_the_suggestion():
    table = pa.table(
        {"id": range(100), "pay": [1000 + n for n in range(100)], "who": ["Ada"] * 100}
    )

    text = segue.suggest(table, "people", sensitive=["pay", "who"])

    assert "Ada" not in text
    assert "1,0" not in text
    assert yaml.safe_load(text)["people"]["columns"]["pay"] == {
        "type": "int64",
        "required": True,
        "sensitive": True,
    }


def test_rows_of_earlier_versions_bound_their_number(session):
    text, suggested = suggest(session, ORDERS, Past(rows=(190, 210, 205, 195, 200)))

    assert suggested["rows"] == {"min": 100, "max": 500}
    assert "190 to 210 in 5 versions" in text


def test_what_failed_earlier_only_warns(session):
    def recall(check):
        return [Point("2026-01-01", Verdict.FAIL, 200, 3)] if check == "price between" else []

    text, suggested = suggest(session, ORDERS, Past(checks=recall))

    assert suggested["columns"]["price"]["between"] == {"min": 0, "max": 10, "warn": 0}
    assert "rows failed in 1 of 1 earlier measurement, so it only warns" in text


def test_what_held_earlier_is_evidence(session):
    text, _ = suggest(session, ORDERS, Past(checks=lambda _: [Point("", Verdict.PASS, 9, 0)] * 14))

    assert "rounded outward, as in 14 earlier measurements" in text


def test_wide_tables_are_suggested_for_as_well():
    table = pa.table({f"column {at}": [at, at + 1, None] * 10 for at in range(500)})

    text = segue.suggest(table, "wide")

    assert len(yaml.safe_load(text)["wide"]["columns"]) == 500
    assert segue.check(table, text).verdict is Verdict.PASS


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**37), max_value=10**37)


@example(Decimal(4999999999999999999999999999500000000), Decimal(10**37 - 1))
@given(NUMBERS, NUMBERS)
def test_bounds_hold_what_they_are_made_from(one, other):
    low, high = sorted((one, other))

    bounds = round_outward(low, high)

    assert (bounds is None) == (low == high)
    if bounds:
        assert bounds[0] <= low <= high <= bounds[1]
        read = [yaml.safe_load(write_value(end)) for end in bounds]
        assert [Decimal(str(end)) for end in read] == list(bounds)


@given(st.integers(0, 10**15))
def test_a_lower_bound_is_not_above_what_it_is_made_from(number):
    assert 0 <= round_down(number) <= number


@given(st.text())
def test_scalar_is_read_as_the_text_that_it_is(text):
    assert yaml.safe_load(f"{{a: {write_scalar(text)}, b: 1}}") == {"a": text, "b": 1}


def test_patterns_are_regular_expressions():
    assert write_pattern("A.9+(a)") == r"[A-Z]\.[0-9]\+\([a-z]\)"


def test_formats_are_asked_for_where_all_are_written_so():
    days = [f"2026-01-{1 + at % 28:02d}" for at in range(200)]
    table = pa.table(
        {
            "site": [f"https://example.com/{at}" for at in range(200)],
            "host": [f"10.0.0.{at}" for at in range(200)],
            "day": days,
            "mostly": [*days[:199], "soon"],
        }
    )

    text = segue.suggest(table, "visits")

    columns = yaml.safe_load(text)["visits"]["columns"]
    told = {name: checks.get("format") for name, checks in columns.items()}
    assert columns["site"]["unique"] is True
    assert told == {"site": "url", "host": "ipv4", "day": "date", "mostly": None}
    assert "99.5 % written as date" in text
