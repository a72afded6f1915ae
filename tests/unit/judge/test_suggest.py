"""A suggested contract is read as it is, and true of the data that it comes from."""

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from segue.judge.measure import measure_table
from segue.judge.suggest import round_outward, suggest_contract, write_scalar
from segue.spec.contract import Verdict
from tests.unit.judge.judging import make_check, make_contract

ORDERS = """
select range as order_id, (range * 7919 % 1000) / 100 as price,
    (range % 300)::decimal(9,2) - 50 as margin, 1990 + range % 35 as year,
    case range % 3 when 0 then 'no' when 1 then 'paid, late' end as status,
    'customer ' || range as who, date '2024-01-01' + range::int as "order by",
    case when range = 5 then 'nan'::double else 0.5 end as odd, null::int as nothing,
    [1] as tags, range % 2 = 0 as even, 7 as fixed
from range(200)
"""


def suggest(session, query):
    session.bind("orders", query)
    schema = session.describe("select * from orders")
    rows = session.fetch("select count(*) from orders").column(0)[0].as_py()
    text = suggest_contract(session, "orders", schema, rows)
    return text, yaml.safe_load(text)["orders"], schema


def read_checks(suggested):
    for column, said in suggested["columns"].items():
        for kind, value in said.items():
            yield make_check(kind, value, [column])
    if "rows" in suggested:
        yield make_check("rows", suggested["rows"])


@pytest.mark.parametrize(
    "query",
    [
        ORDERS,
        "select 1 as x where false",
        "select 1 as x",
        "select null as x, '' as s from range(40)",
        "select -range * 0.001::float as x, 1e300 * range as y, '\\x7f\"' as s from range(40)",
        "select (18446744073709551615 - range)::ubigint as n from range(3)",
    ],
)
def test_suggestion_is_true_of_its_data(session, query):
    _, suggested, schema = suggest(session, query)

    report = measure_table(session, "orders", make_contract(*read_checks(suggested)), schema)

    assert report.verdict is Verdict.PASS, report


def test_suggestion_is_modest_and_readable(session):
    text, suggested, _ = suggest(session, ORDERS)

    assert text.startswith(
        "orders:\n  columns:\n    order_id: {type: int64, required: true, unique"
    )
    columns = suggested["columns"]
    assert columns["price"]["between"] == [0, 10]
    assert columns["margin"]["between"] == [-50, 200]
    assert columns["year"]["between"] == [1990, 2030]
    assert columns["status"] == {"type": "string", "in": ["no", "paid, late"]}
    assert columns["who"] == {"type": "string", "required": True}
    assert columns["odd"] == {"type": "float64", "required": True}
    assert columns["fixed"] == {"type": "int32", "required": True}
    assert columns["nothing"] == {"type": "int32"}
    assert "67 nulls" in text or "66 nulls" in text


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**37), max_value=10**37)


@given(NUMBERS, NUMBERS)
def test_bounds_hold_what_they_are_made_from(one, other):
    low, high = sorted((one, other))

    bounds = round_outward(low, high)

    assert (bounds is None) == (low == high)
    if bounds:
        assert bounds[0] <= low <= high <= bounds[1]
        assert [Decimal(str(yaml.safe_load(f"{end}"))) for end in bounds] == list(bounds)


@given(st.text())
def test_scalar_is_read_as_the_text_that_it_is(text):
    assert yaml.safe_load(f"{{a: {write_scalar(text)}, b: 1}}") == {"a": text, "b": 1}
